/** The nouns of prepared queries (Consul HTTP API, "Prepared Queries"), as HTTP prints them and the log carries them. */
import { bool, int, list, map, struct, text, type Static } from "./schema.ts";

const QueryTemplateOptions = struct("QueryTemplateOptions", {
  Type: text({ description: "name_prefix_match, or empty: no template" }),
  Regexp: text({ description: "Applied to the whole name; match(n) is what its groups capture" }),
  RemoveEmptyTags: bool(),
});

const QueryDatacenterOptions = struct("QueryDatacenterOptions", {
  NearestN: int({ description: "How many other datacenters to try, nearest first" }),
  Datacenters: list(text(), { description: "Datacenters to try after those" }),
});

const ServiceQuery = struct("ServiceQuery", {
  Service: text(),
  Failover: QueryDatacenterOptions,
  OnlyPassing: bool(),
  IgnoreCheckIDs: list(text()),
  Near: text({ description: "Node to sort by distance from; _agent, _ip" }),
  Tags: list(text(), { description: "All must be there; with a ! in front, must not" }),
  NodeMeta: map(text()),
  ServiceMeta: map(text()),
  Connect: bool(),
});

export const QueryDnsOptions = struct("QueryDNSOptions", {
  TTL: text({ description: "Go duration; empty for that of the service" }),
});

export const PreparedQuery = struct("PreparedQuery", {
  ID: text(),
  Name: text(),
  Session: text({ description: "The query goes when this session does" }),
  Token: text(),
  Template: QueryTemplateOptions,
  Service: ServiceQuery,
  DNS: QueryDnsOptions,
  CreateIndex: int(),
  ModifyIndex: int(),
});
export type PreparedQuery = Static<typeof PreparedQuery>;

/** Body of log command 7. A delete carries only the ID. */
export const PreparedQueryRequest = struct(
  "PreparedQueryRequest",
  { Datacenter: text(), Op: text<"create" | "update" | "delete">(), Query: PreparedQuery },
  { Token: text() },
);
export type PreparedQueryRequest = Static<typeof PreparedQueryRequest>;

export const BLANK_QUERY: PreparedQuery = {
  ID: "",
  Name: "",
  Session: "",
  Token: "",
  Template: { Type: "", Regexp: "", RemoveEmptyTags: false },
  Service: {
    Service: "",
    Failover: { NearestN: 0, Datacenters: null },
    OnlyPassing: false,
    IgnoreCheckIDs: null,
    Near: "",
    Tags: null,
    NodeMeta: null,
    ServiceMeta: null,
    Connect: false,
  },
  DNS: { TTL: "" },
  CreateIndex: 0,
  ModifyIndex: 0,
};
