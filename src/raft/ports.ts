/** What the driver stands on: the state machine above it, snapshots and other servers beside it. */
import type { ServerId } from "./configuration.ts";
import type { Entry } from "./entry.ts";
import type {
  InstallSnapshotRequest,
  InstallSnapshotResponse,
  Request,
  Response,
} from "./messages.ts";
import type { SnapshotMeta } from "./raft-log.ts";

export interface StateMachine<Result> {
  /** A command, in the order of the log, on every server the same. Must not throw: there is no going back. */
  apply(entry: Entry): Result;
  /**
   * The state as it is now, in slices that each take little time; it may change while they are taken, and the
   * slices not.
   */
  snapshot(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /** Forgets all and becomes what the snapshot says. */
  restore(slices: AsyncIterable<Uint8Array>): Promise<void>;
}

export interface StoredSnapshot extends SnapshotMeta {
  readonly id: string;
  readonly sizeBytes: number;
}
/** Takes the bytes of one snapshot. */
export interface SnapshotSink {
  write(bytes: Uint8Array): Promise<void>;
  /** Once it resolves the snapshot is durable, and the newest if it reaches furthest. */
  commit(): Promise<StoredSnapshot>;
  /** Leaves nothing behind. */
  abort(): Promise<void>;
}
export interface SnapshotStore {
  readonly newest: StoredSnapshot | undefined;
  create(meta: SnapshotMeta): Promise<SnapshotSink>;
  /** It was written for nothing. */
  remove(snapshot: StoredSnapshot): Promise<void>;
  /** @throws {RollcallError} `disk/failed`, also when the bytes are not those that were written */
  read(snapshot: StoredSnapshot): AsyncIterable<Uint8Array>;
}

export interface Peer {
  readonly id: ServerId;
  readonly address: string;
}
/** A snapshot's bytes come with the request for it. */
export type Handler = (
  request: Request,
  body: AsyncIterable<Uint8Array> | undefined,
) => Promise<Response>;
/** Whatever fails rejects: the request may have arrived. */
export interface Transport {
  send(to: Peer, request: Request): Promise<Response>;
  sendSnapshot(
    to: Peer,
    request: InstallSnapshotRequest,
    body: AsyncIterable<Uint8Array>,
  ): Promise<InstallSnapshotResponse>;
  /** One handler at a time; a request for which it rejects is not answered. */
  serve(handler: Handler): Disposable;
}
