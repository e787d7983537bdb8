/**
 * The records that `watch` hands to its handler, with the fields and the order of Consul's Go client: what is
 * printed is not the agent's own JSON. Handlers that compare text rely on it.
 */
import {
  any,
  bool,
  bytes,
  duration,
  int,
  list,
  map,
  omitEmpty,
  pointer,
  struct,
  text,
  uint64,
} from "../model/index.ts";

export const KeyValue = struct("KVPair", {
  Key: text(),
  CreateIndex: int(),
  ModifyIndex: int(),
  LockIndex: int(),
  Flags: uint64(),
  Value: bytes(),
  Session: text(),
});

export const WatchedNode = struct("Node", {
  ID: text(),
  Node: text(),
  Address: text(),
  Datacenter: text(),
  TaggedAddresses: map(text()),
  Meta: map(text()),
  CreateIndex: int(),
  ModifyIndex: int(),
});

const ServiceAddress = struct("ServiceAddress", { Address: text(), Port: int() });
const MeshGateway = struct("MeshGatewayConfig", { Mode: omitEmpty(text()) });
const Expose = struct("ExposeConfig", {
  Checks: omitEmpty(bool()),
  Paths: omitEmpty(
    list(
      struct("ExposePath", {
        ListenerPort: omitEmpty(int()),
        Path: omitEmpty(text()),
        LocalPathPort: omitEmpty(int()),
        Protocol: omitEmpty(text()),
        ParsedFromCheck: bool(),
      }),
    ),
  ),
});
const Upstream = struct("Upstream", {
  DestinationType: omitEmpty(text()),
  DestinationNamespace: omitEmpty(text()),
  DestinationName: text(),
  Datacenter: omitEmpty(text()),
  LocalBindAddress: omitEmpty(text()),
  LocalBindPort: omitEmpty(int()),
  Config: omitEmpty(map(any())),
  MeshGateway,
});
const Proxy = struct("AgentServiceConnectProxyConfig", {
  DestinationServiceName: omitEmpty(text()),
  DestinationServiceID: omitEmpty(text()),
  LocalServiceAddress: omitEmpty(text()),
  LocalServicePort: omitEmpty(int()),
  Config: omitEmpty(map(any())),
  Upstreams: omitEmpty(list(Upstream)),
  MeshGateway,
  Expose,
});

const Service = struct("AgentService", {
  Kind: omitEmpty(text()),
  ID: text(),
  Service: text(),
  Tags: list(text()),
  Meta: map(text()),
  Port: int(),
  Address: text(),
  TaggedAddresses: omitEmpty(map(ServiceAddress)),
  Weights: struct("AgentWeights", { Passing: int(), Warning: int() }),
  EnableTagOverride: bool(),
  CreateIndex: omitEmpty(int()),
  ModifyIndex: omitEmpty(int()),
  Proxy: omitEmpty(pointer(Proxy)),
  Connect: omitEmpty(pointer(struct("AgentServiceConnect", { Native: omitEmpty(bool()) }))),
});

export const WatchedCheck = struct("HealthCheck", {
  Node: text(),
  CheckID: text(),
  Name: text(),
  Status: text(),
  Notes: text(),
  Output: text(),
  ServiceID: text(),
  ServiceName: text(),
  ServiceTags: list(text()),
  Type: text(),
  Definition: struct("HealthCheckDefinition", {
    Interval: duration({ output: "string" }),
    Timeout: duration({ output: "string" }),
    DeregisterCriticalServiceAfter: duration({ output: "string" }),
    HTTP: text(),
    Header: map(list(text())),
    Method: text(),
    Body: text(),
    TLSSkipVerify: bool(),
    TCP: text(),
  }),
  CreateIndex: int(),
  ModifyIndex: int(),
});

export const ServiceEntry = struct("ServiceEntry", {
  Node: pointer(WatchedNode),
  Service: pointer(Service),
  Checks: list(WatchedCheck),
});

export const UserEvent = struct("UserEvent", {
  ID: text(),
  Name: text(),
  Payload: bytes(),
  NodeFilter: text(),
  ServiceFilter: text(),
  TagFilter: text(),
  Version: int(),
  LTime: uint64(),
});
