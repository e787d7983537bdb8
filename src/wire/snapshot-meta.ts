/** What hashicorp/raft notes of a snapshot, in JSON: beside it on disk, and in the archive that Consul hands out. */
export interface SnapshotMetaJson {
  readonly Version: number;
  readonly ID: string;
  readonly Index: number;
  readonly Term: number;
  /** base64 of the voters' addresses as raft had them in its first protocols. */
  readonly Peers: string;
  readonly Configuration: {
    readonly Servers: readonly {
      /** 0 voter, 1 nonvoter, 2 staging. */
      readonly Suffrage: number;
      readonly ID: string;
      readonly Address: string;
    }[];
  };
  readonly ConfigurationIndex: number;
  /** Bytes of the state. */
  readonly Size: number;
}
