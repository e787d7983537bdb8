/**
 * Methods of features that Rollcall does not have. They are answered as by a server of Consul's on which nobody has
 * made use of them: what lists has nothing to list, and what changes something is refused.
 */
import { RollcallError } from "../errors/index.ts";
import {
  any,
  bool,
  bytes,
  list,
  map,
  messageOf,
  struct,
  text,
  type Static,
} from "../model/index.ts";
import {
  bool as wireBool,
  codecOf,
  MsgpackWriter,
  struct as wireStruct,
  text as wireText,
  time,
  uint64,
} from "../wire/index.ts";
import { answerCodec, NOTHING, served, type Fields, type Served, type Values } from "./exchange.ts";
import { DC_REQUEST, fromMeta, QUERY_OPTIONS, toQuery, type WireQuery } from "./query-shapes.ts";
import type { CallServer } from "./remote-methods.ts";

/** Arguments that do not matter. */
const WHATEVER = messageOf(any());

const refused = (why: string, names: readonly string[]): Record<string, Served> =>
  Object.fromEntries(
    names.map((name) => [
      name,
      served({
        args: WHATEVER,
        reply: NOTHING,
        answer: () => {
          throw new RollcallError("feature/disabled", why);
        },
      }),
    ]),
  );

/** Waits and tells of the leader as a list does that hardly ever changes, since these never do. */
async function unchangingMeta(
  server: CallServer,
  wire: WireQuery,
  signal: AbortSignal,
): Promise<ReturnType<typeof fromMeta>> {
  const { meta } = await server.call("PreparedQuery.List", toQuery(wire), { signal });
  return fromMeta(meta);
}

/** A query that nothing is found for. */
const empty = <R extends Fields>(fields: R, nothing: Values<R>): Served =>
  served<WireQuery, ReturnType<typeof fromMeta> & Values<R>>({
    args: DC_REQUEST,
    reply: answerCodec("Empty", fields),
    answer: async (server, wire, signal) => ({
      ...(await unchangingMeta(server, wire, signal)),
      ...nothing,
    }),
  });

const ANYTHING = list(any());

const MatchRequest = struct("IntentionQueryRequest", {
  ...QUERY_OPTIONS,
  Match: struct("IntentionQueryMatch", { Entries: ANYTHING }),
});
type MatchRequest = Static<typeof MatchRequest>;
const matches = answerCodec("IndexedIntentionMatches", { Matches: list(ANYTHING) });

const ConfigEntryQuery = struct("ConfigEntryQuery", { ...QUERY_OPTIONS, Kind: text() });
type ConfigEntryQuery = Static<typeof ConfigEntryQuery>;

const configMeta = answerCodec("ConfigEntryResponse", {});
const configList = answerCodec("IndexedConfigEntries", { Entries: ANYTHING, Kind: text() });
const serviceConfig = answerCodec("ServiceConfigResponse", {
  Expose: struct("ExposeConfig", { Checks: bool(), Paths: ANYTHING }),
  MeshGateway: struct("MeshGatewayConfig", { Mode: text() }),
  ProxyConfig: map(any()),
  UpstreamConfigs: map(any()),
  UpstreamIDConfigs: ANYTHING,
});

type Meta = ReturnType<typeof fromMeta>;
/** Config entries travel in a raw, one value after the other. */
const noConfig = (writeValues: (into: MsgpackWriter, meta: Meta, Kind: string) => void): Served =>
  served<ConfigEntryQuery, Uint8Array | null>({
    args: messageOf(ConfigEntryQuery),
    reply: messageOf(bytes()),
    answer: async (server, wire, signal) => {
      const values = new MsgpackWriter();
      writeValues(values, await unchangingMeta(server, wire, signal), wire.Kind);
      return values.finish();
    },
  });

const replicationStatus = codecOf(
  wireStruct({
    Enabled: wireBool,
    Running: wireBool,
    SourceDatacenter: wireText,
    ReplicationType: wireText,
    ReplicatedIndex: uint64,
    ReplicatedRoleIndex: uint64,
    ReplicatedTokenIndex: uint64,
    LastSuccess: time,
    LastError: time,
  }),
);

const serviceNames = answerCodec("IndexedServiceList", {
  Services: list(struct("ServiceName", { Name: text() })),
});

export const UNBUILT: Readonly<Record<string, Served>> = {
  ...refused("ACL support disabled", [
    "ACL.Apply",
    "ACL.AuthMethodDelete",
    "ACL.AuthMethodList",
    "ACL.AuthMethodRead",
    "ACL.AuthMethodSet",
    "ACL.Authorize",
    "ACL.BindingRuleDelete",
    "ACL.BindingRuleList",
    "ACL.BindingRuleRead",
    "ACL.BindingRuleSet",
    "ACL.Bootstrap",
    "ACL.BootstrapTokens",
    "ACL.Get",
    "ACL.List",
    "ACL.Login",
    "ACL.Logout",
    "ACL.PolicyBatchRead",
    "ACL.PolicyDelete",
    "ACL.PolicyList",
    "ACL.PolicyRead",
    "ACL.PolicyResolve",
    "ACL.PolicySet",
    "ACL.RoleBatchRead",
    "ACL.RoleDelete",
    "ACL.RoleList",
    "ACL.RoleRead",
    "ACL.RoleResolve",
    "ACL.RoleSet",
    "ACL.TokenBatchRead",
    "ACL.TokenClone",
    "ACL.TokenDelete",
    "ACL.TokenList",
    "ACL.TokenRead",
    "ACL.TokenSet",
  ]),
  ...refused("ACL not found", ["ACL.GetPolicy"]),
  "ACL.ReplicationStatus": served({
    args: WHATEVER,
    reply: replicationStatus,
    answer: () => replicationStatus.zero,
  }),

  ...refused("Connect must be enabled in order to use this endpoint", [
    "ConnectCA.ConfigurationGet",
    "ConnectCA.ConfigurationSet",
    "ConnectCA.Roots",
    "ConnectCA.Sign",
    "ConnectCA.SignIntermediate",
    "DiscoveryChain.Get",
  ]),

  // Consul's servers take these with and without Connect, so that there are no words of theirs for it.
  ...refused("Config entries are not supported by this server", [
    "ConfigEntry.Apply",
    "ConfigEntry.Delete",
  ]),
  ...refused("Intentions are not supported by this server", ["Intention.Apply"]),
  ...refused("Federation states are not supported by this server", ["FederationState.Apply"]),

  "ConfigEntry.Get": noConfig((into, meta) => {
    into.text("");
    configMeta.write(into, meta);
  }),
  "ConfigEntry.List": noConfig((into, meta, Kind) => {
    into.integer(0);
    into.text(Kind);
    configList.write(into, { ...meta, Entries: [], Kind });
  }),
  "ConfigEntry.ListAll": noConfig((into, meta) => {
    into.integer(0);
    configMeta.write(into, meta);
  }),
  "ConfigEntry.ResolveServiceConfig": noConfig((into, meta) => {
    serviceConfig.write(into, { ...serviceConfig.zero, ...meta });
  }),

  ...refused("Intention not found", ["Intention.Get"]),
  "Intention.List": empty({ Intentions: ANYTHING }, { Intentions: [] }),
  "Intention.Match": served<MatchRequest, typeof matches.zero>({
    args: messageOf(MatchRequest),
    reply: matches,
    answer: async (server, wire, signal) => ({
      ...(await unchangingMeta(server, wire, signal)),
      Matches: (wire.Match.Entries ?? []).map(() => null),
    }),
  }),
  "Intention.Check": served({
    args: WHATEVER,
    reply: messageOf(struct("IntentionQueryCheckResponse", { Allowed: bool() })),
    answer: () => ({ Allowed: true }),
  }),

  "Catalog.GatewayServices": empty({ Services: ANYTHING }, { Services: null }),
  "Internal.GatewayServiceDump": empty({ Dump: ANYTHING }, { Dump: null }),
  "FederationState.Get": empty({ State: ANYTHING }, { State: null }),
  "FederationState.List": empty({ States: ANYTHING }, { States: [] }),
  "FederationState.ListMeshGateways": empty(
    { DatacenterNodes: map(ANYTHING) },
    { DatacenterNodes: {} },
  ),

  // Asked for where gateways are, of which there are none.
  "Catalog.ServiceList": served({
    args: DC_REQUEST,
    reply: serviceNames,
    answer: async (server, wire, signal) => {
      const query = { ...toQuery(wire), NodeMetaFilters: {} };
      const { value, meta } = await server.call("Catalog.ListServices", query, { signal });
      const Services = Object.keys(value.Services).map((Name) => ({ Name }));
      return { ...fromMeta(meta), Services };
    },
  }),
};
