/**
 * What a user writes to register a service or a check with an agent: the bodies of
 * `/v1/agent/service/register` and `/v1/agent/check/register`, and, with snake_case keys, the `service` and
 * `check` blocks of configuration files. One schema serves both (docs: Consul "Services", "Checks").
 */
import { ConnectProxyConfig, ServiceAddress, Weights } from "./catalog.ts";
import {
  alias,
  bool,
  duration,
  int,
  list,
  map,
  nullableBool,
  pointer,
  struct,
  text,
  type Static,
} from "./schema.ts";

export const CheckDefinition = struct("CheckDefinition", {
  CheckID: alias(text(), "ID", "id", "check_id"),
  Name: text(),
  Notes: text(),
  ServiceID: alias(text(), "service_id"),
  Token: text(),
  Status: text({ description: "Status until the first result; critical when empty" }),
  ScriptArgs: alias(list(text()), "Args", "args", "script_args"),
  HTTP: text(),
  Header: map(list(text())),
  Method: text(),
  Body: text(),
  DisableRedirects: alias(bool(), "disable_redirects"),
  TCP: text({ description: "host:port" }),
  TCPUseTLS: alias(bool(), "tcp_use_tls"),
  UDP: text({ description: "host:port" }),
  Interval: duration(),
  AliasNode: alias(text(), "alias_node"),
  AliasService: alias(text(), "alias_service"),
  DockerContainerID: alias(text(), "docker_container_id"),
  Shell: text(),
  GRPC: text(),
  GRPCUseTLS: alias(bool(), "grpc_use_tls"),
  H2PING: text({ description: "host:port" }),
  H2PingUseTLS: alias(nullableBool({ description: "true when absent" }), "h2ping_use_tls"),
  OSService: alias(text({ description: "Name of a service of the system" }), "os_service"),
  TLSServerName: alias(
    text({ description: "Whom the certificate must be for" }),
    "tls_server_name",
  ),
  TLSSkipVerify: alias(bool(), "tls_skip_verify"),
  Timeout: duration(),
  TTL: duration(),
  SuccessBeforePassing: alias(int(), "success_before_passing"),
  FailuresBeforeWarning: alias(int(), "failures_before_warning"),
  FailuresBeforeCritical: alias(int(), "failures_before_critical"),
  StartPeriod: alias(
    duration({ description: "Failures do not count for so long, or until the first success" }),
    "start_period",
  ),
  InitialDelay: alias(
    duration({ description: "When the first run is; at random within the interval when 0" }),
    "initial_delay",
  ),
  DeregisterCriticalServiceAfter: alias(duration(), "deregister_critical_service_after"),
  OutputMaxSize: alias(int(), "output_max_size"),
});
export type CheckDefinition = Static<typeof CheckDefinition>;

export const ServiceDefinition = struct("ServiceDefinition", {
  Kind: text(),
  ID: text(),
  Name: text(),
  Tags: list(text()),
  Address: text(),
  TaggedAddresses: alias(map(ServiceAddress), "tagged_addresses"),
  Meta: map(text()),
  Port: int(),
  Check: pointer(CheckDefinition),
  Checks: list(CheckDefinition),
  Weights: pointer(Weights),
  Token: text(),
  EnableTagOverride: alias(bool(), "enable_tag_override"),
  Proxy: pointer(ConnectProxyConfig),
  Connect: pointer(struct("ServiceConnect", { Native: bool() })),
});
export type ServiceDefinition = Static<typeof ServiceDefinition>;
