/**
 * Labels (memberlist 0.3 and later: label.go): the name of a cluster in front of each packet and stream, outside
 * of the encryption, so that nodes of another cluster are turned away before anything else is looked at.
 *
 *     0         1         2
 *     +---------+---------+------------------+----------------------
 *     | u8 = 244| length  | label, 1..255    | the packet or stream
 *     +---------+---------+------------------+----------------------
 *
 * The label is also authenticated: it is the additional data of a sealed packet, and follows the header in
 * that of a sealed stream. Consul 1.8 and Serf 0.9 have none, and take the byte for an unknown message type.
 */
import { EndsEarly, malformed } from "./malformed.ts";

const LABEL_BYTE = 244;
const LABEL_BYTES_MAX = 255;
const NO_LABEL = new Uint8Array(0);

/** @param label empty: `message` as it is */
export function withLabel(label: Uint8Array, message: Uint8Array): Uint8Array {
  if (label.length === 0) return message;
  if (label.length > LABEL_BYTES_MAX) throw new RangeError("a label has at most 255 bytes");
  return Buffer.concat([Uint8Array.of(LABEL_BYTE, label.length), label, message]);
}

/**
 * @returns the label, empty if there is none, and where what it is a label of begins
 * @throws {RollcallError} `wire/malformed`, as `EndsEarly` while the label is not all there
 */
export function readLabel(bytes: Uint8Array): { readonly label: Uint8Array; readonly end: number } {
  if (bytes[0] !== LABEL_BYTE) return { label: NO_LABEL, end: 0 };
  const length = bytes[1];
  if (length === undefined) throw new EndsEarly(2);
  if (length === 0) throw malformed("an empty label");
  const end = 2 + length;
  if (bytes.length < end) throw new EndsEarly(end);
  return { label: bytes.subarray(2, end), end };
}

/** Takes the label off, if it is the one that is wanted; `wanted` empty: there must be none. */
export function takeLabel(bytes: Uint8Array, wanted: Uint8Array): Uint8Array {
  if (wanted.length === 0) return bytes;
  const { label, end } = readLabel(bytes);
  if (Buffer.compare(label, wanted) !== 0) throw malformed("the label of another cluster, or none");
  return bytes.subarray(end);
}
