/**
 * The log of a server among servers: Raft over the store. It runs from the start, without any members if need be, and
 * can be given the members of a new cluster later (`bootstrap`).
 */
import { messageOf, RollcallError } from "../errors/index.ts";
import type { Command } from "../model/index.ts";
import type { Logger, Platform } from "../platform/index.ts";
import {
  bootstrap,
  isVoter,
  RaftRefusal,
  startRaft,
  type Change,
  type Configuration,
  type Peer,
  type Raft,
  type StateMachine,
  type Transport,
} from "../raft/index.ts";
import type { ApplyResult, Piece } from "../store/index.ts";
import type { Consensus, LogMember } from "./consensus.ts";
import type { RaftHome } from "./raft-home.ts";

/** hashicorp/raft's shortest; Consul multiplies all but the last. */
const HEARTBEAT_TIMEOUT_MS = 1000;
const ELECTION_TIMEOUT_MS = 1000;
const LEASE_TIMEOUT_MS = 500;
const COMMIT_TIMEOUT_MS = 50;

const LIMITS = {
  batchEntriesMax: 256,
  batchBytesMax: 512 * 1024,
  inflightMax: 32,
  recentBytesMax: 8 * 1024 * 1024,
  uncommittedEntriesMax: 32_768,
} as const;

export interface RaftLogNeeds {
  readonly platform: Platform;
  readonly logger: Logger;
  readonly home: RaftHome;
  readonly self: Peer;
  readonly transport: Transport;
  readonly stateMachine: StateMachine<ApplyResult>;
  /** Of a command: several where it is too large for one entry. */
  readonly entriesOf: (command: Command) => readonly Piece[];
  readonly settings: {
    readonly multiplier: number;
    readonly snapshotThreshold: number;
    readonly snapshotIntervalMs: number;
    readonly trailingLogs: number;
  };
  /** Where a server is now, if better known than by the log. */
  readonly addressOf: (id: string) => string | undefined;
  readonly knowsPreVote: (id: string) => boolean;
  /** There is no going on. */
  readonly onFailure: (error: Error) => void;
}

export async function startRaftLog(needs: RaftLogNeeds): Promise<RaftLog> {
  const log = new RaftLog(needs);
  await log.start();
  return log;
}

export class RaftLog implements Consensus {
  readonly #needs: RaftLogNeeds;
  readonly #listeners = new Set<() => void>();
  #raft!: Raft<ApplyResult>;
  /** How long an entry may take that nobody waits for: a bootstrap restarts raft. */
  #watching: Disposable | undefined;

  constructor(needs: RaftLogNeeds) {
    this.#needs = needs;
  }

  get isLeader(): boolean {
    return this.#raft.standing.role === "leader";
  }
  get leader(): Peer | undefined {
    return this.#raft.leader();
  }
  get term(): number {
    return this.#raft.standing.term;
  }
  get lastIndex(): number {
    return this.#raft.lastIndex;
  }
  get lastTerm(): number {
    return this.#raft.lastTerm;
  }
  get commitIndex(): number {
    return this.#raft.commitIndex;
  }
  get appliedIndex(): number {
    return this.#raft.applied.index;
  }
  get appliedTerm(): number {
    return this.#raft.applied.term;
  }
  get lastContactMs(): number | undefined {
    return this.#raft.lastContactMs;
  }
  get members(): readonly LogMember[] {
    const { configuration } = this.#raft;
    return configuration.servers.map(({ id, address }) => {
      return { id, address, isVoter: isVoter(configuration, id) };
    });
  }
  get membersIndex(): number {
    return this.#raft.configurationIndex;
  }
  get snapshot(): { readonly index: number; readonly term: number } {
    return this.#needs.home.snapshots.newest ?? { index: 0, term: 0 };
  }
  /** Nothing was ever written to it, and nobody is in it. */
  get isNew(): boolean {
    const { wal, snapshots } = this.#needs.home;
    return wal.lastIndex === 0 && snapshots.newest === undefined;
  }

  async start(): Promise<void> {
    const { platform, logger, home, self, settings, ...needs } = this.#needs;
    const { multiplier } = settings;
    const raft = await startRaft({
      ...LIMITS,
      id: self.id,
      clock: platform.clock,
      random: platform.random.fork("raft"),
      logger: logger.named("raft"),
      disk: platform.disk,
      directory: home.directory,
      wal: home.wal,
      snapshots: home.snapshots,
      transport: needs.transport,
      stateMachine: needs.stateMachine,
      heartbeatTimeoutMs: HEARTBEAT_TIMEOUT_MS * multiplier,
      electionTimeoutMs: ELECTION_TIMEOUT_MS * multiplier,
      leaseTimeoutMs: LEASE_TIMEOUT_MS * multiplier,
      commitTimeoutMs: COMMIT_TIMEOUT_MS,
      snapshotIntervalMs: settings.snapshotIntervalMs,
      snapshotThreshold: settings.snapshotThreshold,
      trailingLogs: settings.trailingLogs,
      knowsPreVote: needs.knowsPreVote,
      addressOf: needs.addressOf,
    });
    this.#raft = raft;
    this.#watching = raft.subscribe((event) => {
      if (event.kind === "failed") needs.onFailure(event.error);
      this.#tell();
    });
    this.#tell();
  }

  /**
   * Makes these the members of a new cluster. Whoever else is to be of it writes the very same.
   * @returns false when there is a cluster already: then nothing was done
   */
  async bootstrap(servers: readonly Peer[]): Promise<boolean> {
    if (!this.isNew) return false;
    const { wal } = this.#needs.home;
    this.#watching?.[Symbol.dispose]();
    await this.#raft[Symbol.asyncDispose]();
    const configuration: Configuration = {
      servers: servers.map(({ id, address }) => ({ id, address, suffrage: "voter" })),
    };
    let isDone = true;
    try {
      await bootstrap(wal, configuration);
    } catch (error) {
      this.#needs.logger.warn("failed to bootstrap cluster", { error: messageOf(error) });
      isDone = false;
    }
    await this.start();
    return isDone;
  }

  async apply(command: Command): Promise<ApplyResult> {
    const entries = this.#needs.entriesOf(command);
    return this.#asked(async (raft) => {
      // In the order of the list, without waiting for one another; the last one's result is the command's.
      const results = await Promise.all(
        entries.map(({ data, extensions }) => raft.apply(data, extensions)),
      );
      return results.at(-1) as ApplyResult;
    });
  }

  barrier(): Promise<void> {
    return this.#asked((raft) => raft.barrier());
  }

  async confirm(): Promise<void> {
    await this.#asked((raft) => raft.readIndex("round"));
  }

  async change(change: Change): Promise<void> {
    await this.#asked((raft) => raft.change(change));
  }

  transferLeadership(to?: string): Promise<void> {
    return this.#asked((raft) => raft.transferLeadership(to));
  }

  restore(slices: AsyncIterable<Uint8Array>, index: number): Promise<void> {
    return this.#asked((raft) => raft.restore(slices, index));
  }

  subscribe(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watching?.[Symbol.dispose]();
    await this.#raft[Symbol.asyncDispose]();
    await this.#needs.home.wal[Symbol.asyncDispose]();
  }

  async #asked<T>(ask: (raft: Raft<ApplyResult>) => Promise<T>): Promise<T> {
    try {
      return await ask(this.#raft);
    } catch (error) {
      throw error instanceof RaftRefusal ? refusalOf(error) : error;
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function refusalOf(refusal: RaftRefusal): RollcallError {
  // Only what was never proposed may be asked again elsewhere.
  if (refusal.reason === "notLeader") return new RollcallError("raft/no-leader");
  return new RollcallError("request/refused", refusal.message, { cause: refusal });
}
