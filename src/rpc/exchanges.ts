/**
 * All that travels, twice: by our name of a method, for asking; by the name on the wire, for answering. Where Consul
 * has one method for two of ours, a field of the arguments tells which is meant.
 */
import { RollcallError } from "../errors/index.ts";
import { CATALOG } from "./exchange-catalog.ts";
import { COORDINATE } from "./exchange-coordinate.ts";
import type { Exchange, Served } from "./exchange.ts";
import { HEALTH } from "./exchange-health.ts";
import { INTERNAL } from "./exchange-internal.ts";
import { KV } from "./exchange-kv.ts";
import { OPERATOR, OPERATOR_SERVED } from "./exchange-operator.ts";
import { PREPARED_QUERY } from "./exchange-prepared-query.ts";
import { SERVERS, SERVERS_SERVED } from "./exchange-servers.ts";
import { SESSION } from "./exchange-session.ts";
import { STATUS } from "./exchange-status.ts";
import { TXN } from "./exchange-txn.ts";
import type { RemoteMethodName } from "./remote-methods.ts";
import { UNBUILT } from "./unbuilt.ts";

type Asking = { readonly [M in RemoteMethodName]: Exchange<M> };

export const EXCHANGES: Asking = {
  ...STATUS,
  ...CATALOG,
  ...HEALTH,
  ...KV,
  ...SESSION,
  ...PREPARED_QUERY,
  ...INTERNAL,
  ...COORDINATE,
  ...OPERATOR,
  ...SERVERS,
  ...TXN,
};

/** Ours, and called otherwise on the wire. */
const ASKED_ONLY: ReadonlySet<string> = new Set<RemoteMethodName>([
  "Catalog.ConnectNodes",
  "Health.ConnectNodes",
  "Operator.RaftRemovePeer",
]);
const SAME_NAMED: readonly (readonly [string, Served])[] = Object.entries(EXCHANGES).filter(
  ([method]) => !ASKED_ONLY.has(method),
);

/** By the name on the wire. */
const SERVED: ReadonlyMap<string, Served> = new Map([
  ...SAME_NAMED,
  ...Object.entries(OPERATOR_SERVED),
  ...Object.entries(SERVERS_SERVED),
  ...Object.entries(UNBUILT),
]);
const serviceOf = (method: string): string => method.slice(0, method.lastIndexOf("."));
const SERVICES: ReadonlySet<string> = new Set([...SERVED.keys()].map(serviceOf));

/** @throws {RollcallError} `request/refused` for a name that nothing is behind, in the words of Go's net/rpc */
export function servedAs(name: string): Served {
  const found = SERVED.get(name);
  if (found !== undefined) return found;
  if (!name.includes(".")) throw refused(`rpc: service/method request ill-formed: ${name}`);
  const what = SERVICES.has(serviceOf(name)) ? "method" : "service";
  throw refused(`rpc: can't find ${what} ${name}`);
}

const refused = (why: string): RollcallError => new RollcallError("request/refused", why);
