/**
 * The endpoints of the service mesh, which is not built: as a Consul with Connect disabled, they refuse what needs its
 * certificates, and know of no intentions and no configuration entries. Intentions that are not there allow everything.
 */
import { RollcallError } from "../errors/index.ts";
import {
  any,
  bool,
  goQuote,
  jsonDecoder,
  list,
  map,
  struct,
  text,
  uuidLookupFault,
} from "../model/index.ts";
import { FAILED_READ, indexHeaders } from "./answer-headers.ts";
import { jsonBody } from "./body.ts";
import type { Call } from "./call.ts";
import {
  bad,
  queryOptions,
  READ_PARAMETERS,
  refuseNamespace,
  requiredTail,
} from "./query-options.ts";
import { reply, type Reply } from "./reply.ts";
import { DEFAULT_BODY_LIMIT } from "./request-body.ts";
import { decodeRequest } from "./request-json.ts";
import { defineRoute, type Operation } from "./route.ts";

const DISABLED = "Connect must be enabled in order to use this endpoint";
const refuse = (text: string): RollcallError => new RollcallError("request/refused", text);

const NOTHING = list(any());
const MATCHES = map(NOTHING);
const ALLOWED = struct("IntentionQueryCheckResponse", { Allowed: bool() });
const AuthorizeRequest = struct("ConnectAuthorizeRequest", {
  Target: text(),
  ClientCertURI: text(),
  ClientCertSerial: text(),
});
const nothingBody = jsonBody(NOTHING);
const DELETED = struct("ConfigEntryDeleted", {});
const deletedBody = jsonBody(DELETED);
const matchesBody = jsonBody(MATCHES);
const allowedBody = jsonBody(ALLOWED);
const decodeAuthorize = jsonDecoder(AuthorizeRequest, { unknown: "refuse" });

/** Of a read that finds nothing. */
async function emptyHeaders(call: Call): Promise<readonly string[]> {
  const { Datacenter } = queryOptions(call);
  const leader = await call.needs.delegate.call("Status.Leader", { Datacenter });
  return indexHeaders({ Index: 1, KnownLeader: leader !== "", LastContactMs: 0 });
}

async function listIntentions(call: Call): Promise<Reply> {
  return reply(nothingBody([]), await emptyHeaders(call));
}

function intention({ tail }: Call): Reply {
  const fault = uuidLookupFault(tail);
  if (fault !== undefined) throw bad(`Bad request: failed intention lookup: ${fault}`);
  throw new RollcallError("request/not-found", "Intention not found");
}

function requiredParameter({ query }: Call, name: string): string {
  const value = query.get(name);
  if (value === "") throw refuse(`required query parameter '${name}' not set`);
  return value;
}

function matchIntentions(call: Call): Reply {
  const by = requiredParameter(call, "by");
  if (by !== "source" && by !== "destination") {
    throw refuse("'by' parameter must be one of 'source' or 'destination'");
  }
  requiredParameter(call, "name");
  const matches = Object.create(null) as Record<string, null>;
  for (const name of call.query.all("name")) matches[name] = null;
  return reply(matchesBody(matches));
}

function checkIntentions(call: Call): Reply {
  requiredParameter(call, "source");
  requiredParameter(call, "destination");
  return reply(allowedBody({ Allowed: true }));
}

const ENTRY_KINDS: ReadonlySet<string> = new Set([
  "service-defaults",
  "proxy-defaults",
  "service-router",
  "service-splitter",
  "service-resolver",
  "ingress-gateway",
  "terminating-gateway",
]);

/** Deleting what is not there is no mistake. */
function deleteConfigEntry({ tail }: Call): Reply {
  const slash = tail.indexOf("/");
  if (slash === -1) {
    const text = "Must provide both a kind and name to delete";
    throw new RollcallError("request/not-found", text);
  }
  const kind = tail.slice(0, slash);
  if (!ENTRY_KINDS.has(kind)) throw bad(`invalid config entry kind: ${kind}`);
  return reply(deletedBody({}));
}

async function configEntries(call: Call): Promise<Reply> {
  refuseNamespace(call);
  const slash = call.tail.indexOf("/");
  const kind = slash === -1 ? call.tail : call.tail.slice(0, slash);
  if (call.tail !== "" && !ENTRY_KINDS.has(kind))
    throw refuse(`invalid config entry kind: ${kind}`);
  const headers = await emptyHeaders(call);
  if (slash === -1) return reply(nothingBody([]), headers);
  const name = call.tail.slice(slash + 1);
  call.errorHeaders = headers;
  const missing = `Config entry not found for ${goQuote(kind)} / ${goQuote(name)}`;
  throw new RollcallError("request/not-found", missing);
}

async function authorize(call: Call): Promise<Reply> {
  const bytes = await call.readBody(DEFAULT_BODY_LIMIT);
  const { ClientCertURI } = decodeRequest(bytes, decodeAuthorize);
  if (ClientCertURI.startsWith("spiffe://")) throw refuse(DISABLED);
  throw bad("Bad request: ClientCertURI not a valid Connect identifier");
}

function refused(summary: string): Operation {
  return {
    summary: `${summary}: the mesh is not enabled`,
    query: READ_PARAMETERS,
    answerHeaders: "none",
    answers: { 500: { description: DISABLED } },
    handle: () => {
      throw refuse(DISABLED);
    },
  };
}

/** As a read that failed. */
function refusedRead(summary: string): Operation {
  return {
    ...refused(summary),
    handle: (call) => {
      call.errorHeaders = FAILED_READ;
      throw refuse(DISABLED);
    },
  };
}

function refusedChain(summary: string): Operation {
  const operation = refusedRead(summary);
  return {
    ...operation,
    answers: { ...operation.answers, 400: { description: "No service given" } },
    handle: (call) => {
      requiredTail(call, "Bad request: Missing chain name");
      return operation.handle(call);
    },
  };
}

const TAG = "Service mesh";
const parameter = (description: string) => ({ description, type: "text" as const });

export const meshRoutes = [
  defineRoute("/v1/connect/ca/roots", TAG, { GET: refusedRead("Root certificates") }),
  defineRoute("/v1/connect/ca/configuration", TAG, {
    GET: refused("Configuration of the certificate authority"),
    PUT: refused("Configure the certificate authority"),
  }),
  defineRoute("/v1/agent/connect/ca/roots", TAG, { GET: refused("Root certificates") }),
  defineRoute("/v1/agent/connect/ca/leaf/:service", TAG, {
    GET: refused("A service's certificate"),
  }),
  defineRoute("/v1/agent/connect/authorize", TAG, {
    POST: {
      ...refused("Whether a client may connect"),
      requestBody: { description: "Who wants to connect to what", schema: AuthorizeRequest },
      handle: authorize,
    },
  }),
  defineRoute("/v1/discovery-chain/:service", TAG, {
    GET: refusedChain("How a service is found"),
    POST: refusedChain("How a service would be found"),
  }),
  defineRoute("/v1/connect/intentions", TAG, {
    GET: {
      summary: "All intentions: none",
      query: READ_PARAMETERS,
      answerHeaders: "index",
      answers: { 200: { description: "Empty", schema: NOTHING } },
      handle: listIntentions,
    },
    POST: refused("Create an intention"),
  }),
  defineRoute("/v1/connect/intentions/match", TAG, {
    GET: {
      summary: "Intentions about services: none",
      query: {
        ...READ_PARAMETERS,
        by: parameter("source or destination"),
        name: { ...parameter("Service; may be given more than once"), repeatable: true },
      },
      answerHeaders: "none",
      answers: { 200: { description: "null for each service", schema: MATCHES } },
      handle: matchIntentions,
    },
  }),
  defineRoute("/v1/connect/intentions/check", TAG, {
    GET: {
      summary: "Whether a service may connect to another",
      query: {
        ...READ_PARAMETERS,
        source: parameter("Service that connects"),
        destination: parameter("Service that it connects to"),
      },
      answerHeaders: "none",
      answers: { 200: { description: "Nothing forbids it", schema: ALLOWED } },
      handle: checkIntentions,
    },
  }),
  defineRoute("/v1/connect/intentions/:intention", TAG, {
    GET: {
      summary: "One intention: there is none",
      query: READ_PARAMETERS,
      answerHeaders: "none",
      answers: { 400: { description: "No UUID" }, 404: { description: "No such intention" } },
      handle: intention,
    },
    PUT: refused("Replace an intention"),
    DELETE: refused("Delete an intention"),
  }),
  defineRoute("/v1/config", TAG, { PUT: refused("Write a configuration entry") }),
  defineRoute("/v1/config/:kindAndName", TAG, {
    GET: {
      summary: "Configuration entries of a kind, or the one with a name: none",
      query: READ_PARAMETERS,
      answerHeaders: "index",
      answers: {
        200: { description: "Empty", schema: NOTHING },
        404: { description: "No such entry" },
      },
      handle: configEntries,
    },
    DELETE: {
      summary: "Delete a configuration entry: there is none",
      query: READ_PARAMETERS,
      answerHeaders: "none",
      answers: {
        200: { description: "Gone, if it was there", schema: DELETED },
        400: { description: "No kind of entry" },
        404: { description: "No kind or no name given" },
      },
      handle: deleteConfigEntry,
    },
  }),
];
