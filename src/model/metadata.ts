/**
 * What the metadata of a node or a service may hold (Consul docs: "node_meta", "Services"). The texts are
 * Consul's, and name the node even where a service is meant.
 */
import { compareKeys } from "./key-text.ts";

const MAX_PAIRS = 64;
const MAX_KEY_LENGTH = 128;
const MAX_VALUE_BYTES = 512;
const RESERVED_PREFIX = "consul-";

const encoder = new TextEncoder();

/** @returns why the metadata is refused, or undefined; of several bad pairs the first by key */
export function validateMetadata(
  meta: Readonly<Record<string, string>> | null,
  options: { readonly allowConsulPrefix: boolean },
): string | undefined {
  if (meta === null) return undefined;
  const keys = Object.keys(meta);
  if (keys.length > MAX_PAIRS) {
    return `Node metadata cannot contain more than ${MAX_PAIRS} key/value pairs`;
  }
  for (const key of keys.sort(compareKeys)) {
    const value = meta[key] ?? "";
    const fault = pairFault(key, value, options.allowConsulPrefix);
    if (fault !== undefined) return `Couldn't load metadata pair ('${key}', '${value}'): ${fault}`;
  }
  return undefined;
}

function pairFault(key: string, value: string, allowConsulPrefix: boolean): string | undefined {
  if (key === "") return "Key cannot be blank";
  if (!/^[A-Za-z0-9_-]+$/.test(key)) return "Key contains invalid characters";
  if (key.length > MAX_KEY_LENGTH) return `Key is too long (limit: ${MAX_KEY_LENGTH} characters)`;
  if (key.startsWith(RESERVED_PREFIX) && !allowConsulPrefix) {
    return `Key prefix '${RESERVED_PREFIX}' is reserved for internal use`;
  }
  if (isLongerThan(value, MAX_VALUE_BYTES)) {
    return `Value is too long (limit: ${MAX_VALUE_BYTES} characters)`;
  }
  return undefined;
}

/** A text has between one and three bytes for each of its UTF-16 units: mostly that says enough. */
function isLongerThan(text: string, maxBytes: number): boolean {
  if (text.length * 3 <= maxBytes) return false;
  return text.length > maxBytes || encoder.encode(text).length > maxBytes;
}
