/**
 * All that travels, twice: by our name of a method, for asking; by the name on the wire, for answering. Where Consul
 * has one method for two of ours, a field of the arguments tells which is meant.
 */
import { CATALOG } from "./exchange-catalog.ts";
import type { Exchange, Served } from "./exchange.ts";
import { HEALTH } from "./exchange-health.ts";
import { KV } from "./exchange-kv.ts";
import { SESSION } from "./exchange-session.ts";
import type { RemoteMethodName } from "./remote-methods.ts";

type Asking = { readonly [M in RemoteMethodName]: Exchange<M> };

export const EXCHANGES: Partial<Asking> = { ...CATALOG, ...HEALTH, ...KV, ...SESSION };

/** By the name on the wire. Of two of ours that share one, the one that is called so answers for both. */
export const SERVED: ReadonlyMap<string, Served> = new Map<string, Served>(
  Object.entries(EXCHANGES).filter(([method, { name }]) => method === name),
);
