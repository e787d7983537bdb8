/** The checks of this agent that are running, and what becomes of their results. */
import {
  FirstRuns,
  REAP_INTERVAL_MS,
  dueForDeregistration,
  startCheck,
  type CatalogChecks,
  type CheckResult,
  type RunningCheck,
} from "../checks/index.ts";
import type { CheckDefinition, CheckStatus, HealthCheck } from "../model/index.ts";
import type { Logger, Platform } from "../platform/index.ts";
import { DEFAULT_QUERY, type Delegate } from "../rpc/index.ts";
import type { LocalState } from "./local-state.ts";

export interface CheckRunnersNeeds {
  readonly platform: Platform;
  readonly logger: Logger;
  readonly state: LocalState;
  readonly delegate: Delegate;
  readonly outputMaxBytes: number;
  readonly discardOutput: () => boolean;
  /** A status changed: the catalog is to be told at once. */
  readonly onStatus: () => void;
  /** Only an output changed: the catalog can be told later. */
  readonly onOutput: (checkId: string) => void;
  /** A check has been critical for longer than its service may stay. */
  readonly onOverdue: (serviceId: string, checkId: string) => void;
}

const ALIAS_WAIT_MS = 60_000;
const ALIAS_MAX_STALE_MS = 15_000;

export class CheckRunners implements Disposable {
  readonly #needs: CheckRunnersNeeds;
  readonly #running = new Map<string, RunningCheck>();
  readonly #firstRuns: FirstRuns;
  #reaper: Disposable;

  constructor(needs: CheckRunnersNeeds) {
    this.#needs = needs;
    const { clock, random } = needs.platform;
    this.#firstRuns = new FirstRuns(clock, random.fork("first runs of checks"));
    this.#reaper = this.#scheduleReaper();
  }

  get counts(): { checks: number; ttlChecks: number; monitors: number } {
    const ttlChecks = [...this.#running.values()].filter(({ setTtl }) => setTtl !== undefined);
    const checks = this.#running.size;
    return { checks, ttlChecks: ttlChecks.length, monitors: checks - ttlChecks.length };
  }

  /** Starts the check; one that runs under the same id is stopped first. */
  start(check: HealthCheck, definition: CheckDefinition): void {
    const { platform, state, outputMaxBytes } = this.#needs;
    const { CheckID } = check;
    this.stop(CheckID);
    const ownMax = definition.OutputMaxSize;
    const running = startCheck({
      platform,
      logger: this.#needs.logger,
      checkId: CheckID,
      definition,
      firstRuns: this.#firstRuns,
      outputMaxBytes: ownMax > 0 ? Math.min(ownMax, outputMaxBytes) : outputMaxBytes,
      initial: { status: check.Status as CheckStatus, output: check.Output },
      report: (result) => this.#report(CheckID, result),
      localChecks: {
        read: () => ({
          checks: [...state.checks.values()].map((entry) => entry.check),
          hasService: (id) => state.services.has(id),
        }),
        onChange: (changed) => state.onChange(changed),
      },
      catalogChecks: this.#catalogChecks,
    });
    this.#running.set(CheckID, running);
  }

  stop(checkId: string): void {
    this.#running.get(checkId)?.[Symbol.dispose]();
    this.#running.delete(checkId);
  }

  /** What the API's pass, warn, fail and update do; undefined for a check without a TTL. */
  ttl(checkId: string): ((result: CheckResult) => void) | undefined {
    return this.#running.get(checkId)?.setTtl;
  }

  [Symbol.dispose](): void {
    this.#reaper[Symbol.dispose]();
    for (const id of this.#running.keys()) this.stop(id);
  }

  #report(checkId: string, { status, output }: CheckResult): void {
    const { state, discardOutput } = this.#needs;
    const told = state.updateCheck(checkId, status, discardOutput() ? "" : output);
    if (told === "status") this.#needs.onStatus();
    else if (told === "output") this.#needs.onOutput(checkId);
  }

  readonly #catalogChecks: CatalogChecks = async (node, newerThan, signal) => {
    const { delegate } = this.#needs;
    const query = {
      ...DEFAULT_QUERY,
      Consistency: "stale" as const,
      MaxStaleMs: ALIAS_MAX_STALE_MS,
      Node: node,
    };
    const waiting = { ...query, MinQueryIndex: newerThan, MaxQueryTimeMs: ALIAS_WAIT_MS };
    const checks = await delegate.call("Health.NodeChecks", waiting, { signal });
    const services = await delegate.call("Catalog.NodeServices", query, { signal });
    const known = services.value.NodeServices?.Services ?? {};
    return {
      checks: checks.value.HealthChecks,
      hasService: (id) => Object.hasOwn(known, id),
      index: checks.meta.Index,
    };
  };

  #scheduleReaper(): Disposable {
    return this.#needs.platform.clock.after(REAP_INTERVAL_MS, () => {
      this.#reaper = this.#scheduleReaper();
      const { state, platform, onOverdue } = this.#needs;
      const checks = [...state.checks.values()].map((entry) => ({
        checkId: entry.check.CheckID,
        serviceId: entry.check.ServiceID,
        criticalSince: entry.criticalSince,
        deregisterAfterMs: entry.deregisterAfterMs,
      }));
      for (const due of dueForDeregistration(checks, platform.clock.now())) {
        onOverdue(due.serviceId, due.checkId);
      }
    });
  }
}
