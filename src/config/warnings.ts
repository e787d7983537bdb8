/** What the operator should know of keys that were used although nothing, or not much, comes of them. */
import { isDeepStrictEqual } from "node:util";
import { KEYS } from "./keys.ts";
import type { KeyRow } from "./key-row.ts";
import type { Settings } from "./settings.ts";

/**
 * One line for each such key, in the table's order. A key set to what is so anyway is passed over.
 * Where the missing feature protects something, the line says what is now unprotected.
 */
export function unusedKeyWarnings(settings: Settings): string[] {
  return KEYS.filter(
    (row) =>
      settings.has(row.key) && !isDeepStrictEqual(settings.get(row.key), row.default ?? zero(row)),
  ).flatMap(warningOf);
}

function warningOf({ key, effect }: KeyRow): string[] {
  const quoted = JSON.stringify(key);
  const unused = `config key ${quoted} is known but has no effect in this version`;
  switch (effect.kind) {
    case "later":
      return [effect.consequence === undefined ? unused : `${unused}: ${effect.consequence}`];
    case "lands":
      return effect.unused === true ? [unused] : [];
    case "enterprise":
      return [`${quoted} is a Consul Enterprise configuration and will have no effect`];
    case "derived":
    case "moot":
      return [];
  }
}

function zero({ type }: KeyRow): unknown {
  if (type === "flag") return false;
  return type === "text" || type === "duration" ? "" : undefined;
}
