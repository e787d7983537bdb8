/**
 * `raft/peers.json`, by which an operator says who belongs to a cluster that has lost its majority.
 *
 *     raft protocol 3    [{"id": "<node id>", "address": "10.0.0.1:8300", "non_voter": false}]
 *     2 and before       ["10.0.0.1:8300"]
 *
 * Long ago a file of that name was a server's own record of its peers. One that is found where this program has
 * never run before is such a record, and must not be obeyed: `peers.info` beside it tells that it has run.
 */
import { messageOf } from "../errors/index.ts";
import type { Disk, Logger } from "../platform/index.ts";
import { faultOf, type Configuration, type Server } from "./configuration.ts";

const INFO = `\
This directory belongs to a server of a replicated log. As long as this file is here, a peers.json beside it is
taken as the list of all servers of the cluster when the server starts, whatever the log says, and is removed
once that is done. Use it only when so many servers are lost for good that no leader can be elected, with the
same content on all servers that are left, while all of them are stopped.

Raft protocol 3:
  [{"id": "<node id>", "address": "10.0.0.1:8300", "non_voter": false}]
Raft protocol 2 and before:
  ["10.0.0.1:8300"]
`;

export interface PeersJsonPlace {
  readonly disk: Disk;
  /** Holds `peers.json` and `peers.info`; created if need be. */
  readonly directory: string;
  /** Names servers by their id from 3 on, by their address before. */
  readonly raftProtocol: number;
  readonly logger: Logger;
}

/**
 * To be called before raft starts. If there is a `peers.json` to be obeyed, `recover` is called with what it says,
 * and it is removed after that.
 * @throws {Error} when it is no use, or cannot be obeyed; it is still there then
 */
export async function recoverByPeersJson(
  { disk, directory, raftProtocol, logger }: PeersJsonPlace,
  recover: (configuration: Configuration) => Promise<unknown>,
): Promise<"recovered" | "nothing to do"> {
  const path = `${directory}/peers.json`;
  const infoPath = `${directory}/peers.info`;
  if ((await disk.read(infoPath)) === undefined) {
    // In this order, lest a crash in between make an old record an order.
    if ((await disk.read(path)) !== undefined) {
      await disk.remove(path);
      logger.info("deleted peers.json file (see peers.info for details)", { path });
    }
    await disk.makeDirectory(directory);
    await disk.replace(infoPath, Buffer.from(INFO));
    return "nothing to do";
  }
  const bytes = await disk.read(path);
  if (bytes === undefined) return "nothing to do";
  logger.info("found peers.json file, recovering Raft configuration...", { path });
  let configuration: Configuration;
  try {
    configuration = parsePeersJson(Buffer.from(bytes).toString(), raftProtocol);
  } catch (error) {
    throw new Error(`recovery failed to parse peers.json: ${messageOf(error)}`, { cause: error });
  }
  try {
    await recover(configuration);
  } catch (error) {
    throw new Error(`recovery failed: ${messageOf(error)}`, { cause: error });
  }
  await disk.remove(path);
  logger.info("deleted peers.json file after successful recovery", { path });
  return "recovered";
}

/** @throws {Error} which says what is wrong with it */
export function parsePeersJson(text: string, raftProtocol: number): Configuration {
  const parsed: unknown = JSON.parse(text);
  if (!Array.isArray(parsed)) throw new Error("a list of servers was expected");
  const serverOf = raftProtocol < 3 ? serverByAddress : serverById;
  const configuration = { servers: parsed.map(serverOf) };
  const fault = faultOf(configuration);
  if (fault !== undefined) throw new Error(fault);
  return configuration;
}

function serverByAddress(item: unknown, at: number): Server {
  if (typeof item !== "string") {
    throw new Error(`server ${at + 1}: an address was expected, as "10.0.0.1:8300"`);
  }
  return { id: item, address: item, suffrage: "voter" };
}

function serverById(item: unknown, at: number): Server {
  const where = `server ${at + 1}`;
  if (typeof item !== "object" || item === null || Array.isArray(item)) {
    throw new Error(`${where}: an object was expected, as {"id": "…", "address": "10.0.0.1:8300"}`);
  }
  // As Go reads it: in any case, and unknown keys passed over.
  const fields = new Map(Object.entries(item).map(([key, value]) => [key.toLowerCase(), value]));
  const textOf = (key: string): string => {
    const value: unknown = fields.get(key) ?? "";
    if (typeof value !== "string") throw new Error(`${where}: "${key}" is not a string`);
    return value;
  };
  const nonVoter: unknown = fields.get("non_voter") ?? false;
  if (typeof nonVoter !== "boolean") {
    throw new Error(`${where}: "non_voter" is neither true nor false`);
  }
  const suffrage = nonVoter ? "nonvoter" : "voter";
  return { id: textOf("id"), address: textOf("address"), suffrage };
}
