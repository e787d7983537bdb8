/** `/v1/session` (Consul HTTP API, "Sessions"). */
import { RollcallError } from "../errors/index.ts";
import {
  bool,
  jsonDecoder,
  list,
  SECOND,
  SERF_HEALTH,
  Session,
  struct,
  text,
} from "../model/index.ts";
import { indexHeaders, read } from "./answer-headers.ts";
import { cachedJsonBody, jsonBody } from "./body.ts";
import type { Call } from "./call.ts";
import {
  DC_PARAMETERS,
  queryOptions,
  READ_PARAMETERS,
  refuseNamespace,
  requiredTail,
} from "./query-options.ts";
import { reply, type Reply } from "./reply.ts";
import { DEFAULT_BODY_LIMIT } from "./request-body.ts";
import { decodeRequest } from "./request-json.ts";
import { defineRoute } from "./route.ts";

const SESSIONS = list(Session);
const CREATED = struct("sessionCreateResponse", { ID: text() });
type Sessions = { readonly Sessions: readonly Session[] };

const sessionsBody = cachedJsonBody(SESSIONS, ({ Sessions }: Sessions) => Sessions);
const createdBody = jsonBody(CREATED);
const destroyedBody = jsonBody(bool());

const DEFAULT_LOCK_DELAY = 15 * SECOND;
/** Numbers below this are seconds: the first clients wrote them so. */
const LOCK_DELAY_MIN_NS = 1000;

/** No node is called so. */
const NO_NODE = "\0";

const BLANK_SESSION: Session = {
  ID: "",
  Name: "",
  Node: NO_NODE,
  LockDelay: DEFAULT_LOCK_DELAY,
  Behavior: "release",
  TTL: "",
  NodeChecks: [SERF_HEALTH],
  ServiceChecks: null,
  Checks: [SERF_HEALTH],
  CreateIndex: 0,
  ModifyIndex: 0,
};
const decodeSession = jsonDecoder(Session, { unknown: "ignore", initial: BLANK_SESSION });

async function create(call: Call): Promise<Reply> {
  refuseNamespace(call);
  const bytes = await call.readBody(DEFAULT_BODY_LIMIT);
  const { nodeName } = call.config;
  const session =
    bytes.length === 0
      ? sessionOf("{}", nodeName)
      : decodeRequest(bytes, (json) => sessionOf(json, nodeName));
  const ID = await call.needs.delegate.call("Session.Apply", {
    Datacenter: call.query.get("dc"),
    Op: "create",
    Session: session,
  });
  return reply(createdBody({ ID }));
}

/** A body that names no node means ours. One that names the empty node is refused further on. */
function sessionOf(json: string, nodeName: string): Session {
  const given = decodeSession(json);
  const { LockDelay } = given;
  return {
    ...given,
    Node: given.Node === NO_NODE ? nodeName : given.Node,
    LockDelay: LockDelay < LOCK_DELAY_MIN_NS ? LockDelay * SECOND : LockDelay,
    ...checksOf(given),
  };
}

/** `Checks` is the older name of `NodeChecks`: emptying either takes the default check away. */
function checksOf({ NodeChecks, Checks }: Session): Pick<Session, "NodeChecks" | "Checks"> {
  if (Checks === null || Checks.length === 0) return { NodeChecks: [], Checks: null };
  const isDefault = Checks.length === 1 && Checks[0] === SERF_HEALTH;
  return { NodeChecks, Checks: isDefault || NodeChecks?.length === 0 ? null : Checks };
}

async function destroy(call: Call): Promise<Reply> {
  refuseNamespace(call);
  const ID = requiredTail(call, "Missing session");
  await call.needs.delegate.call("Session.Apply", {
    Datacenter: call.query.get("dc"),
    Op: "destroy",
    Session: { ...BLANK_SESSION, ID, Node: "" },
  });
  return reply(destroyedBody(true));
}

async function renew(call: Call): Promise<Reply> {
  refuseNamespace(call);
  const { Datacenter } = queryOptions(call);
  const SessionID = requiredTail(call, "Missing session");
  const found = await call.needs.delegate.call("Session.Renew", { Datacenter, SessionID });
  if (found.Sessions.length > 0) return reply(sessionsBody(found));
  throw new RollcallError("request/not-found", `Session id '${SessionID}' not found`);
}

async function info(call: Call): Promise<Reply> {
  refuseNamespace(call);
  const options = queryOptions(call);
  const SessionID = requiredTail(call, "Missing session");
  const { value, meta } = await read(call, "Session.Get", { ...options, SessionID });
  return reply(sessionsBody(value), indexHeaders(meta));
}

async function listAll(call: Call): Promise<Reply> {
  refuseNamespace(call);
  const { value, meta } = await read(call, "Session.List", queryOptions(call));
  return reply(sessionsBody(value), indexHeaders(meta));
}

async function listOfNode(call: Call): Promise<Reply> {
  refuseNamespace(call);
  const options = queryOptions(call);
  const Node = requiredTail(call, "Missing node name");
  const { value, meta } = await read(call, "Session.NodeSessions", { ...options, Node });
  return reply(sessionsBody(value), indexHeaders(meta));
}

const TAG = "Sessions";
const LISTED = { 200: { description: "The sessions", schema: SESSIONS } };

export const sessionRoutes = [
  defineRoute("/v1/session/create", TAG, {
    PUT: {
      summary: "Create a session",
      description: "Without a body: a session of this agent's node, tied to its serfHealth.",
      query: DC_PARAMETERS,
      requestBody: { description: "What differs from the default", schema: Session },
      answerHeaders: "none",
      answers: {
        200: { description: "The new session's ID", schema: CREATED },
        400: { description: "The body is no session" },
      },
      handle: create,
    },
  }),
  defineRoute("/v1/session/destroy/:session", TAG, {
    PUT: {
      summary: "Destroy a session: its locks are released, or its keys deleted",
      query: DC_PARAMETERS,
      answerHeaders: "none",
      answers: {
        200: { description: "true, also if there was no such session", schema: bool() },
        400: { description: "No session given" },
      },
      handle: destroy,
    },
  }),
  defineRoute("/v1/session/renew/:session", TAG, {
    PUT: {
      summary: "Start a session's TTL again",
      query: READ_PARAMETERS,
      answerHeaders: "none",
      answers: {
        ...LISTED,
        400: { description: "No session given" },
        404: { description: "No such session" },
      },
      handle: renew,
    },
  }),
  defineRoute("/v1/session/info/:session", TAG, {
    GET: {
      summary: "One session",
      query: READ_PARAMETERS,
      answerHeaders: "index",
      answers: { ...LISTED, 400: { description: "No session given" } },
      handle: info,
    },
  }),
  defineRoute("/v1/session/node/:node", TAG, {
    GET: {
      summary: "Sessions of a node",
      query: READ_PARAMETERS,
      answerHeaders: "index",
      answers: { ...LISTED, 400: { description: "No node given" } },
      handle: listOfNode,
    },
  }),
  defineRoute("/v1/session/list", TAG, {
    GET: {
      summary: "All sessions, sorted by ID",
      query: READ_PARAMETERS,
      answerHeaders: "index",
      answers: LISTED,
      handle: listAll,
    },
  }),
];
