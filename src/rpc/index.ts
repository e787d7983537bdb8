/** Calls between servers and agents: what can be asked, and how that travels over connections. */
export * from "./methods.ts";
export type {
  CallOptions,
  CallServer,
  DatacenterMap,
  EventFire,
  KeyringRequest,
  KeyringResponse,
  RaftStats,
  RemoteMethodName,
  RemoteMethods,
  RemoteServer,
  ServerHooks,
} from "./remote-methods.ts";
export { isUnanswered } from "./failure.ts";
export type { Unanswered } from "./failure.ts";
export { clientDelegate } from "./client-delegate.ts";
export type { ClientNeeds } from "./client-delegate.ts";
export { heldCall } from "./held-call.ts";
export type { HeldCall, Holding } from "./held-call.ts";
export { whoseIs } from "./method-kinds.ts";
export type { Whose } from "./method-kinds.ts";
export { ServerList } from "./server-list.ts";
export type { ServerListNeeds } from "./server-list.ts";
export { RpcPool } from "./pool.ts";
export type { RpcPoolOptions } from "./pool.ts";
export { RpcServer } from "./rpc-server.ts";
export type { RpcConnection, RpcServerOptions } from "./rpc-server.ts";
export { FirstBytes } from "./first-byte.ts";
export { restoreOver, saveOver, serveSnapshot } from "./snapshot-stream.ts";
export type { SavedSnapshot, SnapshotOptions, Snapshots } from "./snapshots.ts";
export type { FirstBytesOptions } from "./first-byte.ts";
