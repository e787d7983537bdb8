/**
 * The body of `/v1/agent/service/register` as Consul's client writes it: what is empty is left out, and
 * durations are Go's texts.
 */
import {
  bool,
  ConnectProxyConfig,
  duration,
  int,
  jsonEncoder,
  list,
  map,
  nullableBool,
  omitEmpty,
  pointer,
  ServiceAddress,
  ServiceConnect,
  struct,
  text,
  Weights,
  type CheckDefinition,
  type ServiceDefinition,
  type Static,
} from "../model/index.ts";

const goDuration = omitEmpty(duration({ output: "string" }));

const Check = struct("AgentServiceCheck", {
  CheckID: omitEmpty(text()),
  Name: omitEmpty(text()),
  ScriptArgs: omitEmpty(list(text())),
  DockerContainerID: omitEmpty(text()),
  Shell: omitEmpty(text()),
  Interval: goDuration,
  Timeout: goDuration,
  TTL: goDuration,
  HTTP: omitEmpty(text()),
  Header: omitEmpty(map(list(text()))),
  Method: omitEmpty(text()),
  Body: omitEmpty(text()),
  DisableRedirects: omitEmpty(bool()),
  TCP: omitEmpty(text()),
  TCPUseTLS: omitEmpty(bool()),
  UDP: omitEmpty(text()),
  Status: omitEmpty(text()),
  Notes: omitEmpty(text()),
  TLSServerName: omitEmpty(text()),
  TLSSkipVerify: omitEmpty(bool()),
  GRPC: omitEmpty(text()),
  GRPCUseTLS: omitEmpty(bool()),
  H2PING: omitEmpty(text()),
  H2PingUseTLS: omitEmpty(nullableBool()),
  OSService: omitEmpty(text()),
  AliasNode: omitEmpty(text()),
  AliasService: omitEmpty(text()),
  SuccessBeforePassing: omitEmpty(int()),
  FailuresBeforeWarning: omitEmpty(int()),
  FailuresBeforeCritical: omitEmpty(int()),
  StartPeriod: goDuration,
  InitialDelay: goDuration,
  DeregisterCriticalServiceAfter: goDuration,
  OutputMaxSize: omitEmpty(int()),
});

const Registration = struct("AgentServiceRegistration", {
  Kind: omitEmpty(text()),
  ID: omitEmpty(text()),
  Name: omitEmpty(text()),
  Tags: omitEmpty(list(text())),
  Port: omitEmpty(int()),
  Address: omitEmpty(text()),
  TaggedAddresses: omitEmpty(map(ServiceAddress)),
  EnableTagOverride: omitEmpty(bool()),
  Meta: omitEmpty(map(text())),
  Weights: omitEmpty(pointer(Weights)),
  Check: pointer(Check),
  Checks: list(Check),
  Proxy: omitEmpty(pointer(ConnectProxyConfig)),
  Connect: omitEmpty(pointer(ServiceConnect)),
});
export type Registration = Static<typeof Registration>;

/** The body ends with a newline, as Go's encoder leaves it. */
export function encodeRegistration(registration: Registration): string {
  return `${encode(registration)}\n`;
}
const encode = jsonEncoder(Registration);

/** What a definition in a file is registered as. Its token stays behind: the request has one of its own. */
export function registrationOf(definition: ServiceDefinition): Registration {
  const { Check: single, Checks, Token: _token, ...rest } = definition;
  const checks = [...(single === null ? [] : [single]), ...(Checks ?? [])];
  return {
    ...rest,
    Weights: definition.Weights ?? { Passing: 1, Warning: 1 },
    Check: null,
    Checks: checks.length === 0 ? null : checks.map(ofItsService),
  };
}

/** It is the service's own, and registered with the same token. */
function ofItsService(check: CheckDefinition): Static<typeof Check> {
  const { ServiceID: _service, Token: _token, ...rest } = check;
  return rest;
}
