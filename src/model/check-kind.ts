/** The `Type` that a check shows, from what selects it; the first that applies (Consul 1.8's order). */
import type { HealthCheckDefinition } from "./catalog.ts";

/** Empty for a check that says nothing of how it is run. */
export function checkTypeOfCatalog(of: HealthCheckDefinition): string {
  if (of.GRPC !== "") return "grpc";
  if (of.HTTP !== "") return "http";
  if (of.TTL > 0) return "ttl";
  if (of.TCP !== "") return "tcp";
  if (of.AliasNode !== "" || of.AliasService !== "") return "alias";
  if ((of.ScriptArgs?.length ?? 0) === 0) return "";
  return of.DockerContainerID === "" ? "script" : "docker";
}
