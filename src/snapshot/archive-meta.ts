/**
 * A snapshot archive is a gzip of a tar with three files (wire/fsm.md section 3):
 *
 *     meta.json    what the state stands for, as hashicorp/raft says it
 *     state.bin    the state machine's bytes
 *     SHA256SUMS   `<hex>  <name>` of both
 */
import { RollcallError } from "../errors/index.ts";

export const META = "meta.json";
export const STATE = "state.bin";
export const SUMS = "SHA256SUMS";

/** Keys in hashicorp/raft's order. */
export interface ArchiveMeta {
  readonly Version: number;
  readonly ID: string;
  readonly Index: number;
  readonly Term: number;
  /** base64 of the voters' addresses as raft had them in its first protocols. */
  readonly Peers: string;
  readonly Configuration: {
    readonly Servers: readonly {
      /** 0 voter, 1 nonvoter, 2 staging. */
      readonly Suffrage: number;
      readonly ID: string;
      readonly Address: string;
    }[];
  };
  readonly ConfigurationIndex: number;
  /** Bytes of the state. */
  readonly Size: number;
}

/** An archive that cannot be used. The texts are Consul's where it has one. */
export function unusable(text: string): RollcallError {
  return new RollcallError("request/refused", text);
}

export function encodeMeta(meta: ArchiveMeta): Uint8Array {
  const { Version, ID, Index, Term, Peers, Configuration, ConfigurationIndex, Size } = meta;
  const Servers = Configuration.Servers.map(({ Suffrage, ID: id, Address }) => ({
    Suffrage,
    ID: id,
    Address,
  }));
  const ordered: ArchiveMeta = {
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
export function decodeMeta(bytes: Uint8Array): ArchiveMeta {
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

function isMeta(value: unknown): value is ArchiveMeta {
  if (typeof value !== "object" || value === null) return false;
  const meta = value as Unknown<ArchiveMeta>;
  const counts = [meta.Version, meta.Index, meta.Term, meta.ConfigurationIndex, meta.Size];
  const texts = [meta.ID, meta.Peers];
  const { Servers } = (meta.Configuration ?? {}) as Unknown<ArchiveMeta["Configuration"]>;
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
    ArchiveMeta["Configuration"]["Servers"][number]
  >;
  return typeof ID === "string" && typeof Address === "string" && Number.isSafeInteger(Suffrage);
}
