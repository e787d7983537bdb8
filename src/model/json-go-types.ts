/**
 * What Go's types say beyond the schemas: names that error texts quote, and which structs decode themselves.
 * All of it was read off the answers of Consul 1.8.7.
 */
import { fieldKind, valuesOf, type FieldSchema } from "./schema.ts";

/** Structs with an UnmarshalJSON of their own, and what they do with fields that they do not know. */
const OWN_DECODERS: Readonly<Record<string, "refuse" | "ignore">> = {
  CheckDefinition: "refuse",
  ConnectProxyConfig: "refuse",
  DeregisterRequest: "refuse",
  HealthCheckDefinition: "ignore",
  ServiceConnect: "ignore",
  ServiceDefinition: "refuse",
  Session: "ignore",
};

export function ownDecoderOf(schema: FieldSchema): "refuse" | "ignore" | undefined {
  return OWN_DECODERS[schema["x-struct"] ?? ""];
}

/** Structs that do not add Consul's remark about namespaces to an unknown field of that name. */
export const SILENT_ABOUT_NAMESPACES: ReadonlySet<string> = new Set([
  "CheckDefinition",
  "ConnectProxyConfig",
  "ServiceDefinition",
]);

/** Fields that Go holds unsigned, in whichever struct. */
const UNSIGNED_FIELDS: Readonly<Record<string, string>> = {
  CreateIndex: "uint64",
  LockIndex: "uint64",
  ModifyIndex: "uint64",
};

/** Fields whose type has a name. */
const NAMED_FIELDS: Readonly<Record<string, string>> = {
  "AutopilotConfiguration.MinQuorum": "uint",
  "CheckDefinition.CheckID": "types.CheckID",
  "CheckTxnOp.Verb": "api.CheckOp",
  "HealthCheck.CheckID": "types.CheckID",
  "KVTxnOp.Verb": "api.KVOp",
  "MeshGatewayConfig.Mode": "structs.MeshGatewayMode",
  "NodeService.Kind": "structs.ServiceKind",
  "NodeTxnOp.Verb": "api.NodeOp",
  "RegisterRequest.Checks": "structs.HealthChecks",
  "RegisterRequest.ID": "types.NodeID",
  "ServiceDefinition.Checks": "structs.CheckTypes",
  "ServiceDefinition.Kind": "structs.ServiceKind",
  "ServiceTxnOp.Verb": "api.ServiceOp",
};

/** Lists whose type has a name, by the struct that they hold. */
const NAMED_LISTS: Readonly<Record<string, string>> = { ApiTxnOp: "api.TxnOps" };

const PACKAGE = "structs";
/** Structs of other packages. */
const PACKAGES: Readonly<Record<string, string>> = { AutopilotConfiguration: "api" };

/** The type of a field of `struct`, as Go prints it. */
export function goFieldType(struct: string, name: string, schema: FieldSchema): string {
  return NAMED_FIELDS[`${struct}.${name}`] ?? UNSIGNED_FIELDS[name] ?? goTypeName(schema);
}

export function goTypeName(schema: FieldSchema): string {
  const kind = fieldKind(schema);
  if (kind === "struct") {
    const name = schema["x-struct"] ?? "";
    return `${PACKAGES[name] ?? PACKAGE}.${name}`;
  }
  if (kind === "list") {
    const items = schema.items ?? {};
    return NAMED_LISTS[items["x-struct"] ?? ""] ?? `[]${goTypeName(items)}`;
  }
  if (kind === "map") return `map[string]${goTypeName(valuesOf(schema))}`;
  return GO_TYPES[kind];
}

const GO_TYPES = {
  any: "interface {}",
  bool: "bool",
  bytes: "[]uint8",
  duration: "time.Duration",
  float: "float64",
  int: "int",
  text: "string",
  uint64: "uint64",
} as const;
