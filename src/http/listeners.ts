/** Where the API listens: on the addresses of the configuration, and on socket files. */
import { basename, dirname } from "node:path";
import { messageOf, RollcallError } from "../errors/index.ts";
import type { Accept, IpAddress, SocketPath, StreamListener } from "../platform/index.ts";
import type { HttpNeeds } from "./needs.ts";

type ListenerNeeds = Pick<HttpNeeds, "platform" | "logger" | "config">;

const UNIX_PREFIX = "unix://";

/** @throws {RollcallError} `net/bind` when one of the addresses cannot be had; the others are given up again */
export async function openListeners(
  needs: ListenerNeeds,
  accept: Accept,
): Promise<StreamListener[]> {
  const listeners: StreamListener[] = [];
  try {
    for (const local of localAddresses(needs)) {
      if ("path" in local) await makeRoom(needs, local);
      listeners.push(await needs.platform.network.listen(local, accept));
      needs.logger.info("Started HTTP server", shown(local));
    }
  } catch (error) {
    await closeListeners(listeners);
    throw error;
  }
  return listeners;
}

export async function closeListeners(listeners: readonly StreamListener[]): Promise<void> {
  await Promise.all(listeners.map((listener) => listener[Symbol.asyncDispose]()));
}

function localAddresses({ config }: ListenerNeeds): ReadonlyArray<IpAddress | SocketPath> {
  const { httpAddrs, ports, unixSockets } = config();
  if (ports.http < 0) return [];
  return httpAddrs.map((address) =>
    address.startsWith(UNIX_PREFIX)
      ? { path: address.slice(UNIX_PREFIX.length), access: unixSockets }
      : { host: address, port: ports.http },
  );
}

/** An agent that was killed leaves its socket behind. */
async function makeRoom({ platform, logger }: ListenerNeeds, { path }: SocketPath): Promise<void> {
  const beside = (await platform.disk.list(dirname(path))) ?? [];
  if (!beside.some(({ name }) => name === basename(path))) return;
  logger.warn("Replacing socket", { path });
  try {
    await platform.disk.remove(path);
  } catch (error) {
    const detail = `error removing socket file: ${messageOf(error)}`;
    throw new RollcallError("net/bind", detail, { cause: error });
  }
}

function shown(local: IpAddress | SocketPath): { address: string; network: string } {
  if ("path" in local) return { address: local.path, network: "unix" };
  const { host, port } = local;
  return { address: `${host.includes(":") ? `[${host}]` : host}:${port}`, network: "tcp" };
}
