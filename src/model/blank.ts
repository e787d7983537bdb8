/** Records whose fields all have Go's zero values, to build others from. */
import type {
  ConnectProxyConfig,
  HealthCheck,
  HealthCheckDefinition,
  NodeService,
} from "./catalog.ts";
import type { DirEntry } from "./kv.ts";

export const BLANK_DEFINITION: HealthCheckDefinition = {
  Interval: 0,
  OutputMaxSize: 0,
  Timeout: 0,
  DeregisterCriticalServiceAfter: 0,
  HTTP: "",
  Header: null,
  Method: "",
  Body: "",
  TLSSkipVerify: false,
  TCP: "",
  ScriptArgs: null,
  DockerContainerID: "",
  Shell: "",
  GRPC: "",
  GRPCUseTLS: false,
  AliasNode: "",
  AliasService: "",
  TTL: 0,
};

export const BLANK_ENTRY: DirEntry = {
  LockIndex: 0,
  Key: "",
  Flags: 0n,
  Value: null,
  Session: "",
  CreateIndex: 0,
  ModifyIndex: 0,
};

export const BLANK_CHECK: HealthCheck = {
  Node: "",
  CheckID: "",
  Name: "",
  Status: "",
  Notes: "",
  Output: "",
  ServiceID: "",
  ServiceName: "",
  ServiceTags: null,
  Type: "",
  Definition: BLANK_DEFINITION,
  CreateIndex: 0,
  ModifyIndex: 0,
};

export const BLANK_PROXY: ConnectProxyConfig = {
  DestinationServiceName: "",
  DestinationServiceID: "",
  LocalServiceAddress: "",
  LocalServicePort: 0,
  Config: null,
  Upstreams: null,
  MeshGateway: { Mode: "" },
  Expose: { Checks: false, Paths: null },
};

export const BLANK_SERVICE: NodeService = {
  Kind: "",
  ID: "",
  Service: "",
  Tags: null,
  Address: "",
  TaggedAddresses: null,
  Meta: null,
  Port: 0,
  Weights: { Passing: 1, Warning: 1 },
  EnableTagOverride: false,
  Proxy: BLANK_PROXY,
  Connect: { Native: false },
  CreateIndex: 0,
  ModifyIndex: 0,
};
