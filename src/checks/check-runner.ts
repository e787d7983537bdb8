/** What every check type has in common: it is started, it reports, it is closed. */
import type { CheckDefinition, CheckStatus } from "../model/index.ts";
import type { Logger, Platform } from "../platform/index.ts";

export interface CheckResult {
  readonly status: CheckStatus;
  readonly output: string;
}

export interface CheckContext {
  readonly platform: Platform;
  readonly logger: Logger;
  readonly checkId: string;
  readonly definition: CheckDefinition;
  /** The smaller of the agent's and the definition's limit. */
  readonly outputMaxBytes: number;
  /** Status and output now, before the first result. */
  readonly initial: CheckResult;
  /** Called with every result that the thresholds let through, changed or not. */
  readonly report: (result: CheckResult) => void;
}

/** A check that is running. Disposing it stops timers, sockets and children; no report follows. */
export interface RunningCheck extends Disposable {
  /** Present on TTL checks only: what the API's pass, warn, fail and update do. */
  readonly setTtl?: (result: CheckResult) => void;
}
