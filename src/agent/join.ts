/**
 * Joining other agents, and making them leave, for an agent that is alone: without gossip it can only be joined with
 * itself, and says of any other address whether anybody is there at all.
 */
import { RollcallError, messageOf } from "../errors/index.ts";
import type { RuntimeConfig } from "../config/index.ts";
import type { Network } from "../platform/index.ts";

const refuse = (text: string): RollcallError => new RollcallError("request/refused", text);

export interface JoinNeeds {
  readonly network: Network;
  readonly config: RuntimeConfig;
}
export type Pool = "lan" | "wan";

/** @throws {RollcallError} in Consul's words when nobody could be joined */
export async function join(
  { network, config }: JoinNeeds,
  address: string,
  pool: Pool,
  signal: AbortSignal,
): Promise<void> {
  const ownPort = pool === "lan" ? config.ports.serfLan : config.ports.serfWan;
  const { host, port } = hostAndPort(address, ownPort);
  if (host === "") throw failure(`Failed to resolve ${host}: lookup ${host}: no such host`);
  const own = pool === "lan" ? config.advertiseAddr : config.advertiseAddrWan;
  if (port === ownPort && (host === own || host === config.bindAddr)) return;
  try {
    const stream = await network.connect({ host, port }, { signal });
    stream.destroy();
  } catch (error) {
    signal.throwIfAborted();
    throw failure(`Failed to join ${host}: ${messageOf(error)}`);
  }
  throw failure(`Failed to join ${host}: gossip is not supported in this version`);
}

/** @throws {RollcallError} for a node that is no member */
export function forceLeave({ config }: JoinNeeds, node: string): void {
  if (node !== config.nodeName) throw refuse(`agent: No node found with name '${node}'`);
}

function failure(text: string): RollcallError {
  return refuse(`1 error occurred:\n\t* ${text}\n\n`);
}

/** `host`, `host:port`, `[::1]:port`; an IPv6 address without brackets has no port. */
function hostAndPort(address: string, defaultPort: number): { host: string; port: number } {
  const [, bracketed, bare, digits] =
    /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(address) ?? [];
  const host = bracketed ?? bare ?? address;
  return { host, port: digits === undefined ? defaultPort : Number(digits) };
}
