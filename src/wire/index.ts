/** Bytes only: what gossip, serf, raft and Consul's tags and events look like on the wire. Pure; no sockets, no time. */
export { codecOf } from "./msgpack-codec.ts";
export type { Codec } from "./msgpack-codec.ts";
export * from "./msgpack-schema.ts";
export { MsgpackReader } from "./msgpack-reader.ts";
export { MsgpackWriter } from "./msgpack-writer.ts";
export { ZERO_TIME } from "./go-time.ts";
export type { GoTime } from "./go-time.ts";
export { EndsEarly } from "./malformed.ts";
export { compress, decompress } from "./lzw.ts";

export { encodeGossipMessage, NODE_STATES } from "./gossip-messages.ts";
export type {
  Ack,
  Alive,
  Dead,
  GossipMessage,
  IndirectPing,
  NodeState,
  Ping,
  PushPullNode,
  Suspect,
} from "./gossip-messages.ts";
export {
  compound,
  COMPOUND_HEADER_BYTES,
  COMPOUND_PART_BYTES,
  COMPOUND_PARTS_MAX,
  openPacket,
  wrapPacket,
} from "./gossip-packet.ts";
export type { Opening, Received, Wrapping } from "./gossip-packet.ts";
export { gossipKey, NONCE_BYTES, SEALING_BYTES_MAX } from "./gossip-cipher.ts";
export type { CipherVersion, GossipKey, Sealing } from "./gossip-cipher.ts";
export { encodeStreamMessage } from "./gossip-stream-body.ts";
export type { PushPull, StreamMessage } from "./gossip-stream-body.ts";
export { StreamDecoder, wrapStream } from "./gossip-stream.ts";

export {
  decodeSerfMessage,
  encodeSerfMessage,
  MEMBER_STATUSES,
  QUERY_FLAGS,
  RESPONSE_FLAGS,
} from "./serf-messages.ts";
export type {
  JoinIntent,
  KeyRequest,
  KeyResponse,
  LeaveIntent,
  Member,
  MemberStatus,
  Query,
  QueryResponse,
  Relay,
  SerfMessage,
  SerfPushPull,
  UserEvent,
} from "./serf-messages.ts";
export { decodeTags, encodeTags } from "./serf-tags.ts";
export type { Tags } from "./serf-tags.ts";
export { decodeFilter, encodeFilter } from "./serf-filter.ts";
export type { QueryFilter } from "./serf-filter.ts";
export { decodeCoordinate, encodeCoordinate } from "./serf-coordinate.ts";
export type { WireCoordinate } from "./serf-coordinate.ts";
export { decodeSnapshotLine, encodeSnapshotLine } from "./serf-snapshot.ts";
export type { SnapshotLine } from "./serf-snapshot.ts";

export { ACL_MODES, clientTags, serverOf, serverTags } from "./consul-tags.ts";
export type { AclMode, AgentTags, ConsulServer, ServerTags } from "./consul-tags.ts";
export {
  decodeConsulUserEvent,
  encodeConsulUserEvent,
  eventOfSerfName,
  NEW_LEADER_EVENT,
  serfNameOfEvent,
  USER_EVENT_VERSION,
} from "./consul-events.ts";
export type { ConsulUserEvent } from "./consul-events.ts";

export { encodeRaftRequest, encodeRaftResponse, RAFT_PROTOCOL_VERSION } from "./raft-messages.ts";
export type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  InstallSnapshotRequest,
  InstallSnapshotResponse,
  RaftCommand,
  RaftRequest,
  RaftResponse,
  RequestPreVoteRequest,
  RequestPreVoteResponse,
  RequestVoteRequest,
  RequestVoteResponse,
  TimeoutNowRequest,
  TimeoutNowResponse,
} from "./raft-messages.ts";
export {
  decodeConfiguration,
  decodeLogEntry,
  decodePeers,
  encodeConfiguration,
  encodeLogEntry,
  encodePeers,
  LOG_TYPES,
  SUFFRAGES,
} from "./raft-log.ts";
export type { Configuration, ConfiguredServer, LogEntry, LogType, Suffrage } from "./raft-log.ts";
export { RaftRequestDecoder, RaftResponseDecoder } from "./raft-stream.ts";
export type { RaftRequestPart } from "./raft-stream.ts";

export {
  encodeYamuxHeader,
  YAMUX_FLAG,
  YAMUX_GO_AWAY,
  YAMUX_HEADER_BYTES,
  YAMUX_TYPE,
  YAMUX_WINDOW_BYTES,
  YamuxDecoder,
} from "./yamux.ts";
export type { YamuxHeader, YamuxSink } from "./yamux.ts";
export {
  rpcRequestReader,
  rpcResponseReader,
  writeRpcRequestHeader,
  writeRpcResponseHeader,
} from "./rpc-frames.ts";
export type {
  RpcMessage,
  RpcMessageReader,
  RpcRequestHeader,
  RpcResponseHeader,
} from "./rpc-frames.ts";
export type { SnapshotMetaJson } from "./snapshot-meta.ts";
