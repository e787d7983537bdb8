/** Node metadata as TXT records (RFC 1464, with the escapes that Consul uses). */
import type { Node } from "../model/index.ts";
import type { Name } from "./names.ts";
import type { RecordOf } from "./records.ts";

/** Keys with this prefix name an RFC 1035 text: the value stands alone. */
const PLAIN_KEY_PREFIX = "rfc1035-";

/** A record's data ends at 64 KiB; long before that, nobody reads it over DNS. */
const TEXT_MAX_CHARACTERS = 8192;

export function metaRecords(node: Node, name: Name, ttlS: number): RecordOf<"TXT">[] {
  return Object.entries(node.Meta ?? {})
    .map(([key, value]) => metaText(key, value))
    .filter((text) => text.length <= TEXT_MAX_CHARACTERS)
    .map((data) => ({ name, type: "TXT", ttlS, data }));
}

/** `key=value`; in the key, "=" and outer spaces are quoted with a back-tick, back-ticks are doubled everywhere. */
export function metaText(key: string, value: string): string {
  if (key.toLowerCase().startsWith(PLAIN_KEY_PREFIX)) return value;
  const quoted = key
    .replaceAll("`", "``")
    .replaceAll("=", "`=")
    .replace(/^ +| +$/g, (spaces) => "` ".repeat(spaces.length));
  return `${quoted}=${value.replaceAll("`", "``")}`;
}
