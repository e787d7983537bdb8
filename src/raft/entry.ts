/** One entry of the replicated log. What the state machine makes of `data` is its own affair. */
import type { LogType } from "../wire/index.ts";

/** Position in the log, from 1. 0 stands before the first. */
export type Index = number;
/** Counts elections; 0 before the first. */
export type Term = number;

export interface Entry {
  readonly index: Index;
  readonly term: Term;
  readonly type: LogType;
  readonly data: Uint8Array;
  /** Beside a command, for whoever gave it: how it was cut into chunks. */
  readonly extensions?: Uint8Array;
}

/** A place in the log, named so that two logs that have it agree up to it. */
export interface Position {
  readonly index: Index;
  readonly term: Term;
}
export const NOWHERE: Position = { index: 0, term: 0 };
export const NO_DATA = new Uint8Array(0);

/** What is beside the data of an entry in memory and on the wire, about. */
const ENTRY_OVERHEAD_BYTES = 48;

export function entrySizeBytes({ data, extensions }: Entry): number {
  return data.byteLength + (extensions?.byteLength ?? 0) + ENTRY_OVERHEAD_BYTES;
}
