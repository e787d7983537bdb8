/**
 * The nouns of the catalog, field for field as Consul's HTTP API prints them and its log carries them
 * (docs: Consul HTTP API, "Catalog" and "Health").
 */
import {
  alias,
  any,
  bool,
  duration,
  int,
  list,
  map,
  omitEmpty,
  orWhenNil,
  pointer,
  struct,
  text,
  type Static,
} from "./schema.ts";

const raftIndex = { CreateIndex: int(), ModifyIndex: int() };

export const Node = struct("Node", {
  ID: text({ description: "UUID of the node, or empty" }),
  Node: text(),
  Address: text(),
  Datacenter: text(),
  TaggedAddresses: map(text()),
  Meta: map(text()),
  ...raftIndex,
});
export type Node = Static<typeof Node>;

export const ServiceAddress = struct("ServiceAddress", { Address: text(), Port: int() });
export type ServiceAddress = Static<typeof ServiceAddress>;

export const Weights = struct("Weights", { Passing: int(), Warning: int() });
export type Weights = Static<typeof Weights>;

const MeshGatewayConfig = struct("MeshGatewayConfig", { Mode: omitEmpty(text()) });

const Upstream = struct(
  "Upstream",
  {
    DestinationType: alias(omitEmpty(text()), "destination_type"),
    DestinationNamespace: alias(omitEmpty(text()), "destination_namespace"),
    DestinationName: alias(text(), "destination_name"),
    Datacenter: omitEmpty(text()),
    LocalBindAddress: alias(omitEmpty(text()), "local_bind_address"),
    LocalBindPort: alias(omitEmpty(int()), "local_bind_port"),
    Config: omitEmpty(map(any())),
    MeshGateway: alias(MeshGatewayConfig, "mesh_gateway"),
  },
  { IngressHosts: list(text()) },
);

const ExposePath = struct(
  "ExposePath",
  {
    ListenerPort: alias(omitEmpty(int()), "listener_port"),
    Path: omitEmpty(text()),
    LocalPathPort: alias(omitEmpty(int()), "local_path_port"),
    Protocol: omitEmpty(text()),
  },
  { ParsedFromCheck: bool() },
);

/** Stored and returned as given; what it configures (the mesh) is not built yet. */
export const ConnectProxyConfig = struct("ConnectProxyConfig", {
  DestinationServiceName: alias(omitEmpty(text()), "destination_service_name"),
  DestinationServiceID: alias(omitEmpty(text()), "destination_service_id"),
  LocalServiceAddress: alias(omitEmpty(text()), "local_service_address"),
  LocalServicePort: alias(omitEmpty(int()), "local_service_port"),
  Config: omitEmpty(map(any())),
  Upstreams: omitEmpty(list(Upstream)),
  MeshGateway: alias(MeshGatewayConfig, "mesh_gateway"),
  Expose: struct("ExposeConfig", {
    Checks: omitEmpty(bool()),
    Paths: omitEmpty(list(ExposePath)),
  }),
});
export type ConnectProxyConfig = Static<typeof ConnectProxyConfig>;

/** A sidecar's definition is kept for who sent it: agents register sidecars as services of their own. */
export const ServiceConnect = struct(
  "ServiceConnect",
  { Native: omitEmpty(bool()) },
  { SidecarService: any() },
);
export type ServiceConnect = Static<typeof ServiceConnect>;

export const NodeService = struct(
  "NodeService",
  {
    Kind: omitEmpty(text()),
    ID: text(),
    Service: text(),
    Tags: list(text()),
    Address: text(),
    TaggedAddresses: omitEmpty(map(ServiceAddress)),
    Meta: map(text()),
    Port: int(),
    Weights: orWhenNil(Weights, { Passing: 1, Warning: 1 }),
    EnableTagOverride: bool(),
    Proxy: ConnectProxyConfig,
    Connect: ServiceConnect,
    ...raftIndex,
  },
  { LocallyRegisteredAsSidecar: bool() },
);
export type NodeService = Static<typeof NodeService>;

/** One instance with its node: what `/v1/catalog/service/:name` lists. */
export const ServiceNode = struct("ServiceNode", {
  ID: text(),
  Node: text(),
  Address: text(),
  Datacenter: text(),
  TaggedAddresses: map(text()),
  NodeMeta: map(text()),
  ServiceKind: text(),
  ServiceID: text(),
  ServiceName: text(),
  ServiceTags: list(text()),
  ServiceAddress: text(),
  ServiceTaggedAddresses: omitEmpty(map(ServiceAddress)),
  ServiceWeights: Weights,
  ServiceMeta: map(text()),
  ServicePort: int(),
  ServiceEnableTagOverride: bool(),
  ServiceProxy: ConnectProxyConfig,
  ServiceConnect,
  ...raftIndex,
});
export type ServiceNode = Static<typeof ServiceNode>;

/** What a catalog check says of how it is run; nothing runs it. */
export const HealthCheckDefinition = struct("HealthCheckDefinition", {
  Interval: omitEmpty(duration({ output: "string" })),
  OutputMaxSize: omitEmpty(int()),
  Timeout: omitEmpty(duration({ output: "string" })),
  DeregisterCriticalServiceAfter: omitEmpty(duration({ output: "string" })),
  HTTP: omitEmpty(text()),
  Header: omitEmpty(map(list(text()))),
  Method: omitEmpty(text()),
  Body: omitEmpty(text()),
  TLSSkipVerify: omitEmpty(bool()),
  TCP: omitEmpty(text()),
  ScriptArgs: omitEmpty(list(text())),
  DockerContainerID: omitEmpty(text()),
  Shell: omitEmpty(text()),
  GRPC: omitEmpty(text()),
  GRPCUseTLS: omitEmpty(bool()),
  AliasNode: omitEmpty(text()),
  AliasService: omitEmpty(text()),
  TTL: omitEmpty(duration({ output: "string" })),
});
export type HealthCheckDefinition = Static<typeof HealthCheckDefinition>;

export type CheckStatus = "passing" | "warning" | "critical";

export const HealthCheck = struct("HealthCheck", {
  Node: text(),
  CheckID: text(),
  Name: text(),
  Status: text({ description: "passing, warning or critical" }),
  Notes: text(),
  Output: text(),
  ServiceID: text({
    description: "Empty: a check of the node, which counts for all its instances",
  }),
  ServiceName: text(),
  ServiceTags: list(text()),
  Type: text(),
  Definition: HealthCheckDefinition,
  ...raftIndex,
});
export type HealthCheck = Static<typeof HealthCheck>;

/** An instance, its node, and every check that counts for it: what `/v1/health/service/:name` lists. */
export const CheckServiceNode = struct("CheckServiceNode", {
  Node,
  Service: NodeService,
  Checks: list(HealthCheck),
});
export type CheckServiceNode = Static<typeof CheckServiceNode>;

export const NodeServices = struct("NodeServices", { Node, Services: map(NodeService) });
export type NodeServices = Static<typeof NodeServices>;

export const NodeServiceList = struct("NodeServiceList", {
  Node: pointer(Node),
  Services: list(NodeService),
});
export type NodeServiceList = Static<typeof NodeServiceList>;

/** A node with all that is on it: what the web interface shows of it. */
export const NodeInfo = struct("NodeInfo", {
  ID: text(),
  Node: text(),
  Address: text(),
  TaggedAddresses: map(text()),
  Meta: map(text()),
  Services: list(NodeService),
  Checks: list(HealthCheck),
});
export type NodeInfo = Static<typeof NodeInfo>;

/** Body of `/v1/catalog/register` and of log command 0. */
export const RegisterRequest = struct(
  "RegisterRequest",
  {
    Datacenter: text(),
    ID: text(),
    Node: text(),
    Address: text(),
    TaggedAddresses: map(text()),
    NodeMeta: map(text()),
    Service: pointer(NodeService),
    Check: pointer(HealthCheck),
    Checks: list(HealthCheck),
    SkipNodeUpdate: bool(),
  },
  { Token: text(), ...raftIndex },
);
export type RegisterRequest = Static<typeof RegisterRequest>;

/** Body of `/v1/catalog/deregister` and of log command 1. */
export const DeregisterRequest = struct(
  "DeregisterRequest",
  { Datacenter: text(), Node: text(), ServiceID: text(), CheckID: text() },
  { Token: text() },
);
export type DeregisterRequest = Static<typeof DeregisterRequest>;

/** The service that a server registers for itself, and the check by which gossip vouches for a node. */
export const CONSUL_SERVICE = "consul";
export const SERF_HEALTH = "serfHealth";
export const NODE_MAINTENANCE = "_node_maintenance";
export const SERVICE_MAINTENANCE_PREFIX = "_service_maintenance:";
