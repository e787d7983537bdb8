/**
 * The two messages of the gRPC health checking protocol (grpc.health.v1.Health/Check), in protobuf:
 *
 *     HealthCheckRequest  { string service = 1; }
 *     HealthCheckResponse { ServingStatus status = 1; }    0 unknown, 1 serving, 2 not serving
 */
const SERVICE_FIELD = (1 << 3) | 2;
const STATUS_FIELD = (1 << 3) | 0;

const SERVING = 1n;

/** An empty service asks about the server as a whole, and is left out. */
export function encodeHealthRequest(service: string): Uint8Array {
  const bytes = Buffer.from(service);
  if (bytes.length === 0) return bytes;
  const length: number[] = [];
  let rest = bytes.length;
  for (; rest > 0x7f; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([SERVICE_FIELD, ...length, rest]), bytes]);
}

/** @returns undefined if the bytes are no message */
export function isServing(message: Uint8Array): boolean | undefined {
  let status = 0n;
  let at = 0;
  const varint = (): bigint | undefined => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at];
      if (byte === undefined) return undefined;
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return undefined;
  };
  while (at < message.length) {
    const key = varint();
    if (key === undefined || key >> 3n === 0n) return undefined;
    const value = key & 7n;
    if (value === 0n) {
      const number = varint();
      if (number === undefined) return undefined;
      if (key === BigInt(STATUS_FIELD)) status = number;
    } else {
      const length = value === 1n ? 8n : value === 5n ? 4n : value === 2n ? varint() : undefined;
      if (length === undefined || length > BigInt(message.length - at)) return undefined;
      at += Number(length);
    }
  }
  return status === SERVING;
}
