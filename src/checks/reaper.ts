/**
 * Which services are to be taken off this agent because one of their checks has been critical for too long
 * (`deregister_critical_service_after`). Decisions only: the agent asks every `REAP_INTERVAL_MS`, and takes
 * the service away with all its checks.
 *
 * A restarted agent starts to count anew: no service is lost because the agent itself was away.
 */
import { MILLISECOND, type CheckDefinition, type CheckStatus } from "../model/index.ts";
import type { Instant } from "../platform/index.ts";

export const REAP_INTERVAL_MS = 30_000;
/** A shorter time in a definition is raised to this, lest a deploy's restart deregisters its service. */
export const MIN_DEREGISTER_AFTER_MS = 60_000;

/** What the agent keeps of a check for this purpose. */
export interface ReapableCheck {
  readonly checkId: string;
  /** Empty on a node's checks, which are never reaped. */
  readonly serviceId: string;
  /** Since when every result has been critical; undefined unless the last one was. */
  readonly criticalSince: Instant | undefined;
  /** 0: never. */
  readonly deregisterAfterMs: number;
}

export interface DueService {
  readonly serviceId: string;
  /** The check that decided it; the first, if several would. */
  readonly checkId: string;
}

/** Milliseconds, the minimum applied; 0 when the definition does not ask for it. */
export function deregisterAfterMs(definition: CheckDefinition): number {
  const asked = definition.DeregisterCriticalServiceAfter / MILLISECOND;
  return asked > 0 ? Math.max(asked, MIN_DEREGISTER_AFTER_MS) : 0;
}

/** `ReapableCheck.criticalSince` after one more result. */
export function criticalSince(
  before: Instant | undefined,
  status: CheckStatus,
  now: Instant,
): Instant | undefined {
  return status === "critical" ? (before ?? now) : undefined;
}

/** Each service once, in the order of the checks. */
export function dueForDeregistration(
  checks: Iterable<ReapableCheck>,
  now: Instant,
): readonly DueService[] {
  const due = new Map<string, DueService>();
  for (const { checkId, serviceId, criticalSince: since, deregisterAfterMs: afterMs } of checks) {
    if (serviceId === "" || afterMs <= 0 || since === undefined || due.has(serviceId)) continue;
    if (now - since > afterMs) due.set(serviceId, { serviceId, checkId });
  }
  return [...due.values()];
}
