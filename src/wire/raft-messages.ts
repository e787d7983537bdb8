/**
 * What servers ask of each other to keep one log (hashicorp/raft 1.1, net_transport.go and commands.go). Each
 * command is a type byte and a msgpack map; each reply an error text and, unless it is nil, a msgpack map.
 *
 *     request   u8 type │ map │ for installSnapshot: Size raw bytes
 *     reply     text error, "" = none │ map, or nil
 *
 * One direction of a connection is a run of these (raft-stream.ts); replies come in the order of the requests.
 * Entries and configurations are in raft-log.ts.
 */
import { malformed } from "./malformed.ts";
import { codecOf, type Codec } from "./msgpack-codec.ts";
import type { MsgpackReader } from "./msgpack-reader.ts";
import {
  bool,
  bytes,
  int64,
  list,
  nullable,
  omitEmpty,
  struct,
  text,
  uint64,
  type Fields,
  type ValueOf,
} from "./msgpack-schema.ts";
import { MsgpackWriter } from "./msgpack-writer.ts";
import { LOG_ENTRY } from "./raft-log.ts";

/** Index = type byte: append only. `requestPreVote` is raft 1.7's; who does not know a type hangs up on it. */
const RAFT_COMMANDS = [
  "appendEntries",
  "requestVote",
  "installSnapshot",
  "timeoutNow",
  "requestPreVote",
] as const;
export type RaftCommand = (typeof RAFT_COMMANDS)[number];

/** The version of the protocol between servers that Consul 1.8 speaks. */
export const RAFT_PROTOCOL_VERSION = 3;

/** In every message. Go's transport answers `installSnapshot` and `timeoutNow` with 0. */
const HEADER = { ProtocolVersion: int64 } as const;

/** Who sends, by ID and "ip:port": read from raft 1.3 on, passed over by earlier versions. Left out if empty. */
const SENDER = { ID: omitEmpty(bytes), Addr: omitEmpty(bytes) } as const;

/** `Leader` and `Candidate` are the bytes of the sender's "ip:port". */
const REQUESTS = {
  appendEntries: struct({
    ...HEADER,
    ...SENDER,
    Term: uint64,
    Leader: bytes,
    PrevLogEntry: uint64,
    PrevLogTerm: uint64,
    /** Null in a heartbeat; empty where there is only a commit index to tell. */
    Entries: nullable(list(LOG_ENTRY)),
    LeaderCommitIndex: uint64,
  }),
  requestVote: struct({
    ...HEADER,
    ...SENDER,
    Term: uint64,
    Candidate: bytes,
    LastLogIndex: uint64,
    LastLogTerm: uint64,
    /** Asked for by the leader itself: to be granted even while there is one. */
    LeadershipTransfer: bool,
  }),
  installSnapshot: struct({
    ...HEADER,
    ...SENDER,
    SnapshotVersion: int64,
    Term: uint64,
    Leader: bytes,
    LastLogIndex: uint64,
    LastLogTerm: uint64,
    /** `encodePeers` of the voters: all that versions below 3 know. */
    Peers: bytes,
    /** `encodeConfiguration`. */
    Configuration: bytes,
    ConfigurationIndex: uint64,
    /** How many bytes of snapshot follow. */
    Size: int64,
  }),
  /** `Term`: of the leader that says so. Ours alone: without it, a late one cannot be told. Left out if 0. */
  timeoutNow: struct({ ...HEADER, Term: omitEmpty(uint64) }),
  /** Raft 1.7. */
  requestPreVote: struct({
    ...HEADER,
    ID: bytes,
    Addr: bytes,
    Term: uint64,
    LastLogIndex: uint64,
    LastLogTerm: uint64,
  }),
} as const;

const RESPONSES = {
  appendEntries: struct({
    ...HEADER,
    Term: uint64,
    /** Of the receiver, as it was before the entries: from where to try next. */
    LastLog: uint64,
    Success: bool,
    /** Refused for what the logs hold, so that trying again at once makes sense. */
    NoRetryBackoff: bool,
    /** Ours alone: the receiver's term at `PrevLogEntry`, and where that begins. Left out if 0. */
    ConflictTerm: omitEmpty(uint64),
    ConflictIndex: omitEmpty(uint64),
  }),
  requestVote: struct({ ...HEADER, Term: uint64, Peers: nullable(bytes), Granted: bool }),
  installSnapshot: struct({ ...HEADER, Term: uint64, Success: bool }),
  timeoutNow: struct(HEADER),
  requestPreVote: struct({ ...HEADER, Term: uint64, Granted: bool }),
} as const;

type Requests = { readonly [K in RaftCommand]: ValueOf<(typeof REQUESTS)[K]> };
type Responses = { readonly [K in RaftCommand]: ValueOf<(typeof RESPONSES)[K]> };
export type AppendEntriesRequest = Requests["appendEntries"];
export type AppendEntriesResponse = Responses["appendEntries"];
export type RequestVoteRequest = Requests["requestVote"];
export type RequestVoteResponse = Responses["requestVote"];
export type InstallSnapshotRequest = Requests["installSnapshot"];
export type InstallSnapshotResponse = Responses["installSnapshot"];
export type TimeoutNowRequest = Requests["timeoutNow"];
export type TimeoutNowResponse = Responses["timeoutNow"];
export type RequestPreVoteRequest = Requests["requestPreVote"];
export type RequestPreVoteResponse = Responses["requestPreVote"];

export type RaftRequest = {
  readonly [K in RaftCommand]: Readonly<{ kind: K; body: Requests[K] }>;
}[RaftCommand];
/** `body` is null where the handler failed before it had an answer; then `error` says why. */
export type RaftResponse = {
  readonly [K in RaftCommand]: Readonly<{ kind: K; error: string; body: Responses[K] | null }>;
}[RaftCommand];

const REQUEST_CODECS = codecs(REQUESTS) as { readonly [K in RaftCommand]: Codec<Requests[K]> };
const RESPONSE_CODECS = codecs(
  Object.fromEntries(Object.entries(RESPONSES).map(([kind, body]) => [kind, nullable(body)])),
) as unknown as { readonly [K in RaftCommand]: Codec<Responses[K] | null> };
const ERROR_TEXT = codecOf(text);

/** The snapshot's bytes of an `installSnapshot` are not included: they follow as they are. */
export function encodeRaftRequest(
  { kind, body }: RaftRequest,
  into = new MsgpackWriter(),
): Uint8Array {
  into.reset().byte(RAFT_COMMANDS.indexOf(kind));
  (REQUEST_CODECS[kind] as Codec<typeof body>).write(into, body);
  return into.finish();
}

export function encodeRaftResponse(
  { kind, error, body }: RaftResponse,
  into = new MsgpackWriter(),
): Uint8Array {
  ERROR_TEXT.write(into.reset(), error);
  (RESPONSE_CODECS[kind] as Codec<typeof body>).write(into, body);
  return into.finish();
}

/** @param from stands at the type byte */
export function readRaftRequest(from: MsgpackReader): RaftRequest {
  const kind = readRaftCommand(from);
  return { kind, body: REQUEST_CODECS[kind].read(from) } as RaftRequest;
}

export function readRaftCommand(from: MsgpackReader): RaftCommand {
  const kind = RAFT_COMMANDS[from.peek()];
  if (kind === undefined) throw malformed(`unknown rpc type ${from.peek()}`);
  from.offset += 1;
  return kind;
}

export function readRaftResponse(kind: RaftCommand, from: MsgpackReader): RaftResponse {
  const error = ERROR_TEXT.read(from);
  return { kind, error, body: RESPONSE_CODECS[kind].read(from) } as RaftResponse;
}

function codecs(schemas: Fields): Readonly<Record<string, Codec<unknown>>> {
  return Object.fromEntries(Object.entries(schemas).map(([kind, of]) => [kind, codecOf(of)]));
}
