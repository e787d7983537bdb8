/** What every query carries, and what every answer says about itself, as Consul's structs have it. */
import {
  bool,
  duration,
  int,
  map,
  messageOf,
  MILLISECOND,
  struct,
  text,
  type FieldSchema,
  type Static,
  type TSchema,
} from "../model/index.ts";
import { DEFAULT_QUERY, type QueryMeta, type QueryOptions } from "./methods.ts";

export const QUERY_OPTIONS = {
  Datacenter: text(),
  AllowStale: bool(),
  Filter: text(),
  MaxAge: duration(),
  MaxQueryTime: duration(),
  MaxStaleDuration: duration(),
  MinQueryIndex: int(),
  MustRevalidate: bool(),
  RequireConsistent: bool(),
  StaleIfError: duration(),
  Token: text(),
  UseCache: bool(),
};
export type WireQuery = {
  readonly [K in keyof typeof QUERY_OPTIONS]: Static<(typeof QUERY_OPTIONS)[K]>;
};

export const QUERY_META = {
  ConsistencyLevel: text(),
  Index: int(),
  KnownLeader: bool(),
  LastContact: duration(),
};
type WireMeta = { readonly [K in keyof typeof QUERY_META]: Static<(typeof QUERY_META)[K]> };

/** Where a question comes from, to sort by distance from there. */
export const QUERY_SOURCE = struct("QuerySource", {
  Datacenter: text(),
  Ip: text(),
  Node: text(),
  Segment: text(),
});
export type QuerySource = Static<typeof QUERY_SOURCE>;
export const NO_SOURCE: QuerySource = { Datacenter: "", Ip: "", Node: "", Segment: "" };

/** The fields of `DCSpecificRequest` and of most others that list what is on nodes. */
export const NODE_QUERY = { NodeMetaFilters: map(text()), Source: QUERY_SOURCE };
type NodeFields = { readonly [K in keyof typeof NODE_QUERY]: Static<(typeof NODE_QUERY)[K]> };
/** For a query that has no use for them. */
export const noNodeFields = (): NodeFields => ({ NodeMetaFilters: null, Source: NO_SOURCE });

/** What methods take that are not told more than a datacenter. */
export const DC_REQUEST = messageOf(
  struct("DCSpecificRequest", { ...QUERY_OPTIONS, ...NODE_QUERY }),
);
export type DcRequest = typeof DC_REQUEST.zero;
export const dcRequest = (Datacenter: string, own: string): DcRequest => ({
  ...fromQuery({ ...DEFAULT_QUERY, Datacenter }, own),
  ...noNodeFields(),
});

/**
 * A field that Consul's struct does not have: left out while it is zero, so that who does not know it need not skip
 * it, and who does not send it has the zero.
 */
export function extra<T extends TSchema>(field: T): T {
  return { ...(field as FieldSchema), "x-extra": true } as unknown as T;
}

export function toQuery(wire: WireQuery): QueryOptions {
  const { Datacenter, Token, MinQueryIndex, MaxQueryTime, MaxStaleDuration, Filter } = wire;
  return {
    Datacenter,
    Token,
    MinQueryIndex,
    MaxQueryTimeMs: Math.max(0, Math.ceil(MaxQueryTime / MILLISECOND)),
    Consistency: wire.RequireConsistent ? "consistent" : wire.AllowStale ? "stale" : "default",
    MaxStaleMs: MaxStaleDuration > 0 ? MaxStaleDuration / MILLISECOND : undefined,
    Filter,
  };
}

/** @param datacenter for a query that names none: servers take no empty name for their own */
export function fromQuery(query: QueryOptions, datacenter: string): WireQuery {
  return {
    Datacenter: query.Datacenter === "" ? datacenter : query.Datacenter,
    AllowStale: query.Consistency === "stale",
    Filter: query.Filter,
    MaxAge: 0,
    MaxQueryTime: Math.round(query.MaxQueryTimeMs * MILLISECOND),
    MaxStaleDuration: Math.round((query.MaxStaleMs ?? 0) * MILLISECOND),
    MinQueryIndex: query.MinQueryIndex,
    MustRevalidate: false,
    RequireConsistent: query.Consistency === "consistent",
    StaleIfError: 0,
    Token: query.Token,
    UseCache: false,
  };
}

/** Coordinates are compared within a datacenter only: elsewhere a source does not say where to sort from. */
export function toNear(wire: { readonly Datacenter: string; readonly Source: QuerySource }): {
  readonly Near?: string;
} {
  const { Source } = wire;
  return Source.Node !== "" && Source.Datacenter === wire.Datacenter ? { Near: Source.Node } : {};
}

export function fromNear(query: QueryOptions, datacenter: string): QuerySource {
  const { Near = "" } = query;
  if (Near === "") return NO_SOURCE;
  const Datacenter = query.Datacenter === "" ? datacenter : query.Datacenter;
  return { ...NO_SOURCE, Datacenter, Node: Near };
}

export function toMeta(wire: WireMeta): QueryMeta {
  const { Index, KnownLeader, LastContact } = wire;
  // What nobody can wait for has 0.
  return { Index: Math.max(1, Index), KnownLeader, LastContactMs: LastContact / MILLISECOND };
}

export function fromMeta({ Index, KnownLeader, LastContactMs }: QueryMeta): WireMeta {
  const LastContact = Math.round(LastContactMs * MILLISECOND);
  return { ConsistencyLevel: "", Index, KnownLeader, LastContact };
}
