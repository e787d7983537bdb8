/**
 * Services and checks from the configuration files: registered at the start (`restore.ts`) and again on
 * reload, when those that are no longer written there go. What the API registered stays.
 */
import { RollcallError, messageOf } from "../errors/index.ts";
import type { CheckDefinition, ServiceDefinition } from "../model/index.ts";
import type { LocalServices } from "./local-services.ts";
import type { LocalState } from "./local-state.ts";

export interface Configured {
  readonly services: readonly ServiceDefinition[];
  readonly checks: readonly CheckDefinition[];
}

/** @throws {RollcallError} `config/invalid`, naming the definition that cannot be registered */
export async function registerConfigured(
  services: LocalServices,
  state: LocalState,
  configured: Configured,
): Promise<void> {
  const wantedServices = new Set(configured.services.map(({ ID, Name }) => ID || Name));
  const wantedChecks = new Set(configured.checks.map(({ CheckID, Name }) => CheckID || Name));
  for (const [id, { origin }] of state.services) {
    if (origin === "config" && !wantedServices.has(id)) await services.deregisterService(id);
  }
  for (const [id, { origin, check }] of state.checks) {
    const isOfService = wantedServices.has(check.ServiceID);
    if (origin === "config" && !isOfService && !wantedChecks.has(id)) {
      await services.deregisterCheck(id);
    }
  }
  await registerConfiguredServices(services, configured);
  await registerConfiguredChecks(services, configured);
}

/** @throws {RollcallError} `config/invalid` */
export async function registerConfiguredServices(
  services: LocalServices,
  configured: Configured,
): Promise<void> {
  for (const service of configured.services) {
    await naming(`Failed to register service "${service.Name}"`, () =>
      services.registerService(service, { origin: "config", replaceExistingChecks: true }),
    );
  }
}

/** @throws {RollcallError} `config/invalid` */
export async function registerConfiguredChecks(
  services: LocalServices,
  configured: Configured,
): Promise<void> {
  for (const check of configured.checks) {
    await naming(`Failed to register check '${check.Name}'`, () =>
      services.registerCheck(check, "config"),
    );
  }
}

async function naming(what: string, register: () => Promise<void>): Promise<void> {
  try {
    await register();
  } catch (error) {
    throw new RollcallError("config/invalid", `${what}: ${messageOf(error)}`, { cause: error });
  }
}
