/** UUIDs: how they are made and what Consul says of a text that is none. */

/** Version 4 from 16 random bytes (RFC 9562 §5.4). */
export function uuidFrom(random: Uint8Array): string {
  const hex = Array.from(random.subarray(0, 16), (byte, i) => {
    const value = i === 6 ? (byte & 0x0f) | 0x40 : i === 8 ? (byte & 0x3f) | 0x80 : byte;
    return value.toString(16).padStart(2, "0");
  }).join("");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20, 32),
  ].join("-");
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** What is wrong with a node's ID, in Consul's words. */
export function uuidFault(text: string): string | undefined {
  if (text.length !== 36) return "uuid string is wrong length";
  return UUID.test(text) ? undefined : "uuid is improperly formatted";
}

/** What is wrong with an ID that a table is looked up by, in Consul's words. */
export function uuidLookupFault(text: string): string | undefined {
  if (text.length !== 36) return "index error: UUID must be 36 characters";
  const hyphens = text.split("-").length - 1;
  if (hyphens > 4) return `index error: UUID should have maximum of 4 "-"; got ${hyphens}`;
  const hex = text.replaceAll("-", "");
  if (hex.length % 2 !== 0) return "index error: UUID (without hyphens) must be even length";
  return /^[0-9a-f]*$/i.test(hex) ? undefined : "index error: Invalid UUID";
}
