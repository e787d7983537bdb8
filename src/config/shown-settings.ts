/** The settings as Consul shows them to people: `/v1/agent/self`, "DebugConfig". */
import { formatDuration, parseDuration } from "../model/index.ts";
import { KEYS } from "./keys.ts";
import type { KeyRow } from "./key-row.ts";
import type { Settings } from "./settings.ts";

/** @returns by key; a duration that is none as it was written */
export function shownSettings(settings: Settings): Readonly<Record<string, unknown>> {
  return Object.fromEntries(KEYS.map((row) => [row.key, shown(row, settings)]));
}

function shown({ key, type }: KeyRow, settings: Settings): unknown {
  const value = settings.get(key);
  switch (type) {
    case "duration": {
      const text = settings.text(key);
      const nanoseconds = text === "" ? 0 : parseDuration(text);
      return nanoseconds === undefined ? text : formatDuration(nanoseconds);
    }
    case "text":
      return value ?? "";
    case "flag":
      return value ?? false;
    case "int":
    case "uint":
    case "uint32":
    case "uint64":
    case "float":
      return value ?? 0;
    case "port":
      return typeof value === "number" && value > 0 ? value : -1;
    case "texts":
    case "anythings":
      return value ?? [];
    case "map":
    case "durations":
    case "anything":
      return value ?? {};
    case "check":
    case "checks":
    case "service":
    case "services":
      return value ?? null;
  }
}
