export type {
  AliasedCheck,
  AliasedChecks,
  CatalogChecks,
  CheckContext,
  CheckResult,
  LocalChecks,
  RunningCheck,
} from "./check-runner.ts";
export { startCheck } from "./check-types.ts";
export { FirstRuns } from "./first-runs.ts";
export {
  deregisterAfterMs,
  dueForDeregistration,
  MIN_DEREGISTER_AFTER_MS,
  REAP_INTERVAL_MS,
} from "./reaper.ts";
export type { DueService, ReapableCheck } from "./reaper.ts";
