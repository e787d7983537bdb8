/**
 * What stands in the log and in its membership entries (hashicorp/raft 1.1, log.go and configuration.go), as it is
 * sent in `appendEntries` and as a Consul server keeps it on disk.
 */
import { codecOf } from "./msgpack-codec.ts";
import { bytes, int64, list, nullable, struct, text, uint64, uint8 } from "./msgpack-schema.ts";
import type { ValueOf } from "./msgpack-schema.ts";

/**
 * What an entry is. Index = `Type`: append only.
 *
 * - `command`: for the state machine.
 * - `noop`: a new leader's first entry, with which entries of earlier terms commit.
 * - `addPeer`, `removePeer`: until protocol 1. `Data` is `encodePeers` of the whole new set, all voters.
 * - `barrier`: done once all before it is applied.
 * - `configuration`: `Data` is `encodeConfiguration`; in force from the moment that it is appended.
 */
export const LOG_TYPES = [
  "command",
  "noop",
  "addPeer",
  "removePeer",
  "barrier",
  "configuration",
] as const;
export type LogType = (typeof LOG_TYPES)[number];

export const LOG_ENTRY = struct({
  Index: uint64,
  Term: uint64,
  /** Index into `LOG_TYPES`; peers may know further ones. */
  Type: uint8,
  Data: nullable(bytes),
  /** Which part of a chunked command `Data` is; null for a whole one. */
  Extensions: nullable(bytes),
});
export type LogEntry = ValueOf<typeof LOG_ENTRY>;

/** What a server counts as. Index = `Suffrage`: append only. `staging` is never produced. */
export const SUFFRAGES = ["voter", "nonvoter", "staging"] as const;
export type Suffrage = (typeof SUFFRAGES)[number];

const CONFIGURATION = struct({
  /** `Suffrage` is an index into `SUFFRAGES`. `ID` is the address itself with protocols below 3. */
  Servers: list(struct({ Suffrage: int64, ID: text, Address: text })),
});
export type Configuration = ValueOf<typeof CONFIGURATION>;
export type ConfiguredServer = Configuration["Servers"][number];

const LOG_ENTRY_CODEC = codecOf(LOG_ENTRY);
const CONFIGURATION_CODEC = codecOf(CONFIGURATION);
const PEERS_CODEC = codecOf(list(bytes));

/** @throws {RollcallError} `wire/malformed`, as do all that decode */
export function decodeLogEntry(encoded: Uint8Array): LogEntry {
  return LOG_ENTRY_CODEC.decode(encoded);
}

export function encodeLogEntry(entry: LogEntry): Uint8Array {
  return LOG_ENTRY_CODEC.encode(entry);
}

export function decodeConfiguration(encoded: Uint8Array): Configuration {
  return CONFIGURATION_CODEC.decode(encoded);
}

export function encodeConfiguration(configuration: Configuration): Uint8Array {
  return CONFIGURATION_CODEC.encode(configuration);
}

/** @returns "ip:port" of each */
export function decodePeers(encoded: Uint8Array): readonly string[] {
  return PEERS_CODEC.decode(encoded).map((address) => Buffer.from(address).toString());
}

export function encodePeers(addresses: readonly string[]): Uint8Array {
  return PEERS_CODEC.encode(addresses.map((address) => Buffer.from(address)));
}
