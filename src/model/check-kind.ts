/** The `Type` that a check shows, from what selects it; the first that applies (Consul 1.8's order). */
import type { HealthCheckDefinition } from "./catalog.ts";

const SELECTORS: readonly (readonly [
  type: string,
  isSet: (of: HealthCheckDefinition) => boolean,
])[] = [
  ["grpc", (of) => of.GRPC !== ""],
  ["http", (of) => of.HTTP !== ""],
  ["ttl", (of) => of.TTL > 0],
  ["tcp", (of) => of.TCP !== ""],
  ["alias", (of) => of.AliasNode !== "" || of.AliasService !== ""],
  ["docker", (of) => of.DockerContainerID !== "" && (of.ScriptArgs?.length ?? 0) > 0],
  ["script", (of) => (of.ScriptArgs?.length ?? 0) > 0],
];

/** Empty for a check that says nothing of how it is run. */
export function checkTypeOfCatalog(definition: HealthCheckDefinition): string {
  return SELECTORS.find(([, isSet]) => isSet(definition))?.[0] ?? "";
}
