/** `enable` and `reason`, which both maintenance endpoints take. */
import { goQuote, parseBool } from "../model/index.ts";
import type { Call } from "./call.ts";
import { bad, TOKEN_PARAMETERS } from "./query-options.ts";
import type { Parameters } from "./route.ts";

export interface MaintenanceWish {
  readonly enable: boolean;
  readonly reason: string;
}

export const maintenanceParameters: Parameters = {
  ...TOKEN_PARAMETERS,
  enable: { description: "Required: true to begin maintenance, false to end it", type: "text" },
  reason: { description: "Shown in the check's notes", type: "text" },
};

/** @throws {RollcallError} `request/bad` */
export function maintenanceWish({ query }: Call): MaintenanceWish {
  if (!query.has("enable")) throw bad("Missing value for enable");
  const text = query.get("enable");
  const { value } = parseBool(text);
  if (value === undefined) throw bad(`Invalid value for enable: ${goQuote(text)}`);
  return { enable: value, reason: query.get("reason") };
}
