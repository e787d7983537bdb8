/**
 * One change of leaders after the other, at the worst moments: what the mistakes need that the papers warn of.
 *
 *   haunt  A new leader is shut out before it has sent anything, when it first commits, or in between, and who was
 *          shut out before it is let in: each has something in its log that the other lacks, perhaps another
 *          configuration, which it began with (paper, figure 8; erratum of 2015 to the thesis).
 *   siege  A server does not hear its leader any more, and stands again and again while all others follow.
 *   coup   When somebody stands, the leader is shut out and the voters perhaps restart; before any time passes,
 *          who stands has all answers, a write if it leads then, and the old leader is asked for what it has.
 *   amnesia  A new leader is shut out before it has sent anything, and who may have voted for it restarts: in
 *          the same term there are votes for others, if one was forgotten.
 *   outage When a leader has committed, all lose at once what their disks have not finished.
 */
import type { SimRandom } from "../src/platform/sim/index.ts";
import { votersOf } from "../src/raft/configuration.ts";
import type { ServerId } from "../src/raft/index.ts";
import type { TestCluster } from "../src/raft/testkit.ts";
import type { SoupClients } from "./soup-clients.ts";
import type { SoupFaults } from "./soup-faults.ts";
import type { SoupSwarm } from "./soup-swarm.ts";
import { pick } from "./swarm.ts";

/** Events between an election and its end, at most. */
const HAUNTED_EVENTS_MAX = 30;
/** When a haunted leader is shut out. */
const MOMENTS = ["elected", "committing", "later"] as const;

export interface IntrigueOptions {
  readonly cluster: TestCluster;
  readonly swarm: SoupSwarm;
  readonly random: SimRandom;
  readonly faults: SoupFaults;
  readonly clients: SoupClients;
  readonly changeMembers: (leader: ServerId) => void;
}

export class SoupIntrigue {
  readonly #options: IntrigueOptions;
  #haunted:
    | { readonly id: ServerId; readonly until: (typeof MOMENTS)[number]; isMet: boolean }
    | undefined;
  #hauntedEvents = 0;
  #letIn: (() => void) | undefined;
  #rival: ServerId | undefined;
  #forgotten: ServerId | undefined;
  #isOut = false;

  constructor(options: IntrigueOptions) {
    this.#options = options;
  }

  leads(id: ServerId): void {
    const { swarm, random } = this.#options;
    if (random.chance(swarm.amnesia)) this.#forgotten = id;
    if (!random.chance(swarm.haunt)) return;
    this.#haunted = { id, until: pick(random, MOMENTS), isMet: false };
    this.#hauntedEvents = random.between(0, HAUNTED_EVENTS_MAX);
  }

  commits(id: ServerId): void {
    const { swarm, random } = this.#options;
    if (random.chance(swarm.outage)) this.#isOut = true;
    if (random.chance(swarm.siege)) this.#besiege(id);
    if (this.#haunted?.id === id && this.#haunted.until === "committing") this.#hauntedEvents = 0;
  }

  stands(id: ServerId): void {
    const { swarm, random } = this.#options;
    if (random.chance(swarm.coup)) this.#rival = id;
  }

  /** Between two events of the soup. */
  proceed(): void {
    this.#amnesia();
    this.#haunt();
    this.#coup();
    if (this.#isOut) this.#options.faults.outage();
    this.#isOut = false;
  }

  /** Whoever has all that the leader has, could be elected in its place. */
  #besiege(leader: ServerId): void {
    const { cluster, random, faults } = this.#options;
    const { lastIndex } = cluster.at(leader).core;
    const others = cluster.ids.filter(
      (id) => id !== leader && cluster.at(id).core.lastIndex === lastIndex,
    );
    if (others.length === 0) return;
    const pair = [leader, pick(random, others)];
    faults.cut((from, to) => pair.includes(from) && pair.includes(to), 4);
  }

  #amnesia(): void {
    const forgotten = this.#forgotten;
    this.#forgotten = undefined;
    if (forgotten === undefined) return;
    const { cluster, faults } = this.#options;
    faults.shutOut(forgotten, 4);
    for (const id of cluster.ids) if (id !== forgotten) faults.restart(id);
  }

  #haunt(): void {
    if (this.#haunted === undefined) return;
    const { cluster, swarm, clients, random, faults, changeMembers } = this.#options;
    const { id, until } = this.#haunted;
    const isThere = cluster.at(id).isUp && !faults.paused.has(id);
    if (isThere && !this.#haunted.isMet && random.chance(swarm.unrest)) this.#unsettle(id);
    this.#haunted.isMet = true;
    if (until === "elected") this.#hauntedEvents = 0;
    this.#hauntedEvents -= 1;
    if (this.#hauntedEvents > 0) {
      if (isThere && random.chance(0.05)) changeMembers(id);
      if (isThere && random.chance(0.05)) clients.askSomething(id);
      return;
    }
    this.#haunted = undefined;
    this.#letIn?.();
    this.#letIn = faults.shutOut(id, 6);
  }

  /** Another configuration than anybody else knows of, with a smaller majority if one is removed. */
  #unsettle(leader: ServerId): void {
    const { cluster, random } = this.#options;
    const members = new Set(votersOf(cluster.at(leader).core.configuration).map(({ id }) => id));
    const id = pick(
      random,
      cluster.ids.filter((other) => other !== leader),
    );
    if (members.has(id)) cluster.change(leader, { kind: "remove", id });
    else cluster.change(leader, { kind: "addVoter", id, address: `${id}:8300` });
  }

  #coup(): void {
    const rival = this.#rival;
    this.#rival = undefined;
    const { cluster, random, faults, clients } = this.#options;
    const [leader] = cluster.leaders;
    if (rival === undefined || leader === undefined || leader === rival) return;
    faults.shutOut(leader, random.float());
    if (random.chance(0.5)) {
      for (const id of cluster.ids) if (id !== leader && id !== rival) faults.restart(id);
    }
    cluster.settle();
    if (!cluster.leaders.includes(rival)) return;
    clients.write(rival);
    cluster.settle();
    clients.read(leader);
    cluster.settle();
  }
}
