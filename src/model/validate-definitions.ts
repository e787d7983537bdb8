/**
 * What a service or check definition may not say, in Consul's words, and what it leaves unsaid: type, ids and
 * names of its checks. One place for the agent's HTTP API and for configuration files; callers put their own
 * prefix before the texts (`Invalid check: …`, `Invalid weight definition for service web: …`).
 */
import { errorList } from "../errors/index.ts";
import type { Weights } from "./catalog.ts";
import type { CheckDefinition, ServiceDefinition } from "./definitions.ts";
import { validateMetadata } from "./metadata.ts";

export type CheckType =
  | "script"
  | "http"
  | "tcp"
  | "udp"
  | "ttl"
  | "grpc"
  | "h2ping"
  | "os_service"
  | "docker"
  | "alias";

/** @returns undefined when no type is selected: an active type counts only with its interval */
export function checkTypeOf(def: CheckDefinition): CheckType | undefined {
  const scheduled = def.Interval > 0;
  const script = hasScript(def);
  if (def.GRPC !== "" && scheduled) return "grpc";
  if (def.HTTP !== "" && scheduled) return "http";
  if (def.TTL > 0) return "ttl";
  if (def.TCP !== "" && scheduled) return "tcp";
  if (def.UDP !== "" && scheduled) return "udp";
  if (isAlias(def)) return "alias";
  if (script && def.DockerContainerID !== "" && scheduled) return "docker";
  if (script && scheduled) return "script";
  if (def.H2PING !== "" && scheduled) return "h2ping";
  return def.OSService !== "" && scheduled ? "os_service" : undefined;
}

/** @returns what is wrong, or undefined */
export function validateCheckDefinition(def: CheckDefinition): string | undefined {
  const ofLater = def.UDP !== "" || def.H2PING !== "" || def.OSService !== "";
  const ofConsul18 = hasScript(def) || def.HTTP !== "" || def.TCP !== "" || def.GRPC !== "";
  const scheduled = ofConsul18 || ofLater;
  if (def.Interval > 0 && def.TTL > 0) return "Interval and TTL cannot both be specified";
  if (scheduled && def.Interval <= 0) {
    return ofLater
      ? "Interval must be > 0 for Script, HTTP, H2PING, TCP, UDP or OSService checks"
      : "Interval must be > 0 for Script, HTTP, or TCP checks";
  }
  if (isAlias(def) && scheduled) {
    return "Interval cannot be set for Alias checks";
  }
  if (isAlias(def) && def.TTL > 0) return "TTL must be not be set for Alias checks";
  if (!scheduled && !isAlias(def) && def.TTL <= 0) return "TTL must be > 0 for TTL checks";
  if (def.OutputMaxSize < 0) return "MaxOutputMaxSize must be positive";
  if (def.FailuresBeforeWarning > Math.max(0, def.FailuresBeforeCritical)) {
    return "FailuresBeforeWarning can't be higher than FailuresBeforeCritical";
  }
  if (def.StartPeriod < 0) return "StartPeriod must be positive";
  if (def.StartPeriod > 0 && isAlias(def)) return "StartPeriod cannot be set for Alias checks";
  if (def.InitialDelay < 0) return "InitialDelay must be positive";
  if (def.InitialDelay > 0 && !scheduled) {
    return "InitialDelay can only be set for checks with an Interval";
  }
  return undefined;
}

const hasScript = (def: CheckDefinition): boolean => (def.ScriptArgs ?? []).length > 0;
const isAlias = (def: CheckDefinition): boolean => def.AliasNode !== "" || def.AliasService !== "";

/** What part of a service definition is wrong, for the caller's prefix, and how. */
export interface ServiceProblem {
  readonly aspect: "meta" | "weights" | "proxy";
  readonly text: string;
}

/** Its checks are not looked at: see `checksOfService` and `validateCheckDefinition`. */
export function validateServiceDefinition(def: ServiceDefinition): ServiceProblem | undefined {
  const meta = validateMetadata(def.Meta, { allowConsulPrefix: false });
  if (meta !== undefined) return { aspect: "meta", text: meta };
  const weights = def.Weights === null ? undefined : validateWeights(def.Weights);
  if (weights !== undefined) return { aspect: "weights", text: weights };
  const proxy = connectProxyFault(def);
  return proxy === undefined ? undefined : { aspect: "proxy", text: proxy };
}

/** What the catalog, too, demands of a proxy. @returns all that is wrong, as one text */
export function connectProxyFault(
  def: Pick<ServiceDefinition, "Kind" | "Port"> & {
    readonly Proxy: { readonly DestinationServiceName: string } | null;
    readonly Connect: { readonly Native: boolean } | null;
  },
): string | undefined {
  if (def.Kind !== "connect-proxy") return undefined;
  const problems: string[] = [];
  if ((def.Proxy?.DestinationServiceName ?? "").trim() === "") {
    problems.push("Proxy.DestinationServiceName must be non-empty for Connect proxy services");
  }
  if (def.Port === 0) problems.push("Port must be set for a Connect proxy");
  if (def.Connect?.Native === true) {
    problems.push("A Proxy cannot also be Connect Native, only typical services");
  }
  return problems.length === 0 ? undefined : errorList(problems);
}

const WEIGHT_MAX = 65535;

function validateWeights({ Passing, Warning }: Weights): string | undefined {
  if (Passing < 1) return "Passing must be greater than 0";
  if (Warning < 0) return "Warning must be greater or equal than 0";
  if (Passing > WEIGHT_MAX || Warning > WEIGHT_MAX) {
    return `DNS Weight must be between 0 and ${WEIGHT_MAX}`;
  }
  return undefined;
}

/**
 * The checks inside a service definition, `Check` first, with what registration fills in: ids
 * (`service:web`, or `service:web:1` and so on when there are several; a check with an id of its own still
 * uses up a number), names, and the service that they belong to.
 */
export function checksOfService(def: ServiceDefinition): CheckDefinition[] {
  if (def.Check === null && def.Checks === null) return [];
  const serviceId = def.ID === "" ? def.Name : def.ID;
  const single = def.Check === null || saysNothing(def.Check) ? [] : [def.Check];
  const all = [...single, ...(def.Checks ?? [])];
  return all.map((check, i) => ({
    ...check,
    CheckID: check.CheckID || `service:${serviceId}${all.length > 1 ? `:${i + 1}` : ""}`,
    Name: check.Name || `Service '${def.Name}' check`,
    ServiceID: serviceId,
    Token: check.Token || def.Token,
  }));
}

const saysNothing = (check: CheckDefinition): boolean =>
  Object.values(check).every(
    (value) => value === null || value === "" || value === 0 || value === false,
  );
