/** Log command 9, Autopilot: its configuration, of which there is one. */
import type { AutopilotRequest } from "../model/index.ts";
import { row } from "./index-rows.ts";
import { AUTOPILOT_KEY } from "./tables.ts";
import type { WriteTx } from "./write-tx.ts";

/** @returns whether it was written */
export function applyAutopilot(tx: WriteTx, { Config, CAS }: AutopilotRequest): boolean {
  const known = tx.tables.autopilot.get(AUTOPILOT_KEY);
  if (CAS && known?.ModifyIndex !== Config.ModifyIndex) return false;
  tx.put(tx.tables.autopilot, {
    ...Config,
    CreateIndex: known?.CreateIndex ?? tx.index,
    ModifyIndex: tx.index,
  });
  tx.bump(row.autopilot);
  return true;
}
