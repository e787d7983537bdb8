/**
 * Backups of all state (Consul: agent/consul/snapshot_endpoint.go). One is made while it is handed out, from the
 * tables as they were when it was asked for; one that is brought back is looked through to its end before anything is
 * changed.
 */
import { messageOf, RollcallError } from "../errors/index.ts";
import type { Clock, Logger } from "../platform/index.ts";
import { inTurns } from "../raft/index.ts";
import type { RemoteServer, SavedSnapshot, SnapshotOptions, Snapshots } from "../rpc/index.ts";
import { restoreOver, saveOver } from "../rpc/index.ts";
import { readArchive, writeArchive } from "../snapshot/index.ts";
import { decodeSnapshot, encodeSnapshot, type SnapshotContent } from "../store/index.ts";
import { encodePeers, type SnapshotMetaJson } from "../wire/index.ts";
import type { Consensus } from "./consensus.ts";
import type { StateSpool } from "./state-spool.ts";
import type { Duplex } from "node:stream";

export interface ServerSnapshotsNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly datacenter: string;
  readonly consensus: Consensus;
  /** The state as it is now. */
  readonly content: () => SnapshotContent;
  readonly openSpool: () => Promise<StateSpool>;
  /** The leader as it can be called; undefined when nobody knows of one but this server. */
  readonly leader: () => RemoteServer | undefined;
  readonly dial: (server: RemoteServer) => Promise<Duplex>;
  /** Resolves once this server, as the leader, has everything that was acknowledged before. */
  readonly ready: () => Promise<void>;
  /** The state is another: what the leader does for it begins anew. */
  readonly onRestored: () => Promise<void>;
}

const STALE_RESTORE = "stale not allowed for restore";
const META_VERSION = 1;

export class ServerSnapshots implements Snapshots {
  readonly #needs: ServerSnapshotsNeeds;
  #isRestoring = false;

  constructor(needs: ServerSnapshotsNeeds) {
    this.#needs = needs;
  }

  async save(options: SnapshotOptions): Promise<SavedSnapshot> {
    const { consensus, clock, ready } = this.#needs;
    this.#demandOwn(options);
    const isStale = options.consistency === "stale";
    if (!isStale && !consensus.isLeader) return saveOver(await this.#dialLeader(), options);
    if (!isStale) {
      await ready();
      await consensus.confirm();
    }
    const knownLeader = consensus.leader !== undefined;
    const lastContactMs = consensus.lastContactMs ?? 0;
    const { appliedIndex: index, appliedTerm: term } = consensus;
    const content = this.#needs.content();
    const meta = metaOf(consensus, { index, term, nowMs: clock.wallMs() });
    return { index, knownLeader, lastContactMs, archive: this.#archive(meta, content) };
  }

  async restore(archive: AsyncIterable<Uint8Array>, options: SnapshotOptions): Promise<void> {
    const { consensus, logger } = this.#needs;
    this.#demandOwn(options);
    const isStale = options.consistency === "stale";
    if (!isStale && !consensus.isLeader) {
      await restoreOver(await this.#dialLeader(), options, archive);
      return;
    }
    if (isStale) throw new RollcallError("request/refused", STALE_RESTORE);
    if (this.#isRestoring) {
      throw new RollcallError("request/refused", "another snapshot is being restored");
    }
    this.#isRestoring = true;
    try {
      await this.#restoreHere(archive);
    } catch (error) {
      logger.error("failed to restore snapshot", { error: messageOf(error) });
      throw error;
    } finally {
      this.#isRestoring = false;
    }
  }

  async #restoreHere(archive: AsyncIterable<Uint8Array>): Promise<void> {
    const { consensus, clock, logger, openSpool, onRestored } = this.#needs;
    await using spool = await openSpool();
    const { Index: index } = await readArchive(archive, spool);
    try {
      await decodeSnapshot(inTurns(spool.slices(), clock));
    } catch (error) {
      const text = `failed to decode the snapshot's state: ${messageOf(error)}`;
      throw new RollcallError("request/refused", text, { cause: error });
    }
    await consensus.restore(spool.slices(), index);
    logger.info("restored user snapshot", { index });
    await consensus.barrier();
    await onRestored();
  }

  /** Encoded twice, as an archive tells the length of the state before it: that costs less than keeping it. */
  async *#archive(
    meta: Omit<SnapshotMetaJson, "Size">,
    content: SnapshotContent,
  ): AsyncGenerator<Uint8Array, void> {
    const { clock } = this.#needs;
    let Size = 0;
    for await (const slice of inTurns(encodeSnapshot(content), clock)) Size += slice.byteLength;
    const state = inTurns(encodeSnapshot(content), clock);
    yield* writeArchive({ meta: { ...meta, Size }, state, nowMs: clock.wallMs() });
  }

  #demandOwn({ datacenter }: SnapshotOptions): void {
    if (datacenter !== "" && datacenter !== this.#needs.datacenter) {
      throw new RollcallError("dc/unknown");
    }
  }

  async #dialLeader(): Promise<Duplex> {
    const leader = this.#needs.leader();
    if (leader === undefined) throw new RollcallError("raft/no-leader");
    return this.#needs.dial(leader);
  }
}

function metaOf(
  { members, membersIndex }: Consensus,
  { index, term, nowMs }: { readonly index: number; readonly term: number; readonly nowMs: number },
): Omit<SnapshotMetaJson, "Size"> {
  const voters = members.filter(({ isVoter }) => isVoter).map(({ address }) => address);
  return {
    Version: META_VERSION,
    ID: `${term}-${index}-${Math.floor(nowMs)}`,
    Index: index,
    Term: term,
    Peers: Buffer.from(encodePeers(voters)).toString("base64"),
    Configuration: {
      Servers: members.map(({ id: ID, address: Address, isVoter }) => {
        return { Suffrage: isVoter ? 0 : 1, ID, Address };
      }),
    },
    ConfigurationIndex: membersIndex,
  };
}
