/** The Session endpoint: liveness contracts that locks are held under. */
import { RollcallError } from "../errors/index.ts";
import {
  HOUR,
  MILLISECOND,
  durationError,
  formatDuration,
  parseDuration,
  uuidFrom,
  uuidLookupFault,
  type Session,
} from "../model/index.ts";
import type { Methods, NodeQuery, QueryOptions } from "../rpc/index.ts";
import { row, type IndexView } from "../store/index.ts";
import type { EndpointContext } from "./context.ts";
import { questionOf, requireDatacenter, type Query } from "./query.ts";

const refuse = (text: string): RollcallError => new RollcallError("request/refused", text);
const TTL_MAX_NS = 24 * HOUR;

export async function apply(
  context: EndpointContext,
  request: Methods["Session.Apply"]["args"],
): Promise<string> {
  requireDatacenter(context, request.Datacenter);
  const { Op } = request;
  if (Op === "create") checkNew(context, request.Session);
  else requireUuid(request.Session.ID);
  const Session = Op === "create" ? withId(context, request.Session) : request.Session;
  const body = { Datacenter: context.datacenter, Op, Session };
  const result = await context.apply({ type: "Session", body });
  if (result.kind === "refused") throw result.error;
  return Session.ID;
}

function checkNew({ limits }: EndpointContext, session: Session): void {
  if (session.Node === "") throw refuse("Must provide Node");
  if (!["", "release", "delete"].includes(session.Behavior)) {
    throw refuse(`Invalid Behavior setting '${session.Behavior}'`);
  }
  if (session.TTL === "") return;
  const ttlNs = parseDuration(session.TTL);
  if (ttlNs === undefined) {
    throw refuse(`Session TTL '${session.TTL}' invalid: ${durationError(session.TTL)}`);
  }
  const minNs = limits.sessionTtlMinMs * MILLISECOND;
  if (ttlNs !== 0 && (ttlNs < minNs || ttlNs > TTL_MAX_NS)) {
    const bounds = `${formatDuration(minNs)}=${formatDuration(TTL_MAX_NS)}`;
    throw refuse(`Invalid Session TTL '${ttlNs}', must be between [${bounds}]`);
  }
}

function withId({ platform, store }: EndpointContext, session: Session): Session {
  for (;;) {
    const ID = uuidFrom(platform.random.bytes(16));
    if (store.view().session(ID) === undefined) return { ...session, ID };
  }
}

function requireUuid(id: string): void {
  const fault = uuidLookupFault(id);
  if (fault !== undefined) throw refuse(`failed session lookup: ${fault}`);
}

type Sessions = { readonly Sessions: readonly Session[] };
const answersSessions = {
  index: (indexes: IndexView): number => indexes.index(row.sessions),
  weight: ({ Sessions }: Sessions): number => Sessions.length,
};

export function get({ SessionID }: QueryOptions & { SessionID: string }): Query<Sessions> {
  requireUuid(SessionID);
  return {
    question: questionOf("Session.Get", SessionID),
    evaluate: (view) => {
      const session = view.session(SessionID);
      return { Sessions: session === undefined ? [] : [session] };
    },
    ...answersSessions,
  };
}

export function list(): Query<Sessions> {
  return {
    question: questionOf("Session.List"),
    evaluate: (view) => ({ Sessions: view.sessions() }),
    ...answersSessions,
  };
}

export function nodeSessions({ Node }: NodeQuery): Query<Sessions> {
  return {
    question: questionOf("Session.NodeSessions", Node),
    evaluate: (view) => ({ Sessions: view.sessionsOfNode(Node) }),
    ...answersSessions,
  };
}

export function renew(
  context: EndpointContext,
  { Datacenter, SessionID }: Methods["Session.Renew"]["args"],
): Methods["Session.Renew"]["reply"] {
  requireDatacenter(context, Datacenter);
  requireUuid(SessionID);
  const view = context.store.view();
  const session = view.session(SessionID);
  const Index = view.index(row.sessions);
  if (session === undefined) return { Sessions: [], Index };
  context.sessionTimers.renew(SessionID);
  return { Sessions: [session], Index };
}
