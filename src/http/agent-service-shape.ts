/** A service of this agent as `/v1/agent` shows it: other fields, and in another order, than in the catalog. */
import {
  bool,
  ConnectProxyConfig,
  int,
  list,
  map,
  omitEmpty,
  pointer,
  ServiceAddress,
  ServiceConnect,
  struct,
  text,
  Weights,
  type NodeService,
  type Static,
} from "../model/index.ts";

export const AgentService = struct("AgentService", {
  Kind: omitEmpty(text()),
  ID: text(),
  Service: text(),
  Tags: list(text()),
  Meta: map(text()),
  Port: int(),
  Address: text(),
  TaggedAddresses: omitEmpty(map(ServiceAddress)),
  Weights,
  EnableTagOverride: bool(),
  ContentHash: omitEmpty(text({ description: "Changes when the definition does" })),
  Proxy: omitEmpty(pointer(ConnectProxyConfig)),
  Connect: omitEmpty(pointer(ServiceConnect)),
});
export type AgentService = Static<typeof AgentService>;

const NO_TAGS: readonly string[] = [];
const NO_META: Readonly<Record<string, string>> = {};

export function agentService(service: NodeService, contentHash = ""): AgentService {
  return {
    Kind: service.Kind,
    ID: service.ID,
    Service: service.Service,
    Tags: service.Tags ?? NO_TAGS,
    Meta: service.Meta ?? NO_META,
    Port: service.Port,
    Address: service.Address,
    TaggedAddresses: service.TaggedAddresses,
    Weights: service.Weights,
    EnableTagOverride: service.EnableTagOverride,
    ContentHash: contentHash,
    Proxy: service.Kind === "" ? null : service.Proxy,
    Connect: service.Connect.Native ? service.Connect : null,
  };
}
