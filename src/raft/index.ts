/** Consensus: one log for many servers (Raft). The core is pure (core.ts); drivers carry out what it decides. */
export { isVoter, serverOf, votersOf } from "./configuration.ts";
export type { Change, Configuration, Server, ServerId, Suffrage } from "./configuration.ts";
export type { ReadSafety, Role } from "./effects.ts";
export type { Entry, Index, Position, Term } from "./entry.ts";
export type {
  Handler,
  Peer,
  SnapshotSink,
  SnapshotStore,
  StateMachine,
  StoredSnapshot,
  Transport,
} from "./ports.ts";
export { inspectHome, isFurther } from "./inspect-home.ts";
export type { RaftHomeContent } from "./inspect-home.ts";
export { memorySnapshotStore } from "./memory-snapshot-store.ts";
export { recoverByPeersJson } from "./peers-json.ts";
export type { PeersJsonPlace } from "./peers-json.ts";
export { recoverCluster } from "./recover-cluster.ts";
export type { RecoveryOptions } from "./recover-cluster.ts";
export { startRaft } from "./raft.ts";
export type { Raft, RaftEvent, RaftOptions, RaftStanding } from "./raft.ts";
export { RaftRefusal } from "./refusal.ts";
export type { RaftRefusalReason } from "./refusal.ts";
export { openSnapshotStore } from "./snapshot-store.ts";
export { StreamTransport } from "./transport.ts";
export type { TransportOptions } from "./transport.ts";
export { inTurns } from "./turns.ts";
export { bootstrap } from "./bootstrap.ts";
