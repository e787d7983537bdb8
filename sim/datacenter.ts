/** A datacenter of whole agents in one world, and what can be done to it. */
import { simPlatform, SimRandom, type SimPlatform } from "../src/platform/sim/index.ts";
import type { ServerRules } from "../src/server/index.ts";
import { SimAgent, type AgentEvent } from "./datacenter-agent.ts";
import type { AgentLife } from "./datacenter-life.ts";
import type { DatacenterSwarm } from "./datacenter-swarm.ts";
import { Violation } from "./invariants.ts";

export type RulesOf = (agent: SimAgent, life: AgentLife) => Partial<ServerRules>;

export interface DatacenterOptions {
  readonly seed: string;
  readonly swarm: DatacenterSwarm;
  readonly rulesOf: RulesOf;
}

interface LeaderTerm {
  readonly agent: SimAgent;
  readonly lifeCount: number;
  readonly sinceMs: number;
  /** Infinity while it lasts. */
  untilMs: number;
}

/** After it has exited by itself. */
const RESTART_MS = 1500;
const START_LIMIT_MS = 60_000;

export class Datacenter {
  readonly world: SimPlatform;
  readonly agents: readonly SimAgent[];
  readonly servers: readonly SimAgent[];
  readonly random: SimRandom;
  elections = 0;
  /** Who says that it leads or did so, and since when or until when: the last of them is the newest. */
  readonly leaders: LeaderTerm[] = [];
  #addressCount = 0;
  #isOver = false;

  constructor({ seed, swarm, rulesOf }: DatacenterOptions) {
    this.world = simPlatform({ seed });
    this.random = new SimRandom(`${seed} datacenter`);
    const { serverCount, clientCount, latencyMs, lossRatio } = swarm;
    this.world.network.links.everywhere({
      latency: { kind: "uniform", minMs: 0.1, maxMs: latencyMs },
      lossRatio,
    });
    const agentOf = (name: string, isServer: boolean): SimAgent =>
      new SimAgent(
        {
          name,
          isServer,
          seed,
          world: this.world,
          clockRate: 1 + swarm.drift * (2 * this.random.float() - 1),
          settings: isServer ? serverSettings(swarm) : COMMON_SETTINGS,
          rulesOf,
          onEvent: (agent, event) => this.#heard(agent, event),
        },
        this.#freshHost(),
      );
    const named = (count: number, letter: string): string[] =>
      Array.from({ length: count }, (_, at) => `${letter}${at + 1}`);
    this.servers = named(serverCount, "s").map((name) => agentOf(name, true));
    this.agents = [...this.servers, ...named(clientCount, "c").map((name) => agentOf(name, false))];
  }

  get clock(): SimPlatform["clock"] {
    return this.world.clock;
  }
  get links(): SimPlatform["network"]["links"] {
    return this.world.network.links;
  }
  get up(): readonly SimAgent[] {
    return this.agents.filter(({ isUp }) => isUp);
  }
  /** The newest of those that say that they lead. */
  get leader(): SimAgent | undefined {
    return this.leaders.findLast(({ agent, untilMs }) => agent.leads && untilMs === Infinity)
      ?.agent;
  }

  /** Resolves when so much time has passed in the world. */
  passed(durationMs: number): Promise<void> {
    return new Promise((resolve) => this.clock.after(durationMs, resolve));
  }

  async start(): Promise<void> {
    await Promise.all(this.agents.map((agent) => this.restart(agent)));
  }

  async restart(agent: SimAgent): Promise<void> {
    if (agent.isUp || this.#isOver) return;
    agent.peers = this.agents.map(({ host }) => host);
    await agent.start();
    this.troubled(agent);
  }

  /** A machine that gets another address while it is down. */
  move(agent: SimAgent): void {
    agent.host = this.#freshHost();
  }

  troubled(agent: SimAgent): void {
    agent.lastTroubledMs = this.clock.now();
  }

  crash(agent: SimAgent): void {
    this.troubled(agent);
    agent.crash();
    this.#leadsNoMore(agent);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    for (const agent of this.agents) agent.crash();
    await this.clock.settle();
  }

  /** Nobody may exit by itself but where its disk fails. */
  #heard(agent: SimAgent, event: AgentEvent): void {
    const nowMs = this.clock.now();
    switch (event) {
      case "leads":
        this.elections += 1;
        this.leaders.push({
          agent,
          lifeCount: agent.lifeCount,
          sinceMs: nowMs,
          untilMs: Infinity,
        });
        return;
      case "no longer leads":
        this.#leadsNoMore(agent);
        return;
      case "exited":
        this.troubled(agent);
        this.#leadsNoMore(agent);
        this.clock.after(RESTART_MS, () => void this.restart(agent));
    }
  }

  #leadsNoMore(agent: SimAgent): void {
    for (const term of this.leaders) {
      if (term.agent === agent && term.untilMs === Infinity) term.untilMs = this.clock.now();
    }
  }

  #freshHost(): string {
    this.#addressCount += 1;
    return `10.0.0.${this.#addressCount}`;
  }

  /** Starts all. @throws {Violation} */
  async begin(): Promise<void> {
    await this.clock.until(this.start(), START_LIMIT_MS);
    const failed = this.agents.find(({ isUp }) => !isUp);
    if (failed !== undefined) throw new Violation(`${failed.name}: ${failed.exitMessage}`);
  }
}

/** Whoever gossips too slowly for a run of a minute would hide what comes of it. */
const COMMON_SETTINGS =
  'ports { serf_wan = -1 dns = -1 } disable_coordinates = true session_ttl_min = "1s" ' +
  'performance { leave_drain_time = "1s" }';

function serverSettings(swarm: DatacenterSwarm): string {
  return (
    `bootstrap_expect = ${swarm.serverCount} raft_snapshot_threshold = ${swarm.snapshotThreshold} ` +
    `raft_snapshot_interval = "5s" raft_trailing_logs = ${swarm.trailingLogs} ` +
    'ports { serf_wan = -1 dns = -1 } disable_coordinates = true session_ttl_min = "1s" ' +
    `performance { leave_drain_time = "1s" raft_multiplier = ${swarm.raftMultiplier} }`
  );
}
