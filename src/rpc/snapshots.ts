/** Backups of all state, as whoever wants one asks a server for it. */

export interface SnapshotOptions {
  /** "" for this one. */
  readonly datacenter: string;
  /** "stale": from whichever server is asked, and perhaps not the newest. "default": from the leader. */
  readonly consistency: "default" | "stale";
}
export interface SavedSnapshot {
  /** Of the last log entry that the state shows. */
  readonly index: number;
  readonly knownLeader: boolean;
  readonly lastContactMs: number;
  /** The archive, made while it is read. It fails with a RollcallError where it cannot be made to its end. */
  readonly archive: AsyncIterable<Uint8Array>;
}
export interface Snapshots {
  /** @throws {RollcallError} `raft/no-leader`, `dc/unknown`, and what another server says */
  save(options: SnapshotOptions): Promise<SavedSnapshot>;
  /**
   * Resolves once all state is the archive's. It is read to its end, unless it cannot be used.
   * @throws {RollcallError} with Consul's text for an archive that cannot be used: then nothing was changed
   */
  restore(archive: AsyncIterable<Uint8Array>, options: SnapshotOptions): Promise<void>;
}
