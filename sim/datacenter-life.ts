/** What an agent has of its machine while it lives, its network too: `life.ts` has the clock and the disk. */
import type { Duplex } from "node:stream";
import { RollcallError } from "../src/errors/index.ts";
import type { Network, StreamListener } from "../src/platform/index.ts";
import { HostClock, type SimPlatform } from "../src/platform/sim/index.ts";
import { Life, LifeClock, lifeDisk } from "./life.ts";

/** One process on a machine. */
export class AgentLife extends Life {
  readonly #closers = new Set<() => void>();

  /** Whatever is held open, to be gone with the process. */
  holds(close: () => void): Disposable {
    this.#closers.add(close);
    return { [Symbol.dispose]: () => this.#closers.delete(close) };
  }

  /** At once, as a kernel closes what a dead process had open. */
  end(): void {
    this.isOver = true;
    for (const close of this.#closers) close();
    this.#closers.clear();
  }
}

export interface LifeOptions {
  readonly life: AgentLife;
  /** The machine: its disk stays. */
  readonly machine: SimPlatform;
  readonly host: string;
  readonly clockRate: number;
}

/** A machine as one process on it sees it, at the address that it has now. */
export function platformOf({ life, machine, host, clockRate }: LifeOptions): SimPlatform {
  const hostClock = new HostClock(machine.clock, machine.network.links, host);
  return {
    ...machine,
    clock: new LifeClock(hostClock, life, clockRate) as unknown as SimPlatform["clock"],
    disk: lifeDisk(machine.disk, life) as SimPlatform["disk"],
    random: machine.random.fork("life"),
    network: lifeNetwork(machine.network.at(host), life) as SimPlatform["network"],
  };
}

function lifeNetwork(network: Network, life: AgentLife): Network {
  const demandAlive = (): void => {
    if (life.isOver) throw new RollcallError("net/dial", "the process is dead");
  };
  const held = (stream: Duplex): Duplex => {
    const hold = life.holds(() => stream.destroy());
    return stream.once("close", () => hold[Symbol.dispose]());
  };
  const bound = async <T extends AsyncDisposable>(opening: Promise<T>): Promise<T> => {
    const opened = await opening;
    const close = (): void => void opened[Symbol.asyncDispose]();
    if (life.isOver) close();
    else life.holds(close);
    return opened;
  };
  return {
    bindDatagram: async (local, receive) => {
      demandAlive();
      const socket = await bound(
        network.bindDatagram(local, (bytes, from) => {
          if (!life.isOver) receive(bytes, from);
        }),
      );
      return {
        address: socket.address,
        send: (bytes, to) => {
          if (!life.isOver) socket.send(bytes, to);
        },
        [Symbol.asyncDispose]: () => socket[Symbol.asyncDispose](),
      };
    },
    listen: (local, accept): Promise<StreamListener> => {
      demandAlive();
      return bound(
        network.listen(local, (stream, peer) => {
          if (life.isOver) stream.destroy();
          else accept(held(stream), peer);
        }),
      );
    },
    connect: async (remote, options) => {
      demandAlive();
      const stream = await network.connect(remote, options);
      if (!life.isOver) return held(stream);
      stream.destroy();
      throw new RollcallError("net/dial", "the process is dead");
    },
    exchangeDatagram: (remote, bytes, options) => network.exchangeDatagram(remote, bytes, options),
    resolve: (host) => network.resolve(host),
    interfaces: () => network.interfaces(),
  };
}
