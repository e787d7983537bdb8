/** How the methods of sessions travel. */
import {
  list,
  messageOf,
  Session,
  SessionRequest,
  struct,
  text,
  type Static,
} from "../model/index.ts";
import { answerCodec, inDatacenter, plain, read, TEXT } from "./exchange.ts";
import { DEFAULT_QUERY } from "./methods.ts";
import { fromMeta, fromQuery, QUERY_OPTIONS, toQuery } from "./query-shapes.ts";

const SESSIONS = { Sessions: list(Session) };
/** Callers say the ID twice; who says it once says it in either. */
const SPECIFIC = { Session: text(), SessionID: text() };
const SpecificRequest = struct("SessionSpecificRequest", { ...QUERY_OPTIONS, ...SPECIFIC });
type SpecificRequest = Static<typeof SpecificRequest>;
const idOf = (wire: { readonly Session: string; readonly SessionID: string }): string =>
  wire.SessionID === "" ? wire.Session : wire.SessionID;

const sessionsAnswer = answerCodec("IndexedSessions", SESSIONS);

export const SESSION = {
  "Session.Apply": plain<"Session.Apply", SessionRequest, string>({
    name: "Session.Apply",
    args: messageOf(SessionRequest),
    reply: TEXT,
    fromArgs: (args, datacenter) => ({
      ...args,
      Datacenter: inDatacenter(args.Datacenter, datacenter),
    }),
    toReply: (wire) => wire,
    answer: (server, wire, signal) => server.call("Session.Apply", wire, { signal }),
  }),
  "Session.Get": read({
    method: "Session.Get",
    args: SPECIFIC,
    reply: SESSIONS,
    toArgs: (wire) => ({ ...toQuery(wire), SessionID: idOf(wire) }),
    fromArgs: ({ SessionID }) => ({ SessionID, Session: SessionID }),
    toValue: ({ Sessions }) => ({ Sessions: Sessions ?? [] }),
    fromValue: ({ Sessions }) => ({ Sessions }),
  }),
  "Session.List": read({
    method: "Session.List",
    args: SPECIFIC,
    reply: SESSIONS,
    toArgs: toQuery,
    fromArgs: () => ({ Session: "", SessionID: "" }),
    toValue: ({ Sessions }) => ({ Sessions: Sessions ?? [] }),
    fromValue: ({ Sessions }) => ({ Sessions }),
  }),
  "Session.NodeSessions": read({
    method: "Session.NodeSessions",
    args: { Node: text() },
    reply: SESSIONS,
    toArgs: (wire) => ({ ...toQuery(wire), Node: wire.Node }),
    fromArgs: ({ Node }) => ({ Node }),
    toValue: ({ Sessions }) => ({ Sessions: Sessions ?? [] }),
    fromValue: ({ Sessions }) => ({ Sessions }),
  }),
  "Session.Renew": plain<"Session.Renew", SpecificRequest, typeof sessionsAnswer.zero>({
    name: "Session.Renew",
    args: messageOf(SpecificRequest),
    reply: sessionsAnswer,
    fromArgs: ({ Datacenter, SessionID }, datacenter) => ({
      ...fromQuery({ ...DEFAULT_QUERY, Datacenter }, datacenter),
      SessionID,
      Session: SessionID,
    }),
    toReply: ({ Sessions, Index }) => ({ Sessions: Sessions ?? [], Index }),
    answer: async (server, wire, signal) => {
      const args = { Datacenter: wire.Datacenter, SessionID: idOf(wire) };
      const { Sessions, Index } = await server.call("Session.Renew", args, { signal });
      // To Consul's agents an empty list is a session that was renewed; null is one that is not there.
      const found = Sessions.length === 0 ? null : Sessions;
      return { ...fromMeta({ Index, KnownLeader: false, LastContactMs: 0 }), Sessions: found };
    },
  }),
};
