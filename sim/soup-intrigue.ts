/**
 * One change of leaders after the other, at the worst moments: what the mistakes need that the papers warn of.
 *
 *   haunt  A new leader is shut out some messages after its election, and who was shut out before it is let in:
 *          each has something in its log that the other lacks (paper, figure 8; erratum of 2015 to the thesis).
 *   siege  A server does not hear its leader, and stands again and again while all others follow.
 *   coup   When somebody stands, the leader is shut out and the voters perhaps restart; before any time passes,
 *          who stands has all answers, a write if it leads then, and the old leader is asked for what it has.
 */
import type { SimRandom } from "../src/platform/sim/index.ts";
import type { ServerId } from "../src/raft/index.ts";
import type { TestCluster } from "../src/raft/testkit.ts";
import type { SoupClients } from "./soup-clients.ts";
import type { SoupFaults } from "./soup-faults.ts";
import type { SoupSwarm } from "./soup-swarm.ts";
import { pick } from "./swarm.ts";

/** Events between an election and its end, at most. */
const HAUNTED_EVENTS_MAX = 30;

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
  #haunted: { readonly id: ServerId; events: number } | undefined;
  #letIn: (() => void) | undefined;
  #rival: ServerId | undefined;

  constructor(options: IntrigueOptions) {
    this.#options = options;
  }

  leads(id: ServerId): void {
    const { swarm, random } = this.#options;
    if (!random.chance(swarm.haunt)) return;
    this.#haunted = { id, events: random.between(0, HAUNTED_EVENTS_MAX) };
  }

  stands(id: ServerId): void {
    const { swarm, random } = this.#options;
    if (random.chance(swarm.coup)) this.#rival = id;
  }

  /** Between two events of the soup. */
  proceed(): void {
    this.#haunt();
    this.#coup();
  }

  besiege(leader: ServerId): void {
    const { cluster, random, faults } = this.#options;
    const others = cluster.ids.filter((id) => id !== leader);
    if (others.length === 0) return;
    const pair = [leader, pick(random, others)];
    faults.cut((from, to) => pair.includes(from) && pair.includes(to), 4);
  }

  #haunt(): void {
    const haunted = this.#haunted;
    if (haunted === undefined) return;
    const { clients, random, faults, changeMembers } = this.#options;
    haunted.events -= 1;
    if (haunted.events > 0) {
      if (random.chance(0.05)) changeMembers(haunted.id);
      if (random.chance(0.05)) clients.askSomething(haunted.id);
      return;
    }
    this.#haunted = undefined;
    this.#letIn?.();
    this.#letIn = faults.shutOut(haunted.id, 6);
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
