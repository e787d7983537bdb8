/**
 * Service and check blocks to the definitions that the agent registers. The names are translated
 * (`tls_skip_verify` ▶ TLSSkipVerify), durations read, and what Consul refuses while reading is refused;
 * the rest (a check without an interval, a service without a name) is refused when it is registered.
 */
import { RollcallError } from "../errors/index.ts";
import {
  goQuote,
  validateServiceDefinition,
  type CheckDefinition,
  type ConnectProxyConfig,
  type ServiceDefinition,
} from "../model/index.ts";
import { readDuration } from "./durations.ts";
import { plainMap, type Plain, type PlainMap } from "./value.ts";

/** Where mistakes are gathered, so that all are told at once. */
export interface Findings {
  readonly errors: string[];
  readonly warnings: string[];
}

const text = (value: Plain | undefined): string => (typeof value === "string" ? value : "");
const whole = (value: Plain | undefined): number => (typeof value === "number" ? value : 0);
const flag = (value: Plain | undefined): boolean => value === true;
const isMap = (value: Plain | undefined): value is PlainMap =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const map = (value: Plain | undefined): PlainMap => (isMap(value) ? value : plainMap([]));
const list = (value: Plain | undefined): readonly Plain[] =>
  Array.isArray(value) ? (value as readonly Plain[]) : [];
const texts = (value: Plain | undefined): readonly string[] | null =>
  value === undefined || value === null ? null : list(value).map(text);
const mapped = <T>(
  value: Plain | undefined,
  each: (item: Plain) => T,
): Readonly<Record<string, T>> | null => {
  if (!isMap(value)) return null;
  const result = Object.create(null) as Record<string, T>;
  for (const [key, item] of Object.entries(value)) result[key] = each(item);
  return result;
};

export function checkDefinition(block: PlainMap, findings: Findings): CheckDefinition {
  const duration = (key: string): number =>
    readDuration(text(block[key]), `check[${text(block["id"])}].${key}`, findings.errors);
  return {
    CheckID: text(block["id"]),
    Name: text(block["name"]),
    Notes: text(block["notes"]),
    ServiceID: text(block["service_id"]),
    Token: text(block["token"]),
    Status: text(block["status"]),
    ScriptArgs: texts(block["args"]),
    HTTP: text(block["http"]),
    Header: mapped(block["header"], (values) => texts(values)),
    Method: text(block["method"]),
    Body: text(block["body"]),
    DisableRedirects: flag(block["disable_redirects"]),
    TCP: text(block["tcp"]),
    TCPUseTLS: flag(block["tcp_use_tls"]),
    UDP: text(block["udp"]),
    Interval: duration("interval"),
    AliasNode: text(block["alias_node"]),
    AliasService: text(block["alias_service"]),
    DockerContainerID: text(block["docker_container_id"]),
    Shell: text(block["shell"]),
    GRPC: text(block["grpc"]),
    GRPCUseTLS: flag(block["grpc_use_tls"]),
    H2PING: text(block["h2ping"]),
    H2PingUseTLS: block["h2ping_use_tls"] === undefined ? null : flag(block["h2ping_use_tls"]),
    OSService: text(block["os_service"]),
    TLSServerName: text(block["tls_server_name"]),
    TLSSkipVerify: flag(block["tls_skip_verify"]),
    Timeout: duration("timeout"),
    TTL: duration("ttl"),
    SuccessBeforePassing: whole(block["success_before_passing"]),
    FailuresBeforeWarning: whole(block["failures_before_warning"]),
    FailuresBeforeCritical: whole(block["failures_before_critical"]),
    StartPeriod: duration("start_period"),
    InitialDelay: duration("initial_delay"),
    DeregisterCriticalServiceAfter: duration("deregister_critical_service_after"),
    OutputMaxSize: whole(block["output_max_size"]),
  };
}

/** @throws {RollcallError} `config/invalid` for a proxy that says too little to be one */
export function serviceDefinition(block: PlainMap, findings: Findings): ServiceDefinition {
  const connect = map(block["connect"]);
  const weights = map(block["weights"]);
  const definition: ServiceDefinition = {
    Kind: text(block["kind"]),
    ID: text(block["id"]),
    Name: text(block["name"]),
    Tags: texts(block["tags"]),
    Address: text(block["address"]),
    TaggedAddresses: mapped(block["tagged_addresses"], (address) => ({
      Address: text(map(address)["address"]),
      Port: whole(map(address)["port"]),
    })),
    Meta: mapped(block["meta"], text),
    Port: whole(block["port"]),
    Check: isMap(block["check"]) ? checkDefinition(block["check"], findings) : null,
    Checks:
      block["checks"] === undefined
        ? null
        : list(block["checks"]).map((check) => checkDefinition(map(check), findings)),
    Weights: {
      Passing: weights["passing"] === undefined ? 1 : whole(weights["passing"]),
      Warning: weights["warning"] === undefined ? 1 : whole(weights["warning"]),
    },
    Token: text(block["token"]),
    EnableTagOverride: flag(block["enable_tag_override"]),
    Proxy: isMap(block["proxy"]) ? proxyConfig(block["proxy"]) : null,
    Connect: isMap(block["connect"]) ? { Native: flag(connect["native"]) } : null,
  };
  report(definition, findings);
  if (connect["sidecar_service"] !== undefined) {
    findings.warnings.push(
      `service "${definition.Name}": connect.sidecar_service is known but has no effect in this version`,
    );
  }
  return definition;
}

function report(definition: ServiceDefinition, { errors }: Findings): void {
  const problem = validateServiceDefinition(definition);
  if (problem === undefined) return;
  const { Name } = definition;
  switch (problem.aspect) {
    case "meta":
      errors.push(`invalid meta for service ${Name}: ${problem.text}`);
      return;
    case "weights":
      errors.push(`Invalid weight definition for service ${Name}: ${problem.text}`);
      return;
    case "proxy":
      // A list of mistakes already: Consul reports it by itself.
      throw new RollcallError("config/invalid", `service ${goQuote(Name)}: ${problem.text}`);
  }
}

function proxyConfig(block: PlainMap): ConnectProxyConfig {
  const expose = map(block["expose"]);
  const anyMap = (value: Plain | undefined): Readonly<Record<string, unknown>> | null =>
    isMap(value) ? value : null;
  const meshGateway = (value: Plain | undefined) => ({ Mode: text(map(value)["mode"]) });
  return {
    DestinationServiceName: text(block["destination_service_name"]),
    DestinationServiceID: text(block["destination_service_id"]),
    LocalServiceAddress: text(block["local_service_address"]),
    LocalServicePort: whole(block["local_service_port"]),
    Config: anyMap(block["config"]),
    Upstreams:
      block["upstreams"] === undefined
        ? null
        : list(block["upstreams"])
            .map(map)
            .map((upstream) => ({
              DestinationType: text(upstream["destination_type"]) || "service",
              DestinationNamespace: text(upstream["destination_namespace"]),
              DestinationName: text(upstream["destination_name"]),
              Datacenter: text(upstream["datacenter"]),
              LocalBindAddress: text(upstream["local_bind_address"]),
              LocalBindPort: whole(upstream["local_bind_port"]),
              Config: anyMap(upstream["config"]),
              MeshGateway: meshGateway(upstream["mesh_gateway"]),
            })),
    MeshGateway: meshGateway(block["mesh_gateway"]),
    Expose: {
      Checks: flag(expose["checks"]),
      Paths:
        expose["paths"] === undefined
          ? null
          : list(expose["paths"])
              .map(map)
              .map((path) => ({
                ListenerPort: whole(path["listener_port"]),
                Path: text(path["path"]),
                LocalPathPort: whole(path["local_path_port"]),
                Protocol: text(path["protocol"]),
              })),
    },
  };
}
