/** One simulated server: the real core, drivers, write-ahead log, snapshot store and transport on one host. */
import { RollcallError } from "../src/errors/index.ts";
import { DisposableScope, noLogger, type Disk } from "../src/platform/index.ts";
import { HostClock, type SimPlatform } from "../src/platform/sim/index.ts";
import { bootstrap } from "../src/raft/bootstrap.ts";
import {
  openSnapshotStore,
  startRaft,
  StreamTransport,
  type Configuration,
  type Entry,
  type Peer,
  type Raft,
  type StateMachine,
} from "../src/raft/index.ts";
import { RULES, type Rules } from "../src/raft/rules.ts";
import type { RaftTimings } from "../src/raft/core-state.ts";
import { openWal, type Wal } from "../src/wal/index.ts";
import type { Invariants } from "./invariants.ts";
import { Life, LifeClock, lifeDisk } from "./life.ts";
import { Registers, type RegisterResult } from "./register.ts";

const DIRECTORY = "/raft";
const PORT = 8300;
const RAFT_BYTE = 1;

/** Where a test may put something wrong in the place of what is right. */
export interface Mutation {
  readonly rules?: Partial<Rules>;
  readonly wal?: (wal: Wal) => Wal;
  readonly disk?: (disk: Disk) => Disk;
  readonly stateMachine?: (machine: StateMachine<RegisterResult>) => StateMachine<RegisterResult>;
}

export interface ServerOptions {
  readonly name: string;
  readonly host: string;
  readonly platform: SimPlatform;
  readonly timings: RaftTimings;
  readonly clockRate: number;
  readonly trailingLogs: number;
  readonly snapshotThreshold: number;
  readonly batchEntriesMax: number;
  readonly recentBytesMax: number;
  readonly segmentMaxBytes: number;
  readonly knowsPreVote: (id: string) => boolean;
  readonly invariants: Invariants;
  readonly onApplied: (entry: Entry, result: RegisterResult) => void;
  /** It cannot go on with its disk as it is. */
  readonly onExit: () => void;
  readonly mutation: Mutation;
}

interface Running {
  readonly life: Life;
  readonly raft: Raft<RegisterResult>;
  readonly wal: Wal;
  readonly scope: DisposableScope;
}

export class SimServer {
  readonly peer: Peer;
  readonly #options: ServerOptions;
  #life = new Life();
  #running: Running | undefined;
  registers = new Registers();
  /** Why it could not start: to be tried again. */
  startFailure: Error | undefined;
  /** Why it failed by itself. */
  failure: Error | undefined;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.peer = { id: options.name, address: `${options.host}:${PORT}` };
  }

  get name(): string {
    return this.#options.name;
  }

  get host(): string {
    return this.#options.host;
  }

  get platform(): SimPlatform {
    return this.#options.platform;
  }

  get raft(): Raft<RegisterResult> | undefined {
    return this.#running?.raft;
  }

  get wal(): Wal | undefined {
    return this.#running?.wal;
  }

  get isUp(): boolean {
    return this.#running !== undefined;
  }

  /** Writes the first entry, as every server of a new cluster does by itself. */
  async bootstrap(configuration: Configuration): Promise<void> {
    const { platform, segmentMaxBytes } = this.#options;
    const { disk, clock } = platform;
    const directory = `${DIRECTORY}/wal`;
    await disk.makeDirectory(DIRECTORY);
    await using wal = await openWal({ disk, clock, directory, logger: noLogger, segmentMaxBytes });
    await bootstrap(wal, configuration);
  }

  async start(): Promise<void> {
    const life = new Life();
    this.#life = life;
    const scope = new DisposableScope();
    try {
      const { raft, wal } = await this.#open(life, scope);
      if (life.isOver) return;
      this.startFailure = undefined;
      this.#running = { life, raft, wal, scope };
    } catch (error) {
      if (!life.isOver) this.startFailure = error as Error;
      await scope[Symbol.asyncDispose]();
    }
  }

  /** Power is gone. */
  crash(): void {
    this.#life.isOver = true;
    this.#options.platform.disk.crash();
    const running = this.#running;
    this.#running = undefined;
    // What is left of it is only taken apart: it can do nothing any more.
    running?.scope[Symbol.asyncDispose]().catch(() => undefined);
  }

  async #open(
    life: Life,
    scope: DisposableScope,
  ): Promise<{ readonly raft: Raft<RegisterResult>; readonly wal: Wal }> {
    const { platform, timings, mutation, clockRate, host, segmentMaxBytes, invariants } =
      this.#options;
    const hostClock = new HostClock(platform.clock, platform.network.links, host);
    const clock = new LifeClock(hostClock, life, clockRate);
    const { disk: change = (same) => same, wal: changeWal = (same) => same } = mutation;
    const { stateMachine: changeMachine = (same) => same, rules = {} } = mutation;
    const disk = change(lifeDisk(platform.disk, life));
    const logger = noLogger;
    const directory = `${DIRECTORY}/wal`;
    const opened = await openWal({ disk, clock, directory, logger, segmentMaxBytes });
    scope.use(opened);
    const wal = changeWal(observed(opened, this.name, invariants));
    const snapshots = await openSnapshotStore({ disk, clock, logger, directory: DIRECTORY });
    const transport = scope.use(
      new StreamTransport({
        clock,
        logger,
        self: this.peer,
        shortTimeoutMs: timings.heartbeatTimeoutMs,
        idAt: () => undefined,
        dial: (to, signal) => platform.network.connect(addressOf(to.address), { signal }),
      }),
    );
    scope.use(
      await platform.network.listen({ host, port: PORT }, (stream) => {
        // The first byte says that the rest is raft's.
        stream.once("readable", () => {
          const first = stream.read(1) as Uint8Array | null;
          if (first?.[0] === RAFT_BYTE) transport.accept(stream);
          else stream.destroy();
        });
      }),
    );
    const registers = new Registers();
    this.registers = registers;
    const { batchEntriesMax, recentBytesMax, trailingLogs, snapshotThreshold, knowsPreVote } =
      this.#options;
    const raft = scope.use(
      await startRaft({
        ...timings,
        id: this.name,
        clock,
        random: platform.random.fork("raft"),
        logger,
        disk,
        directory: DIRECTORY,
        wal,
        snapshots,
        transport,
        stateMachine: changeMachine(this.#machine(registers, life)),
        snapshotIntervalMs: timings.heartbeatTimeoutMs,
        snapshotThreshold,
        batchEntriesMax,
        batchBytesMax: 100_000,
        inflightMax: 8,
        recentBytesMax,
        uncommittedEntriesMax: 1000,
        trailingLogs,
        knowsPreVote,
        rules: { ...RULES, ...rules },
      }),
    );
    raft.subscribe((event) => {
      if (life.isOver) return;
      if (event.kind === "failed") this.#failed(event.error);
      else if (event.role === "leader") {
        const snapshotIndex = snapshots.newest?.index ?? 0;
        const termAt = (index: number) => wal.term(index);
        invariants.led(this.name, event.term, { snapshotIndex, lastIndex: wal.lastIndex, termAt });
      }
    });
    return { raft, wal };
  }

  /** With its disk a process may end, and be started again. Anything else must not happen. */
  #failed(error: Error): void {
    if (error instanceof RollcallError && error.code === "disk/failed") this.#options.onExit();
    else this.failure = error;
  }

  #machine(registers: Registers, life: Life): StateMachine<RegisterResult> {
    const { invariants, onApplied } = this.#options;
    let index = 0;
    return {
      apply: (entry) => {
        const result = registers.apply(entry.index, entry.data);
        index = entry.index;
        if (!life.isOver) {
          const { fingerprint } = registers;
          const ownTerm = this.raft?.standing.term ?? Number.POSITIVE_INFINITY;
          invariants.applied(this.name, entry, { fingerprint, ownTerm });
          onApplied(entry, result);
        }
        return result;
      },
      snapshot: () => sliced(Buffer.concat([Buffer.from(`${index}\n`), registers.save()])),
      restore: async (slices) => {
        const parts: Uint8Array[] = [];
        for await (const slice of slices) parts.push(slice);
        const saved = Buffer.concat(parts);
        const end = saved.indexOf("\n");
        index = Number(saved.subarray(0, end).toString());
        registers.restore(saved.subarray(end + 1));
        if (!life.isOver) invariants.restored(this.name, index, registers.fingerprint);
      },
    };
  }
}

/** Tells the invariants of every entry that is appended. */
function observed(wal: Wal, name: string, invariants: Invariants): Wal {
  return new Proxy(wal, {
    get(target, property) {
      if (property === "append") {
        return (entries: Parameters<Wal["append"]>[0]) => {
          for (const { index, term, bytes } of entries) {
            const before = entries.find((entry) => entry.index === index - 1);
            const previous = before?.term ?? target.term(index - 1);
            invariants.appended(name, { index, term, data: bytes }, previous);
          }
          return target.append(entries);
        };
      }
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

const SLICE_BYTES = 64;

function* sliced(bytes: Uint8Array): Generator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) yield bytes.subarray(at, at + SLICE_BYTES);
}

function addressOf(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}
