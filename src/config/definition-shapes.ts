/**
 * How services and checks are written in files: names and types. Their meaning is in definitions.ts.
 * The aliases are the few spellings of the HTTP API that Consul 1.8 accepts in files.
 */
import { anyMap, listOf, mapOf, struct, type StructShape } from "./decode.ts";

export const checkShape: StructShape = struct(
  {
    id: "string",
    name: "string",
    notes: "string",
    service_id: "string",
    token: "string",
    status: "string",
    args: listOf("string"),
    http: "string",
    header: mapOf(listOf("string")),
    method: "string",
    body: "string",
    output_max_size: "int",
    disable_redirects: "bool",
    tcp: "string",
    tcp_use_tls: "bool",
    udp: "string",
    interval: "string",
    docker_container_id: "string",
    shell: "string",
    grpc: "string",
    grpc_use_tls: "bool",
    h2ping: "string",
    h2ping_use_tls: "bool",
    os_service: "string",
    tls_server_name: "string",
    tls_skip_verify: "bool",
    alias_node: "string",
    alias_service: "string",
    timeout: "string",
    ttl: "string",
    success_before_passing: "int",
    failures_before_warning: "int",
    failures_before_critical: "int",
    start_period: "string",
    initial_delay: "string",
    deregister_critical_service_after: "string",
  },
  {
    scriptargs: "args",
    serviceid: "service_id",
    dockercontainerid: "docker_container_id",
    tlsskipverify: "tls_skip_verify",
    deregistercriticalserviceafter: "deregister_critical_service_after",
  },
);

const meshGateway = struct({ mode: "string" });

const upstream = struct({
  destination_type: "string",
  destination_namespace: "string",
  destination_name: "string",
  datacenter: "string",
  local_bind_address: "string",
  local_bind_port: "int",
  config: anyMap,
  mesh_gateway: meshGateway,
});

const proxy = struct({
  destination_service_name: "string",
  destination_service_id: "string",
  local_service_address: "string",
  local_service_port: "int",
  config: anyMap,
  upstreams: listOf(upstream),
  mesh_gateway: meshGateway,
  expose: struct({
    checks: "bool",
    paths: listOf(
      struct({
        path: "string",
        local_path_port: "int",
        listener_port: "int",
        protocol: "string",
      }),
    ),
  }),
});

export const serviceShape: StructShape = struct({
  kind: "string",
  id: "string",
  name: "string",
  tags: listOf("string"),
  address: "string",
  tagged_addresses: mapOf(struct({ address: "string", port: "int" })),
  meta: mapOf("string"),
  port: "int",
  check: checkShape,
  checks: listOf(checkShape),
  token: "string",
  weights: struct({ passing: "int", warning: "int" }),
  enable_tag_override: "bool",
  proxy,
  connect: struct({ native: "bool", sidecar_service: anyMap }),
});
