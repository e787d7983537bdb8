/**
 * Log commands 22, ConfigEntry, and 30, FederationState (rules: wire/fsm.md section 7).
 *
 * That a config entry does not break the discovery chain of a service is for who writes the command to see to.
 */
import type { KeptRecord } from "../model/index.ts";
import { file, recordOf, refuse, strike, tableOf } from "./kept-filing.ts";
import { indexOf, textOf } from "./kept-tables.ts";
import { fold } from "./keys.ts";
import type { WriteTx } from "./write-tx.ts";

/** Kinds that say which services a gateway stands for. */
const GATEWAY_KINDS: ReadonlySet<string> = new Set(["ingress-gateway", "terminating-gateway"]);
const GATEWAY_SERVICES = "gateway-services";

/** @returns whether an upsert was carried out; null of a delete */
export function applyConfigEntry(tx: WriteTx, request: KeptRecord): boolean | null {
  const entry = recordOf(request, "Entry");
  const table = tableOf(tx, "configEntries");
  const key = table.keyOf(entry);
  const op = textOf(request, "Op");
  if (op !== "upsert" && op !== "upsert-cas" && op !== "delete") {
    throw refuse(`invalid config entry operation type: ${op}`);
  }
  const known = table.get(key);
  if (op === "delete") {
    if (known === undefined) return null;
    strike(tx, "configEntries", key);
  } else {
    const seen = known === undefined ? 0 : indexOf(known, "ModifyIndex");
    if (op === "upsert-cas" && seen !== indexOf(entry, "ModifyIndex")) return false;
    file(tx, "configEntries", entry);
  }
  if (GATEWAY_KINDS.has(textOf(entry, "Kind"))) tx.bump(GATEWAY_SERVICES);
  return op === "delete" ? null : true;
}

/** @returns true of an upsert, null of a delete */
export function applyFederationState(tx: WriteTx, request: KeptRecord): true | null {
  const state = recordOf(request, "State");
  const op = textOf(request, "Op");
  if (op === "delete") {
    strike(tx, "federationStates", fold(textOf(state, "Datacenter")));
    return null;
  }
  if (op !== "upsert") throw refuse(`invalid federation state operation type: ${op}`);
  if (textOf(state, "Datacenter") === "") throw refuse("missing datacenter on federation state");
  // Replication hands on the index that it has in the primary datacenter; there, it has none yet.
  const primary = state["PrimaryModifyIndex"];
  const PrimaryModifyIndex =
    typeof primary === "bigint" && primary > 0n ? primary : BigInt(tx.index);
  file(tx, "federationStates", { ...state, PrimaryModifyIndex });
  return true;
}
