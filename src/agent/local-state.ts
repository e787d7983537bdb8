/**
 * The agent's own services and checks: the truth that the catalog is made to follow. It keeps which of them
 * the catalog has to be told of; telling it is anti-entropy's business.
 */
import { createHash } from "node:crypto";
import type { CheckDefinition, CheckStatus, HealthCheck, NodeService } from "../model/index.ts";
import type { Clock, Instant } from "../platform/index.ts";

/** Where a registration came from: configuration files are read again on reload, the API's stay. */
export type Origin = "config" | "api";

export interface ServiceEntry {
  readonly service: NodeService;
  readonly contentHash: string;
  readonly token: string;
  readonly origin: Origin;
}
export interface CheckEntry {
  readonly check: HealthCheck;
  readonly token: string;
  readonly origin: Origin;
  /** Undefined: nothing runs it (maintenance mode). */
  readonly definition: CheckDefinition | undefined;
  readonly deregisterAfterMs: number;
  readonly criticalSince: Instant | undefined;
  /** Only the output differs from what the catalog has; it is told later. */
  isOutputDeferred: boolean;
}

export class LocalState {
  readonly services = new Map<string, ServiceEntry>();
  readonly checks = new Map<string, CheckEntry>();
  /** IDs of what the catalog does not have as it is here. */
  readonly unsyncedServices = new Set<string>();
  readonly unsyncedChecks = new Set<string>();
  /** Gone here, not yet in the catalog. */
  readonly removedServices = new Set<string>();
  readonly removedChecks = new Set<string>();

  /** IDs of the checks of each service. */
  readonly #checksByService = new Map<string, Set<string>>();
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  putService(
    service: NodeService,
    options: { readonly token: string; readonly origin: Origin },
  ): void {
    this.removedServices.delete(service.ID);
    const { token, origin } = options;
    this.services.set(service.ID, new LocalService(service, token, origin));
    this.unsyncedServices.add(service.ID);
    this.#changed();
  }

  removeService(id: string): void {
    if (!this.services.delete(id)) return;
    this.unsyncedServices.delete(id);
    this.removedServices.add(id);
    this.#changed();
  }

  putCheck(
    check: HealthCheck,
    options: {
      readonly token: string;
      readonly origin: Origin;
      readonly definition: CheckDefinition | undefined;
      readonly deregisterAfterMs: number;
    },
  ): void {
    this.#unlink(check.CheckID);
    this.removedChecks.delete(check.CheckID);
    this.unsyncedChecks.add(check.CheckID);
    this.checks.set(check.CheckID, {
      ...options,
      check,
      criticalSince: check.Status === "critical" ? this.#clock.now() : undefined,
      isOutputDeferred: false,
    });
    if (check.ServiceID !== "") this.#link(check);
    this.#changed();
  }

  removeCheck(id: string): void {
    this.#unlink(id);
    if (!this.checks.delete(id)) return;
    this.unsyncedChecks.delete(id);
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
      isOutputDeferred: !isStatusNew,
    });
    if (isStatusNew) this.unsyncedChecks.add(id);
    this.#changed();
    return isStatusNew ? "status" : "output";
  }

  checksOfService(serviceId: string): readonly CheckEntry[] {
    const ids = this.#checksByService.get(serviceId);
    if (ids === undefined) return NO_CHECKS;
    return [...ids].flatMap((id) => this.checks.get(id) ?? []);
  }

  #link({ ServiceID, CheckID }: HealthCheck): void {
    const known = this.#checksByService.get(ServiceID);
    if (known === undefined) this.#checksByService.set(ServiceID, new Set([CheckID]));
    else known.add(CheckID);
  }

  #unlink(id: string): void {
    const serviceId = this.checks.get(id)?.check.ServiceID ?? "";
    const siblings = this.#checksByService.get(serviceId);
    siblings?.delete(id);
    if (siblings?.size === 0) this.#checksByService.delete(serviceId);
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

const NO_CHECKS: readonly CheckEntry[] = [];

class LocalService implements ServiceEntry {
  readonly service: NodeService;
  readonly token: string;
  readonly origin: Origin;
  #contentHash: string | undefined;

  constructor(service: NodeService, token: string, origin: Origin) {
    this.service = service;
    this.token = token;
    this.origin = origin;
  }
  /** Few ask for it, and it costs more than the rest of a registration here. */
  get contentHash(): string {
    return (this.#contentHash ??= hashOf(this.service));
  }
}

const HASH_DIGITS = 16;

function hashOf(service: NodeService): string {
  return createHash("sha256").update(JSON.stringify(service)).digest("hex").slice(0, HASH_DIGITS);
}
