/**
 * How many bytes a user event has on the wire: a message of Serf's whose payload is the event as Consul packs it.
 * Both are MessagePack maps; Consul's with the newer headers of texts and bytes, Serf's with the older ones.
 *
 * Events travel in single datagrams, with others, so Serf refuses those of more than 512 bytes.
 */
import type { UserEvent } from "../model/index.ts";

export const USER_EVENT_MAX_BYTES = 512;
/** What Consul puts before the name of every event of its users. */
const NAME_PREFIX = "consul:event:";

export function userEventSizeBytes(event: UserEvent): number {
  const payload = packedBytes(event);
  const name = NAME_PREFIX.length + utf8Bytes(event.Name);
  const isType = 1;
  const isMap = 1;
  const ltime = keyBytes("LTime") + numberBytes(event.LTime);
  const coalesce = keyBytes("CC") + 1;
  return (
    isType +
    isMap +
    ltime +
    keyBytes("Name") +
    oldHeader(name) +
    name +
    keyBytes("Payload") +
    oldHeader(payload) +
    payload +
    coalesce
  );
}

/** Name and payload as Serf counts them before it packs them. */
export function unpackedSizeBytes(event: UserEvent): number {
  return NAME_PREFIX.length + utf8Bytes(event.Name) + packedBytes(event);
}

function packedBytes(event: UserEvent): number {
  const filters = [
    ["nf", event.NodeFilter],
    ["sf", event.ServiceFilter],
    ["tf", event.TagFilter],
  ] as const;
  const payload = event.Payload?.length ?? 0;
  return (
    1 +
    textBytes("ID", event.ID) +
    textBytes("n", event.Name) +
    (payload === 0 ? 0 : keyBytes("p") + binHeader(payload) + payload) +
    filters.reduce((sum, [key, text]) => sum + (text === "" ? 0 : textBytes(key, text)), 0) +
    keyBytes("v") +
    numberBytes(event.Version)
  );
}

const keyBytes = (key: string): number => 1 + key.length;
const textBytes = (key: string, text: string): number => {
  const size = utf8Bytes(text);
  return keyBytes(key) + newHeader(size) + size;
};
const oldHeader = (size: number): number => (size < 32 ? 1 : size < 65_536 ? 3 : 5);
const newHeader = (size: number): number => (size >= 32 && size < 256 ? 2 : oldHeader(size));
const binHeader = (size: number): number => (size < 256 ? 2 : size < 65_536 ? 3 : 5);
const numberBytes = (value: number): number =>
  value < 128 ? 1 : value < 256 ? 2 : value < 65_536 ? 3 : value < 2 ** 32 ? 5 : 9;

const encoder = new TextEncoder();
const utf8Bytes = (text: string): number => encoder.encode(text).length;
