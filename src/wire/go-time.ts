/**
 * time.Time as Go's codec library writes it: 15 bytes in a raw (Go: Time.MarshalBinary).
 *
 *     0         1                         9               13              15
 *     +---------+-------------------------+---------------+---------------+
 *     | version | seconds since 0001-01-01| nanoseconds   | zone, minutes |
 *     | u8 = 1  | i64                     | u32           | i16, -1 = UTC |
 *     +---------+-------------------------+---------------+---------------+
 *
 * Version 2, which newer Go writes for zones that are no whole minutes, has the odd seconds in a 16th byte.
 */
import { malformed } from "./malformed.ts";

export interface GoTime {
  /** Since 1970; Go's zero time, the first of January of the year 1, is -62135596800. */
  readonly unixSeconds: number;
  readonly nanoseconds: number;
  /** East of Greenwich; undefined is UTC, which Go keeps apart from a zone that happens to have 0. */
  readonly zoneMinutes: number | undefined;
}

const YEAR_1_UNIX_SECONDS = -62_135_596_800;
const NANOSECONDS_MAX = 999_999_999;
const UTC = -1;

export const ZERO_TIME: GoTime = Object.freeze({
  unixSeconds: YEAR_1_UNIX_SECONDS,
  nanoseconds: 0,
  zoneMinutes: undefined,
});

export function decodeGoTime(bytes: Uint8Array): GoTime {
  const [version] = bytes;
  const wellSized =
    (version === 1 && bytes.length === 15) || (version === 2 && bytes.length === 16);
  if (!wellSized) throw malformed("not a time");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const unixSeconds = Number(view.getBigInt64(1)) + YEAR_1_UNIX_SECONDS;
  const nanoseconds = view.getUint32(9);
  if (!Number.isSafeInteger(unixSeconds) || nanoseconds > NANOSECONDS_MAX) {
    throw malformed("a time out of range");
  }
  const zone = view.getInt16(13);
  return { unixSeconds, nanoseconds, zoneMinutes: zone === UTC ? undefined : zone };
}

export function encodeGoTime(time: GoTime): Uint8Array {
  const bytes = new Uint8Array(15);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 1);
  view.setBigInt64(1, BigInt(time.unixSeconds - YEAR_1_UNIX_SECONDS));
  view.setUint32(9, time.nanoseconds);
  view.setInt16(13, time.zoneMinutes ?? UTC);
  return bytes;
}
