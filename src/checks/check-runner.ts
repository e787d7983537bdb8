/** What every check type has in common: it is started, it reports, it is closed. */
import type { CheckDefinition, CheckStatus, HealthCheck } from "../model/index.ts";
import type { Logger, Platform } from "../platform/index.ts";
import type { FirstRuns } from "./first-runs.ts";

export interface CheckResult {
  readonly status: CheckStatus;
  readonly output: string;
}

export interface CheckContext {
  readonly platform: Platform;
  readonly logger: Logger;
  readonly checkId: string;
  readonly definition: CheckDefinition;
  /** Says when the check runs first. Shared by all of the agent's checks. */
  readonly firstRuns: FirstRuns;
  /** The smaller of the agent's and the definition's limit. */
  readonly outputMaxBytes: number;
  /** Status and output now, before the first result. */
  readonly initial: CheckResult;
  /** Called with every result that the thresholds let through, changed or not. */
  readonly report: (result: CheckResult) => void;
  /** What an alias of a service of this agent reads. Needed by alias checks only. */
  readonly localChecks?: LocalChecks;
  /** What an alias with `AliasNode` reads. Needed by such checks only. */
  readonly catalogChecks?: CatalogChecks;
}

/** A check that is running. Disposing it stops timers, sockets and children; no report follows. */
export interface RunningCheck extends Disposable {
  /** Present on TTL checks only: what the API's pass, warn, fail and update do. */
  readonly setTtl?: (result: CheckResult) => void;
}

/** How a check type is started. It reports nothing before it returns. */
export type StartCheck = (context: CheckContext) => RunningCheck;

/** The checks that an alias may count, and whether a service of that ID is there at all. */
export interface AliasedChecks {
  readonly checks: Iterable<AliasedCheck>;
  readonly hasService: (serviceId: string) => boolean;
}
export type AliasedCheck = Pick<
  HealthCheck,
  "CheckID" | "Name" | "ServiceID" | "Status" | "Output"
>;

export interface LocalChecks {
  /** The agent's own checks and services as they are now. */
  read(): AliasedChecks;
  /** Calls `changed` after any of them came, went or changed. It may be called from within a report. */
  onChange(changed: () => void): Disposable;
}

/**
 * The checks and services of `node` in the catalog, stale reads allowed. Resolves once they are newer than
 * `newerThan`, or after a minute; rejects when the catalog cannot be asked or the signal aborts.
 */
export type CatalogChecks = (
  node: string,
  newerThan: number,
  signal: AbortSignal,
) => Promise<AliasedChecks & { readonly index: number }>;
