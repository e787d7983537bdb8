/** Requests and responses as hashicorp/raft's transport sends them, and back: names for IDs, bytes for entries. */
import { RollcallError, unreachable } from "../errors/index.ts";
import {
  encodePeers,
  LOG_TYPES,
  RAFT_PROTOCOL_VERSION,
  type LogEntry,
  type RaftRequest,
  type RaftResponse,
} from "../wire/index.ts";
import { votersOf, type ServerId } from "./configuration.ts";
import { decodeConfiguration, encodeConfiguration } from "./configuration-codec.ts";
import { NO_DATA, type Entry } from "./entry.ts";
import { isHeartbeat, type Request, type Response } from "./messages.ts";
import type { Peer } from "./ports.ts";

const SNAPSHOT_VERSION = 1;
const HEADER = { ProtocolVersion: RAFT_PROTOCOL_VERSION } as const;

/** @param self whom it is from: the peers that know no IDs know it by its address */
export function toWireRequest(request: Request, self: Peer): RaftRequest {
  const address = Buffer.from(self.address);
  const sender = { ...HEADER, ID: Buffer.from(self.id), Addr: address };
  switch (request.kind) {
    case "appendEntries": {
      const body = {
        ...sender,
        Term: request.term,
        Leader: address,
        PrevLogEntry: request.previousIndex,
        PrevLogTerm: request.previousTerm,
        Entries: isHeartbeat(request) ? null : request.entries.map(toWireEntry),
        LeaderCommitIndex: request.commitIndex,
      };
      return { kind: "appendEntries", body };
    }
    case "requestVote": {
      const { term, lastIndex, lastTerm, reason } = request;
      const body = {
        ...sender,
        Term: term,
        Candidate: address,
        LastLogIndex: lastIndex,
        LastLogTerm: lastTerm,
        LeadershipTransfer: reason === "transfer",
      };
      return { kind: "requestVote", body };
    }
    case "preVote": {
      const { term, lastIndex, lastTerm } = request;
      const body = { ...sender, Term: term, LastLogIndex: lastIndex, LastLogTerm: lastTerm };
      return { kind: "requestPreVote", body };
    }
    case "installSnapshot": {
      const voters = votersOf(request.configuration).map((voter) => voter.address);
      const body = {
        ...sender,
        SnapshotVersion: SNAPSHOT_VERSION,
        Term: request.term,
        Leader: address,
        LastLogIndex: request.lastIndex,
        LastLogTerm: request.lastTerm,
        Peers: encodePeers(voters),
        Configuration: encodeConfiguration(request.configuration),
        ConfigurationIndex: request.configurationIndex,
        Size: request.sizeBytes,
      };
      return { kind: "installSnapshot", body };
    }
    case "timeoutNow":
      return { kind: "timeoutNow", body: { ...HEADER, Term: request.term } };
    default:
      return unreachable(request);
  }
}

/**
 * @param idAt whose address that is, as far as is known; an unknown one stands for itself
 * @throws {RollcallError} `wire/malformed`
 */
export function fromWireRequest(
  { kind, body }: RaftRequest,
  idAt: (address: string) => ServerId | undefined,
): Request {
  const idOf = (id: Uint8Array, address: Uint8Array): ServerId => {
    if (id.byteLength > 0) return Buffer.from(id).toString();
    const text = Buffer.from(address).toString();
    return idAt(text) ?? text;
  };
  switch (kind) {
    case "appendEntries":
      return {
        kind,
        term: body.Term,
        leader: idOf(body.ID, body.Leader),
        previousIndex: body.PrevLogEntry,
        previousTerm: body.PrevLogTerm,
        entries: (body.Entries ?? []).map(fromWireEntry),
        commitIndex: body.LeaderCommitIndex,
      };
    case "requestVote":
      return {
        kind,
        term: body.Term,
        candidate: idOf(body.ID, body.Candidate),
        lastIndex: body.LastLogIndex,
        lastTerm: body.LastLogTerm,
        reason: body.LeadershipTransfer ? "transfer" : "timeout",
      };
    case "requestPreVote":
      return {
        kind: "preVote",
        term: body.Term,
        candidate: idOf(body.ID, body.Addr),
        lastIndex: body.LastLogIndex,
        lastTerm: body.LastLogTerm,
        reason: "timeout",
      };
    case "installSnapshot":
      return {
        kind,
        term: body.Term,
        leader: idOf(body.ID, body.Leader),
        lastIndex: body.LastLogIndex,
        lastTerm: body.LastLogTerm,
        configuration: decodeConfiguration(body.Configuration),
        configurationIndex: body.ConfigurationIndex,
        sizeBytes: body.Size,
      };
    case "timeoutNow":
      return { kind, term: body.Term };
    default:
      return unreachable(kind);
  }
}

export function toWireResponse(response: Response): RaftResponse {
  switch (response.kind) {
    case "appendEntries": {
      const { term, success, lastIndex, conflict } = response;
      const body = {
        ...HEADER,
        Term: term,
        LastLog: lastIndex,
        Success: success,
        NoRetryBackoff: !success,
        ConflictTerm: conflict?.term ?? 0,
        ConflictIndex: conflict?.firstIndex ?? 0,
      };
      return { kind: "appendEntries", error: "", body };
    }
    case "requestVote": {
      const { term: Term, granted: Granted } = response;
      return { kind: "requestVote", error: "", body: { ...HEADER, Term, Granted, Peers: null } };
    }
    case "preVote": {
      const { term: Term, granted: Granted } = response;
      return { kind: "requestPreVote", error: "", body: { ...HEADER, Term, Granted } };
    }
    case "installSnapshot": {
      const { term: Term, success: Success } = response;
      return { kind: "installSnapshot", error: "", body: { ProtocolVersion: 0, Term, Success } };
    }
    case "timeoutNow":
      return { kind: "timeoutNow", error: "", body: { ProtocolVersion: 0 } };
    default:
      return unreachable(response);
  }
}

/** @throws {RollcallError} `wire/malformed` with what the other says went wrong */
export function fromWireResponse({ kind, error, body }: RaftResponse): Response {
  if (body === null || error !== "") {
    throw new RollcallError("wire/malformed", error === "" ? "a response without a body" : error);
  }
  switch (kind) {
    case "appendEntries": {
      const { Term: term, Success: success, LastLog: lastIndex } = body;
      const conflict = { term: body.ConflictTerm, firstIndex: body.ConflictIndex };
      return { kind, term, success, lastIndex, ...(conflict.firstIndex > 0 && { conflict }) };
    }
    case "requestVote":
      return { kind, term: body.Term, granted: body.Granted };
    case "requestPreVote":
      return { kind: "preVote", term: body.Term, granted: body.Granted };
    case "installSnapshot":
      return { kind, term: body.Term, success: body.Success };
    case "timeoutNow":
      return { kind };
    default:
      return unreachable(kind);
  }
}

function toWireEntry({ index, term, type, data, extensions }: Entry): LogEntry {
  const isEmpty = data.byteLength === 0 && type !== "command";
  return {
    Index: index,
    Term: term,
    Type: LOG_TYPES.indexOf(type),
    Data: isEmpty ? null : data,
    Extensions: extensions ?? null,
  };
}

function fromWireEntry({ Index, Term, Type, Data, Extensions }: LogEntry): Entry {
  const type = LOG_TYPES[Type];
  if (type === undefined) throw new RollcallError("wire/malformed", `a log entry of type ${Type}`);
  const entry = { index: Index, term: Term, type, data: Data ?? NO_DATA };
  return Extensions === null ? entry : { ...entry, extensions: Extensions };
}
