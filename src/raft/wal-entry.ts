/**
 * An entry as the write-ahead log keeps it beside index and term.
 *
 *     u8 type, bit 7: has extensions │ u32be length, extensions │ data
 */
import type { WalEntry } from "../wal/index.ts";
import { LOG_TYPES } from "../wire/index.ts";
import { RollcallError } from "../errors/index.ts";
import type { Entry } from "./entry.ts";

const HAS_EXTENSIONS = 0x80;
const EXTENSIONS_START = 5;

export function toWalEntry({ index, term, type, data, extensions }: Entry): WalEntry {
  const start = extensions === undefined ? 1 : EXTENSIONS_START + extensions.byteLength;
  const bytes = new Uint8Array(start + data.byteLength);
  bytes[0] = LOG_TYPES.indexOf(type);
  if (extensions !== undefined) {
    bytes[0] |= HAS_EXTENSIONS;
    new DataView(bytes.buffer).setUint32(1, extensions.byteLength);
    bytes.set(extensions, EXTENSIONS_START);
  }
  bytes.set(data, start);
  return { index, term, bytes };
}

/** @throws {RollcallError} `disk/failed` */
export function fromWalEntry({ index, term, bytes }: WalEntry): Entry {
  const [first = 0xff] = bytes;
  const type = LOG_TYPES[first & ~HAS_EXTENSIONS];
  if (type === undefined) throw unreadable(index);
  if ((first & HAS_EXTENSIONS) === 0) return { index, term, type, data: bytes.subarray(1) };
  if (bytes.byteLength < EXTENSIONS_START) throw unreadable(index);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = EXTENSIONS_START + view.getUint32(1);
  if (start > bytes.byteLength) throw unreadable(index);
  const extensions = bytes.subarray(EXTENSIONS_START, start);
  return { index, term, type, data: bytes.subarray(start), extensions };
}

function unreadable(index: number): RollcallError {
  return new RollcallError("disk/failed", `entry ${index} of the log is of another version`);
}
