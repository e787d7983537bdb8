export {
  DEFAULT_NETWORK_TIMEOUT_MS,
  DEFAULT_SCRIPT_TIMEOUT_MS,
  MIN_INTERVAL_MS,
} from "./active-check.ts";
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
export {
  criticalSince,
  deregisterAfterMs,
  dueForDeregistration,
  MIN_DEREGISTER_AFTER_MS,
  REAP_INTERVAL_MS,
} from "./reaper.ts";
export type { DueService, ReapableCheck } from "./reaper.ts";
