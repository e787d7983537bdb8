/**
 * A snapshot archive is a gzip of a tar with three files (wire/fsm.md section 3):
 *
 *     meta.json    what the state stands for, as hashicorp/raft says it
 *     state.bin    the state machine's bytes
 *     SHA256SUMS   `<hex>  <name>` of both
 */
import { RollcallError } from "../errors/index.ts";
import type { SnapshotMetaJson } from "../wire/index.ts";

export const META = "meta.json";
export const STATE = "state.bin";
export const SUMS = "SHA256SUMS";

/** An archive that cannot be used. The texts are Consul's where it has one. */
export function unusable(text: string): RollcallError {
  return new RollcallError("request/refused", text);
}

export function encodeMeta(meta: SnapshotMetaJson): Uint8Array {
  const { Version, ID, Index, Term, Peers, Configuration, ConfigurationIndex, Size } = meta;
  const Servers = Configuration.Servers.map(({ Suffrage, ID: id, Address }) => ({
    Suffrage,
    ID: id,
    Address,
  }));
  const ordered: SnapshotMetaJson = {
    Version,
    ID,
    Index,
    Term,
    Peers,
    Configuration: { Servers },
    ConfigurationIndex,
    Size,
  };
  return Buffer.from(`${JSON.stringify(ordered)}\n`);
}

/** @throws {RollcallError} `request/refused` */
export function decodeMeta(bytes: Uint8Array): SnapshotMetaJson {
  const fault = (what: string): RollcallError =>
    unusable(`failed to decode snapshot metadata: ${what}`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(bytes).toString());
  } catch (error) {
    throw fault(error instanceof Error ? error.message : String(error));
  }
  if (!isMeta(parsed)) throw fault("a field is missing, or is of another type");
  if (parsed.Version !== 1) throw fault(`unsupported snapshot version ${parsed.Version}`);
  return parsed;
}

type Unknown<T> = { readonly [K in keyof T]?: unknown };

function isMeta(value: unknown): value is SnapshotMetaJson {
  if (typeof value !== "object" || value === null) return false;
  const meta = value as Unknown<SnapshotMetaJson>;
  const counts = [meta.Version, meta.Index, meta.Term, meta.ConfigurationIndex, meta.Size];
  const texts = [meta.ID, meta.Peers];
  const { Servers } = (meta.Configuration ?? {}) as Unknown<SnapshotMetaJson["Configuration"]>;
  return (
    counts.every((count) => Number.isSafeInteger(count) && (count as number) >= 0) &&
    texts.every((text) => typeof text === "string") &&
    Array.isArray(Servers) &&
    Servers.every(isServer)
  );
}

function isServer(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { Suffrage, ID, Address } = value as Unknown<
    SnapshotMetaJson["Configuration"]["Servers"][number]
  >;
  return typeof ID === "string" && typeof Address === "string" && Number.isSafeInteger(Suffrage);
}
