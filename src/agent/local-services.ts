/**
 * Registrations of this agent, whoever makes them: the HTTP API, the configuration files, maintenance mode.
 * Each changes the local state, starts or stops the checks, and tells the catalog and the data directory
 * before it resolves.
 */
import { MIN_DEREGISTER_AFTER_MS, deregisterAfterMs } from "../checks/index.ts";
import { RollcallError } from "../errors/index.ts";
import {
  BLANK_CHECK,
  MILLISECOND,
  NODE_MAINTENANCE,
  SERVICE_MAINTENANCE_PREFIX,
  checkTypeOf,
  formatDuration,
  sameRecord,
  validateCheckDefinition,
  type CheckDefinition,
  type CheckStatus,
  type HealthCheck,
  type NodeService,
  type ServiceDefinition,
} from "../model/index.ts";
import type { Logger } from "../platform/index.ts";
import type { CheckRunners } from "./check-runners.ts";
import type { LocalState, Origin, ServiceEntry } from "./local-state.ts";
import type { Persisted } from "./persisted.ts";
import type { KeptCheck, KeptService } from "./persisted-records.ts";
import { prepareService } from "./service-registration.ts";

const bad = (text: string): RollcallError => new RollcallError("request/bad", text);
const refuse = (text: string): RollcallError => new RollcallError("request/refused", text);

export interface ScriptPolicy {
  readonly enableLocalScriptChecks: boolean;
  readonly enableRemoteScriptChecks: boolean;
}
export interface LocalServicesNeeds {
  readonly nodeName: string;
  readonly logger: Logger;
  readonly state: LocalState;
  readonly runners: CheckRunners;
  readonly policy: () => ScriptPolicy;
  readonly persisted: Pick<Persisted, "follow" | "ttlUpdated" | "takeTtlState">;
  readonly sync: () => Promise<void>;
}
export interface RegisterServiceOptions {
  readonly origin: Origin;
  readonly replaceExistingChecks: boolean;
}

const NODE_REASON =
  "Maintenance mode is enabled for this node, but no reason was provided. This is a default message.";
const SERVICE_REASON =
  "Maintenance mode is enabled for this service, but no reason was provided. This is a default message.";

export class LocalServices {
  readonly #needs: LocalServicesNeeds;

  constructor(needs: LocalServicesNeeds) {
    this.#needs = needs;
  }

  async registerService(
    definition: ServiceDefinition,
    options: RegisterServiceOptions,
  ): Promise<void> {
    const { state, logger } = this.#needs;
    const { service, checks, warnings } = prepareService(definition);
    for (const check of checks) this.#requireScriptsAllowed(check, options.origin);
    for (const warning of warnings) logger.warn(warning, { service: definition.Name });
    const { Token: token } = definition;
    if (!this.#isConfiguredAlready(service, token, options.origin)) {
      state.putService(service, { token, origin: options.origin });
    }
    for (const check of checks) this.#addCheck(check, options.origin);
    const touched = checks.map(({ CheckID }) => CheckID);
    if (options.replaceExistingChecks) {
      for (const { check } of state.checksOfService(service.ID)) {
        if (touched.includes(check.CheckID) || check.Type === "maintenance") continue;
        this.#dropCheck(check.CheckID);
        touched.push(check.CheckID);
      }
    }
    await this.#settle([service.ID], touched);
  }

  async deregisterService(serviceId: string): Promise<void> {
    const { state } = this.#needs;
    if (serviceId === "") throw refuse("ServiceID missing");
    const checkIds = state.checksOfService(serviceId).map(({ check }) => check.CheckID);
    for (const id of checkIds) this.#dropCheck(id);
    state.removeService(serviceId);
    await this.#settle([serviceId], checkIds);
  }

  async registerCheck(definition: CheckDefinition, origin: Origin): Promise<void> {
    const CheckID = definition.CheckID === "" ? definition.Name : definition.CheckID;
    if (CheckID === "") throw bad("Missing check name");
    const fault = validateCheckDefinition(definition);
    if (fault !== undefined) throw bad(`Invalid check: ${fault}`);
    this.#requireScriptsAllowed(definition, origin);
    this.#addCheck({ ...definition, CheckID }, origin);
    await this.#settle([], [CheckID]);
  }

  async deregisterCheck(checkId: string): Promise<void> {
    if (checkId === "") throw refuse("CheckID missing");
    this.#dropCheck(checkId);
    await this.#settle([], [checkId]);
  }

  async updateTtl(checkId: string, status: CheckStatus, output: string): Promise<void> {
    const setTtl = this.#needs.runners.ttl(checkId);
    if (setTtl === undefined) {
      throw refuse(`CheckID "${checkId}" does not have associated TTL`);
    }
    setTtl({ status, output });
    const ttlNs = this.#needs.state.checks.get(checkId)?.definition?.TTL ?? 0;
    this.#needs.persisted.ttlUpdated(checkId, ttlNs / MILLISECOND);
    await this.#needs.sync();
  }

  /** A registration of the API from before the agent's start. The catalog is told by the first full sync. */
  restoreService({ service, token }: KeptService): void {
    this.#needs.state.putService(service, { token, origin: "api" });
  }

  /** Critical, whatever it was: a TTL check alone comes back with what it was told and has not expired. */
  restoreCheck({ check, definition, token }: KeptCheck): void {
    if (definition !== undefined) {
      this.#requireScriptsAllowed(definition, "api");
      this.#addCheck(definition, "api", "critical");
      return;
    }
    const { state, nodeName } = this.#needs;
    const instance = this.#instanceOf(check.ServiceID);
    state.putCheck(
      {
        ...check,
        Node: nodeName,
        Status: "critical",
        Output: "",
        ServiceTags: instance?.service.Tags ?? null,
      },
      { token, origin: "api", definition, deregisterAfterMs: 0 },
    );
  }

  async setNodeMaintenance(enable: boolean, reason: string): Promise<void> {
    await this.#setMaintenance(enable, {
      CheckID: NODE_MAINTENANCE,
      Name: "Node Maintenance Mode",
      Notes: reason === "" ? NODE_REASON : reason,
    });
  }

  async setServiceMaintenance(serviceId: string, enable: boolean, reason: string): Promise<void> {
    const entry = this.#needs.state.services.get(serviceId);
    if (entry === undefined) {
      throw new RollcallError("request/not-found", `No service registered with ID "${serviceId}"`);
    }
    await this.#setMaintenance(enable, {
      CheckID: `${SERVICE_MAINTENANCE_PREFIX}${serviceId}`,
      Name: "Service Maintenance Mode",
      Notes: reason === "" ? SERVICE_REASON : reason,
      ServiceID: serviceId,
      ServiceName: entry.service.Service,
      ServiceTags: entry.service.Tags,
    });
  }

  /** Enabling twice keeps the first reason. */
  async #setMaintenance(enable: boolean, what: Partial<HealthCheck>): Promise<void> {
    const { state, nodeName, logger } = this.#needs;
    const id = what.CheckID ?? "";
    if (enable && !state.checks.has(id)) {
      state.putCheck(
        { ...BLANK_CHECK, Node: nodeName, Status: "critical", Type: "maintenance", ...what },
        { token: "", origin: "api", definition: undefined, deregisterAfterMs: 0 },
      );
      logger.info("Maintenance mode enabled", { check: id });
    } else if (!enable && state.checks.has(id)) {
      state.removeCheck(id);
      logger.info("Maintenance mode disabled", { check: id });
    }
    await this.#settle([], [id]);
  }

  #requireScriptsAllowed(definition: CheckDefinition, origin: Origin): void {
    if ((definition.ScriptArgs?.length ?? 0) === 0) return;
    const { enableLocalScriptChecks, enableRemoteScriptChecks } = this.#needs.policy();
    if (origin === "config" && !enableLocalScriptChecks) {
      throw refuse(
        "Scripts are disabled on this agent; to enable, configure 'enable_script_checks' or " +
          "'enable_local_script_checks' to true",
      );
    }
    if (origin === "api" && !enableRemoteScriptChecks) {
      throw refuse(
        "Scripts are disabled on this agent from remote calls; to enable, configure " +
          "'enable_script_checks' to true",
      );
    }
  }

  /** A reload reads the same service again: the catalog need not be told. */
  #isConfiguredAlready(service: NodeService, token: string, origin: Origin): boolean {
    const entry = this.#needs.state.services.get(service.ID);
    return (
      origin === "config" &&
      entry?.origin === "config" &&
      entry.token === token &&
      sameRecord(entry.service, service)
    );
  }

  /**
   * A check that is registered again keeps its status and output until its next result. One that the
   * configuration says again as it was runs on undisturbed.
   */
  #addCheck(definition: CheckDefinition, origin: Origin, initial = definition.Status): void {
    const { state, runners, nodeName } = this.#needs;
    const { CheckID, ServiceID } = definition;
    const instance = this.#instanceOf(ServiceID);
    const entry = state.checks.get(CheckID);
    const known = entry?.check ?? this.#beforeRestart(definition);
    const check: HealthCheck = {
      ...BLANK_CHECK,
      Node: nodeName,
      CheckID,
      Name: definition.Name,
      Notes: definition.Notes,
      Status: known?.Status ?? (initial === "" ? "critical" : initial),
      Output: known?.Output ?? "",
      ServiceID,
      ServiceName: instance?.service.Service ?? "",
      ServiceTags: instance?.service.Tags ?? null,
      Type: checkTypeOf(definition) ?? "",
    };
    const isUnchanged =
      origin === "config" &&
      entry?.origin === "config" &&
      entry.definition !== undefined &&
      sameRecord(entry.definition, definition);
    if (isUnchanged && sameRecord(entry.check, check)) return;
    const token = definition.Token;
    const askedNs = definition.DeregisterCriticalServiceAfter;
    if (askedNs > 0 && askedNs < MIN_DEREGISTER_AFTER_MS * MILLISECOND) {
      this.#needs.logger.warn("check has deregister interval below minimum", {
        check: CheckID,
        minimum_interval: formatDuration(MIN_DEREGISTER_AFTER_MS * MILLISECOND),
      });
    }
    const after = deregisterAfterMs(definition);
    state.putCheck(check, { token, origin, definition, deregisterAfterMs: after });
    if (!isUnchanged) runners.start(check, definition);
  }

  #beforeRestart({
    CheckID,
    TTL,
  }: CheckDefinition): Pick<HealthCheck, "Status" | "Output"> | undefined {
    const told = TTL > 0 ? this.#needs.persisted.takeTtlState(CheckID) : undefined;
    return told && { Status: told.status, Output: told.output };
  }

  #instanceOf(serviceId: string): ServiceEntry | undefined {
    if (serviceId === "") return undefined;
    const instance = this.#needs.state.services.get(serviceId);
    if (instance === undefined) throw refuse(`ServiceID "${serviceId}" does not exist`);
    return instance;
  }

  async #settle(services: readonly string[], checks: readonly string[]): Promise<void> {
    // Both at once; a sync never fails.
    const told = this.#needs.sync();
    await this.#needs.persisted.follow({ services, checks });
    await told;
  }

  #dropCheck(checkId: string): void {
    this.#needs.runners.stop(checkId);
    this.#needs.state.removeCheck(checkId);
  }
}
