/** The sockets of a node: UDP and TCP on one port. */
import type { Duplex } from "node:stream";
import { RollcallError } from "../errors/index.ts";
import type {
  DatagramSocket,
  IpAddress,
  Network,
  Receive,
  StreamListener,
} from "../platform/index.ts";
import { isWildcard } from "./ip-bytes.ts";

/** For port 0: the system picks a port for TCP, which another program may have for UDP. */
const TRIES_MAX = 10;

export interface Binding extends AsyncDisposable {
  readonly port: number;
  readonly socket: DatagramSocket;
}

/** @throws {RollcallError} `net/bind` */
export async function bindBoth(
  network: Network,
  local: IpAddress,
  handlers: {
    readonly receive: Receive;
    readonly accept: (stream: Duplex, peer: IpAddress) => void;
  },
): Promise<Binding> {
  for (let tries = 1; ; tries += 1) {
    const listener = await network.listen(local, handlers.accept);
    try {
      const port = portOf(listener, local);
      const socket = await network.bindDatagram({ host: local.host, port }, handlers.receive);
      return {
        port,
        socket,
        [Symbol.asyncDispose]: async () => {
          await Promise.all([socket[Symbol.asyncDispose](), listener[Symbol.asyncDispose]()]);
        },
      };
    } catch (error) {
      await listener[Symbol.asyncDispose]();
      const isTaken = error instanceof RollcallError && error.code === "net/bind";
      if (!isTaken || local.port !== 0 || tries === TRIES_MAX) throw error;
    }
  }
}

/** What others are told: as configured, else an address of this machine that they may reach. */
export function advertised(
  network: Network,
  options: { readonly bind: IpAddress; readonly advertise?: IpAddress },
  boundPort: number,
): IpAddress {
  const { bind, advertise = bind } = options;
  const port = advertise.port === 0 ? boundPort : advertise.port;
  if (!isWildcard(advertise.host)) return { host: advertise.host, port };
  const addresses = network.interfaces().filter(({ address }) => !address.includes(":"));
  const outside = addresses.find(({ internal }) => !internal);
  return { host: outside?.address ?? addresses[0]?.address ?? "127.0.0.1", port };
}

function portOf({ address }: StreamListener, local: IpAddress): number {
  return "port" in address ? address.port : local.port;
}
