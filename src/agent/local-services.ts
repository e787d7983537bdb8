/**
 * Registrations of this agent, whoever makes them: the HTTP API, the configuration files, maintenance mode.
 * Each changes the local state, starts or stops the checks, and tells the catalog before it resolves.
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
  validateCheckDefinition,
  type CheckDefinition,
  type CheckStatus,
  type HealthCheck,
  type ServiceDefinition,
} from "../model/index.ts";
import type { Logger } from "../platform/index.ts";
import type { CheckRunners } from "./check-runners.ts";
import type { LocalState, Origin } from "./local-state.ts";
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
    state.putService(service, { token: definition.Token, origin: options.origin });
    for (const check of checks) this.#addCheck(check, options.origin);
    if (options.replaceExistingChecks) {
      const wanted = new Set(checks.map(({ CheckID }) => CheckID));
      for (const { check } of state.checksOfService(service.ID)) {
        if (!wanted.has(check.CheckID) && check.Type !== "maintenance") {
          this.#dropCheck(check.CheckID);
        }
      }
    }
    await this.#needs.sync();
  }

  async deregisterService(serviceId: string): Promise<void> {
    const { state } = this.#needs;
    if (serviceId === "") throw refuse("ServiceID missing");
    for (const { check } of state.checksOfService(serviceId)) this.#dropCheck(check.CheckID);
    state.removeService(serviceId);
    await this.#needs.sync();
  }

  async registerCheck(definition: CheckDefinition, origin: Origin): Promise<void> {
    const CheckID = definition.CheckID === "" ? definition.Name : definition.CheckID;
    if (CheckID === "") throw bad("Missing check name");
    const fault = validateCheckDefinition(definition);
    if (fault !== undefined) throw bad(`Invalid check: ${fault}`);
    this.#requireScriptsAllowed(definition, origin);
    this.#addCheck({ ...definition, CheckID }, origin);
    await this.#needs.sync();
  }

  async deregisterCheck(checkId: string): Promise<void> {
    if (checkId === "") throw refuse("CheckID missing");
    this.#dropCheck(checkId);
    await this.#needs.sync();
  }

  async updateTtl(checkId: string, status: CheckStatus, output: string): Promise<void> {
    const setTtl = this.#needs.runners.ttl(checkId);
    if (setTtl === undefined) {
      throw refuse(`CheckID "${checkId}" does not have associated TTL`);
    }
    setTtl({ status, output });
    await this.#needs.sync();
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
        { token: "", origin: "api", deregisterAfterMs: 0 },
      );
      logger.info("Maintenance mode enabled", { check: id });
    } else if (!enable && state.checks.has(id)) {
      state.removeCheck(id);
      logger.info("Maintenance mode disabled", { check: id });
    }
    await this.#needs.sync();
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

  /** A check that is registered again keeps its status and output until its next result. */
  #addCheck(definition: CheckDefinition, origin: Origin): void {
    const { state, runners, nodeName } = this.#needs;
    const { CheckID, ServiceID } = definition;
    const instance = ServiceID === "" ? undefined : state.services.get(ServiceID);
    if (ServiceID !== "" && instance === undefined) {
      throw refuse(`ServiceID "${ServiceID}" does not exist`);
    }
    const known = state.checks.get(CheckID)?.check;
    const check: HealthCheck = {
      ...BLANK_CHECK,
      Node: nodeName,
      CheckID,
      Name: definition.Name,
      Notes: definition.Notes,
      Status: known?.Status ?? (definition.Status === "" ? "critical" : definition.Status),
      Output: known?.Output ?? "",
      ServiceID,
      ServiceName: instance?.service.Service ?? "",
      ServiceTags: instance?.service.Tags ?? null,
      Type: checkTypeOf(definition) ?? "",
    };
    const token = definition.Token;
    const askedNs = definition.DeregisterCriticalServiceAfter;
    if (askedNs > 0 && askedNs < MIN_DEREGISTER_AFTER_MS * MILLISECOND) {
      this.#needs.logger.warn("check has deregister interval below minimum", {
        check: CheckID,
        minimum_interval: formatDuration(MIN_DEREGISTER_AFTER_MS * MILLISECOND),
      });
    }
    state.putCheck(check, { token, origin, deregisterAfterMs: deregisterAfterMs(definition) });
    runners.start(check, definition);
  }

  #dropCheck(checkId: string): void {
    this.#needs.runners.stop(checkId);
    this.#needs.state.removeCheck(checkId);
  }
}
