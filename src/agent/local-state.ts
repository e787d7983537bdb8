/**
 * The agent's own services and checks: the truth that the catalog is made to follow. Each entry knows
 * whether the catalog agrees; who tells the catalog is anti-entropy's business.
 */
import { createHash } from "node:crypto";
import type { CheckStatus, HealthCheck, NodeService } from "../model/index.ts";
import type { Clock, Instant } from "../platform/index.ts";

/** Where a registration came from: configuration files are read again on reload, the API's stay. */
export type Origin = "config" | "api";

export interface ServiceEntry {
  readonly service: NodeService;
  readonly contentHash: string;
  readonly token: string;
  readonly origin: Origin;
  inSync: boolean;
}
export interface CheckEntry {
  readonly check: HealthCheck;
  readonly token: string;
  readonly origin: Origin;
  readonly deregisterAfterMs: number;
  readonly criticalSince: Instant | undefined;
  inSync: boolean;
  /** Only the output differs from what the catalog has; it is told later. */
  isOutputDeferred: boolean;
}

export class LocalState {
  readonly services = new Map<string, ServiceEntry>();
  readonly checks = new Map<string, CheckEntry>();
  /** Gone here, not yet in the catalog. */
  readonly removedServices = new Set<string>();
  readonly removedChecks = new Set<string>();

  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  putService(
    service: NodeService,
    options: { readonly token: string; readonly origin: Origin },
  ): void {
    const contentHash = hashOf(service);
    this.removedServices.delete(service.ID);
    const { token, origin } = options;
    this.services.set(service.ID, { service, contentHash, token, origin, inSync: false });
    this.#changed();
  }

  removeService(id: string): void {
    if (!this.services.delete(id)) return;
    this.removedServices.add(id);
    this.#changed();
  }

  putCheck(
    check: HealthCheck,
    options: {
      readonly token: string;
      readonly origin: Origin;
      readonly deregisterAfterMs: number;
    },
  ): void {
    this.removedChecks.delete(check.CheckID);
    this.checks.set(check.CheckID, {
      ...options,
      check,
      criticalSince: check.Status === "critical" ? this.#clock.now() : undefined,
      inSync: false,
      isOutputDeferred: false,
    });
    this.#changed();
  }

  removeCheck(id: string): void {
    if (!this.checks.delete(id)) return;
    this.removedChecks.add(id);
    this.#changed();
  }

  /** @returns what of it the catalog has to be told: nothing, the output when there is time, or all at once */
  updateCheck(id: string, status: CheckStatus, output: string): "nothing" | "output" | "status" {
    const entry = this.checks.get(id);
    if (entry === undefined) return "nothing";
    const { check } = entry;
    if (check.Status === status && check.Output === output) return "nothing";
    const isStatusNew = check.Status !== status;
    const criticalSince =
      status !== "critical" ? undefined : (entry.criticalSince ?? this.#clock.now());
    this.checks.set(id, {
      ...entry,
      check: { ...check, Status: status, Output: output },
      criticalSince,
      inSync: entry.inSync && !isStatusNew,
      isOutputDeferred: !isStatusNew,
    });
    this.#changed();
    return isStatusNew ? "status" : "output";
  }

  checksOfService(serviceId: string): CheckEntry[] {
    return [...this.checks.values()].filter(({ check }) => check.ServiceID === serviceId);
  }

  /** Calls `listener` after every change, until disposed. */
  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

const HASH_DIGITS = 16;

function hashOf(service: NodeService): string {
  return createHash("sha256").update(JSON.stringify(service)).digest("hex").slice(0, HASH_DIGITS);
}
