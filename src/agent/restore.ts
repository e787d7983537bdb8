/**
 * What the agent has at its start: first what the configuration says, then what the API registered before.
 * Services come before checks, as a configured check may be of a registered service. What the configuration
 * says wins: the registration of the same ID is forgotten.
 */
import { messageOf } from "../errors/index.ts";
import {
  registerConfiguredChecks,
  registerConfiguredServices,
  type Configured,
} from "./configured.ts";
import type { LocalServices } from "./local-services.ts";
import type { LocalState } from "./local-state.ts";
import type { Found, Persisted } from "./persisted.ts";

export interface Registrations {
  readonly services: LocalServices;
  readonly state: LocalState;
  readonly persisted: Persisted;
  readonly configured: Configured;
}

/** @throws {RollcallError} `config/invalid`; what cannot be restored is logged and set aside */
export async function restoreRegistrations(registrations: Registrations): Promise<void> {
  const { services, state, persisted, configured } = registrations;
  await registerConfiguredServices(services, configured);
  for (const found of persisted.services) {
    await restore(persisted, found, state.services.has(found.id), () =>
      services.restoreService(found.kept),
    );
    await persisted.settle(found, { services: [found.id], checks: [] });
  }
  await registerConfiguredChecks(services, configured);
  for (const found of persisted.checks) {
    await restore(persisted, found, state.checks.has(found.id), () =>
      services.restoreCheck(found.kept),
    );
    await persisted.settle(found, { services: [], checks: [found.id] });
  }
}

async function restore<T>(
  persisted: Persisted,
  { path }: Found<T>,
  isConfigured: boolean,
  put: () => void,
): Promise<void> {
  if (isConfigured) return;
  try {
    put();
  } catch (error) {
    await persisted.setAside(path, messageOf(error));
  }
}
