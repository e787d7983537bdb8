/**
 * A leader's duty: how the servers are, who gets a vote, and who is let go (Consul: agent/consul/autopilot). A server
 * is healthy that gossip sees alive, whose log is of this term and hardly behind, and that heard of the leader of late.
 */
import { messageOf } from "../errors/index.ts";
import { MILLISECOND, type AutopilotConfig, type ServerState } from "../model/index.ts";
import type { Clock, Logger } from "../platform/index.ts";
import type { RaftStats } from "../rpc/index.ts";
import type { Consensus } from "./consensus.ts";
import { contactMs } from "./raft-stats.ts";
import type { KnownServer } from "./server-directory.ts";

const HEALTH_MS = 2000;
/** Promotions and removals are thought of at every so many looks. */
const LOOKS_PER_ROUND = 5;

export interface AutopilotNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly consensus: Consensus;
  readonly config: () => AutopilotConfig;
  readonly servers: () => readonly KnownServer[];
  /** @throws when the server does not answer in that time */
  readonly statsOf: (server: KnownServer, timeoutMs: number) => Promise<RaftStats>;
  /** Has the pool take a failed member for one that left. */
  readonly forceLeave: (name: string) => Promise<void>;
}

export class Autopilot implements Disposable {
  readonly #needs: AutopilotNeeds;
  #health = new Map<string, ServerState>();
  #timer: Disposable | undefined;
  #looks = 0;
  #isClosed = false;

  constructor(needs: AutopilotNeeds) {
    this.#needs = needs;
  }

  /** Looks now, and from then on in rhythm. */
  async start(): Promise<void> {
    await this.#look();
  }

  /** Of the members of the log, as they were at the last look. */
  get states(): readonly ServerState[] {
    const { consensus, servers, clock } = this.#needs;
    return statesOf(consensus, servers(), clock).map(
      (state) => this.#health.get(state.ID) ?? state,
    );
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#timer?.[Symbol.dispose]();
  }

  async #look(): Promise<void> {
    const { clock, logger, consensus } = this.#needs;
    const startedAt = clock.now();
    try {
      await this.#inspect();
      this.#looks += 1;
      if (this.#looks % LOOKS_PER_ROUND === 0 && !this.#isClosed && consensus.isLeader) {
        await this.#promote();
        await this.#prune();
      }
    } catch (error) {
      logger.error("failed to look after servers", { error: messageOf(error) });
    }
    if (this.#isClosed) return;
    const delayMs = Math.max(0, startedAt + HEALTH_MS - clock.now());
    this.#timer = clock.after(delayMs, () => void this.#look());
  }

  async #inspect(): Promise<void> {
    const { consensus, servers, config, clock } = this.#needs;
    const known = new Map(servers().map((server) => [server.id, server]));
    const states = statesOf(consensus, servers(), clock);
    const stats = await Promise.all(states.map(({ ID }) => this.#statsOf(known.get(ID))));
    const leader = { term: consensus.lastTerm, index: consensus.lastIndex };
    const settings = config();
    const health = new Map<string, ServerState>();
    for (const [i, state] of states.entries()) {
      const { ID } = state;
      const raft = stats[i];
      if (raft === undefined) {
        health.set(ID, { ...state, StableSinceMs: this.#stableSince(ID, false) });
        continue;
      }
      const lastContactMs = contactMs(raft.LastContact) ?? Number.POSITIVE_INFINITY;
      const Healthy =
        state.SerfStatus === "alive" &&
        raft.LastTerm === leader.term &&
        raft.LastIndex + Number(settings.MaxTrailingLogs) >= leader.index &&
        lastContactMs <= settings.LastContactThreshold / MILLISECOND;
      health.set(ID, {
        ...state,
        LastContactMs: contactMs(raft.LastContact) ?? 0,
        LastTerm: raft.LastTerm,
        LastIndex: raft.LastIndex,
        Healthy,
        StableSinceMs: this.#stableSince(ID, Healthy),
      });
    }
    this.#health = health;
  }

  async #statsOf(server: KnownServer | undefined): Promise<RaftStats | undefined> {
    if (server === undefined || server.status !== "alive") return undefined;
    try {
      return await this.#needs.statsOf(server, HEALTH_MS);
    } catch (error) {
      this.#needs.logger.warn("error getting server health from server", {
        server: server.name,
        error: messageOf(error),
      });
      return undefined;
    }
  }

  #stableSince(id: string, isHealthy: boolean): number {
    const before = this.#health.get(id);
    return before?.Healthy === isHealthy ? before.StableSinceMs : this.#needs.clock.wallMs();
  }

  /** Whoever has been healthy for a while may vote. */
  async #promote(): Promise<void> {
    const { consensus, clock, config, logger } = this.#needs;
    const stableMs = config().ServerStabilizationTime / MILLISECOND;
    for (const state of this.#health.values()) {
      if (state.Voter || !state.Healthy) continue;
      if (clock.wallMs() - state.StableSinceMs < stableMs) continue;
      logger.info("Promoting server", { id: state.ID, address: state.Address, name: state.Name });
      await consensus.change({ kind: "addVoter", id: state.ID, address: state.Address });
    }
  }

  /** Lets go of servers that have failed, as long as they are fewer than half. */
  async #prune(): Promise<void> {
    const { consensus, servers, config, logger, forceLeave } = this.#needs;
    const { CleanupDeadServers, MinQuorum } = config();
    if (!CleanupDeadServers) return;
    const known = servers();
    const failed = known.filter(({ status }) => status === "failed");
    const ids = new Set(known.map(({ id }) => id));
    const strangers = consensus.members.filter(({ id }) => !ids.has(id));
    const goneCount = failed.length + strangers.length;
    if (goneCount === 0) return;
    const voterCount = consensus.members.filter(({ isVoter }) => isVoter).length;
    if (voterCount - goneCount < Number(MinQuorum)) {
      logger.debug("will not remove dead servers: there would be fewer than min_quorum", {
        voters: voterCount,
        dead: goneCount,
        min_quorum: Number(MinQuorum),
      });
      return;
    }
    if (goneCount >= Math.floor(voterCount / 2)) {
      logger.debug("Failed to remove dead servers: too many dead servers", { dead: goneCount });
      return;
    }
    for (const { name } of failed) {
      logger.info("Attempting removal of failed server node", { name });
      await forceLeave(name);
    }
    for (const { id, address } of strangers) {
      logger.info("Attempting removal of stale server", { id, address });
      await consensus.change({ kind: "remove", id });
    }
  }
}

/** As the log and the pool know them, none looked at yet. */
export function statesOf(
  { members, leader }: Consensus,
  servers: readonly KnownServer[],
  clock: Clock,
): readonly ServerState[] {
  return members.map(({ id, address, isVoter }) => {
    const server = servers.find((known) => known.id === id);
    return {
      ID: id,
      Name: server?.name ?? "(unknown)",
      Address: address,
      SerfStatus: server?.status ?? "none",
      Version: server?.tags.Version ?? "",
      Leader: leader?.id === id,
      Voter: isVoter,
      RaftProtocol: String(server?.tags.RaftVersion ?? 0),
      LastContactMs: 0,
      LastTerm: 0,
      LastIndex: 0,
      Healthy: false,
      StableSinceMs: clock.wallMs(),
    };
  });
}
