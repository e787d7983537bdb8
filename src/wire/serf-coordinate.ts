/**
 * Network coordinates as the payload of an ack (serf: ping_delegate.go): a version byte, 1, and a msgpack map.
 * What the numbers mean, and which are refused, is serf's matter.
 */
import { malformed } from "./malformed.ts";
import { codecOf } from "./msgpack-codec.ts";
import { MsgpackReader } from "./msgpack-reader.ts";
import { float64, list, struct, type ValueOf } from "./msgpack-schema.ts";
import { MsgpackWriter } from "./msgpack-writer.ts";

const VERSION = 1;
const COORDINATE = struct({
  /** Seconds, one for each dimension. */
  Vec: list(float64),
  Error: float64,
  Adjustment: float64,
  Height: float64,
});
const CODEC = codecOf(COORDINATE);
export type WireCoordinate = ValueOf<typeof COORDINATE>;

/** @throws {RollcallError} `wire/malformed`, also for another version */
export function decodeCoordinate(payload: Uint8Array): WireCoordinate {
  if (payload[0] !== VERSION)
    throw malformed(`unknown coordinate version: ${payload[0] ?? "none"}`);
  return CODEC.read(new MsgpackReader(payload, 1));
}

export function encodeCoordinate(coordinate: WireCoordinate): Uint8Array {
  const into = new MsgpackWriter();
  into.byte(VERSION);
  CODEC.write(into, coordinate);
  return into.finish();
}
