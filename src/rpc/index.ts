/** Calls between servers and agents: what can be asked, and how that travels over connections. */
export * from "./methods.ts";
export { KEYRING_OPERATIONS } from "./remote-methods.ts";
export type {
  CallServer,
  DatacenterMap,
  EventFire,
  KeyringRequest,
  KeyringResponse,
  RaftStats,
  RemoteMethodName,
  ServerHooks,
} from "./remote-methods.ts";
export { isUnanswered } from "./failure.ts";
export type { Unanswered } from "./failure.ts";
export { RpcPool } from "./pool.ts";
export type { CallOptions, RemoteServer, RpcPoolOptions } from "./pool.ts";
export { RpcServer } from "./rpc-server.ts";
export type { RpcConnection, RpcServerOptions } from "./rpc-server.ts";
export { restoreOver, saveOver, serveSnapshot } from "./snapshot-stream.ts";
export type { SavedSnapshot, SnapshotOptions, Snapshots } from "./snapshots.ts";
export { FIRST_BYTE, FirstBytes } from "./first-byte.ts";
export type { FirstBytesOptions } from "./first-byte.ts";
