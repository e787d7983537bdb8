/**
 * Cores in a soup of messages: no drivers, no promises, so that hundreds of clusters a second go through
 * everything that a network, disks and clocks can do to them.
 *
 * An event at a time: some message arrives (any of them, so order means nothing), is lost or comes twice; some
 * disk finishes a write; time passes and somebody's timer fires; a process crashes, pauses or starts; the
 * network splits, both ways or one way; a client asks for something; the cluster's members change. How likely
 * each is, and how large the cluster, is drawn for each seed (soup-swarm.ts). After a phase of faults, in which
 * only safety is owed, everything is healed and the cluster must answer.
 */
import type { Instant } from "../src/platform/index.ts";
import { SimRandom } from "../src/platform/sim/index.ts";
import type { Effect } from "../src/raft/effects.ts";
import type { Entry } from "../src/raft/entry.ts";
import type { ServerId } from "../src/raft/index.ts";
import type { Rules } from "../src/raft/rules.ts";
import { TestCluster, type TestServer, type Write } from "../src/raft/testkit.ts";
import { Invariants, Violation } from "./invariants.ts";
import { Registers } from "./register.ts";
import { OPERATIONS_MAX, SoupClients } from "./soup-clients.ts";
import { SoupFaults } from "./soup-faults.ts";
import { SoupIntrigue } from "./soup-intrigue.ts";
import { drawSoupSwarm, NAMES, soupClusterOptions, type SoupSwarm } from "./soup-swarm.ts";
import { pick } from "./swarm.ts";

export interface SoupOptions {
  readonly seed: number | string;
  /** In the phase of faults. */
  readonly events?: number;
  /** What is wrong, to see whether it is noticed. */
  readonly mutation?: CoreMutation;
}

export interface CoreMutation {
  /** Wrong decisions. */
  readonly rules?: Partial<Rules>;
  /** What a disk keeps of what it was given. */
  readonly kept?: (write: Write) => Write;
  /** "early": writes are reported durable when they are given to the disk. */
  readonly reports?: "early";
}

export interface SoupResult {
  readonly violation: string | undefined;
  readonly simulatedMs: number;
  readonly events: number;
  readonly elections: number;
  readonly operations: number;
}

const CHANGES = ["addVoter", "addVoter", "addNonvoter", "demote", "remove"] as const;
const DEFAULT_EVENTS = 6000;
/** More would never be delivered anyhow. */
const FLIGHTS_MAX = 300;
/** What is owed once nothing fails any more, is owed within so much time. */
const HEALED_MS = 60_000;
const SETTLED_MS = 5000;

export function runSoup(options: SoupOptions): SoupResult {
  const soup = new Soup(options);
  let violation: string | undefined;
  try {
    soup.suffer(options.events ?? DEFAULT_EVENTS);
    soup.recover();
  } catch (error) {
    violation = error instanceof Violation ? error.message : `${(error as Error).stack}`;
  }
  return { violation, ...soup.counts };
}

class Soup extends TestCluster {
  readonly #swarm: SoupSwarm;
  readonly #chance: SimRandom;
  readonly #invariants = new Invariants();
  readonly #registers = new Map<ServerId, Registers>();
  readonly #rates = new Map<ServerId, number>();
  readonly #clients: SoupClients;
  readonly #faults: SoupFaults;
  readonly #intrigue: SoupIntrigue;
  readonly #startedAt: Instant;
  readonly #mutation: CoreMutation;
  #early: { readonly id: ServerId; readonly ticket: number }[] = [];
  #isHealed = false;
  #elections = 0;
  #events = 0;

  constructor({ seed, mutation = {} }: SoupOptions) {
    const random = new SimRandom(seed);
    const drawn = random.fork("swarm");
    const swarm = drawSoupSwarm(drawn);
    const { serverCount, nonvoterCount, strangerCount } = swarm;
    const taken = serverCount + nonvoterCount;
    super(NAMES.slice(0, serverCount), {
      ...soupClusterOptions(drawn, swarm, mutation.rules ?? {}),
      seed: `${seed} cluster`,
      nonvoters: NAMES.slice(serverCount, taken),
      strangers: NAMES.slice(taken, taken + strangerCount),
    });
    this.#swarm = swarm;
    this.#mutation = mutation;
    this.#chance = random.fork("events");
    this.#startedAt = this.now;
    this.#faults = new SoupFaults(this, swarm, this.#chance);
    this.#clients = new SoupClients({
      cluster: this,
      swarm,
      random: this.#chance,
      invariants: this.#invariants,
      registersOf: (id) => this.#registers.get(id),
    });
    this.#intrigue = new SoupIntrigue({
      cluster: this,
      swarm,
      random: this.#chance,
      faults: this.#faults,
      clients: this.#clients,
      changeMembers: (leader) => this.#changeMembers(leader),
    });
    for (const id of this.ids) {
      this.#rates.set(id, 1 + swarm.drift * (2 * this.#chance.float() - 1));
      this.crash(id);
      this.start(id);
    }
  }

  get counts(): Omit<SoupResult, "violation"> {
    return {
      simulatedMs: this.now - this.#startedAt,
      events: this.#events,
      elections: this.#elections,
      operations: this.#clients.count,
    };
  }

  override timeAt(id: ServerId): Instant {
    return (this.now * (this.#rates.get(id) ?? 1)) as Instant;
  }

  /** The phase of faults. */
  suffer(events: number): void {
    for (let count = 0; count < events; count += 1) this.#event();
  }

  /** Then everything is healed: a leader must come, a write succeed, and everybody agree. */
  recover(): void {
    this.#isHealed = true;
    this.#faults.endAll();
    // Whoever has just been elected may yet find that somebody has a newer term.
    this.#passUntil(() => false, SETTLED_MS);
    this.#passUntil(() => this.#newestLeader !== undefined, HEALED_MS);
    const leader = this.#newestLeader;
    if (leader === undefined) throw new Violation("nobody leads though nothing fails any more");
    const operation = this.#clients.write(leader);
    this.#passUntil(() => Number.isFinite(operation.returnedAt), HEALED_MS);
    if (!Number.isFinite(operation.returnedAt)) throw new Violation("a write is never answered");
    this.#passUntil(() => this.#laggard(leader) === undefined, HEALED_MS);
    const laggard = this.#laggard(leader);
    if (laggard !== undefined) throw new Violation(`${laggard} does not catch up at the end`);
    this.#clients.judge();
  }

  protected override observe(target: TestServer, effect: Effect): void {
    switch (effect.kind) {
      case "persist":
        for (const entry of effect.entries) {
          this.#invariants.appended(target.id, entry, target.core.termAt(entry.index - 1));
        }
        if (this.#mutation.reports === "early") {
          this.#early.push({ id: target.id, ticket: effect.ticket });
        }
        return;
      case "role":
        if (effect.role === "leader") this.#noteLeader(target);
        else if (effect.role !== "follower" && !this.#isHealed) this.#intrigue.stands(target.id);
        return;
      case "accepted":
        this.#clients.accepted(target, effect);
        return;
      case "refused":
        this.#clients.refused(effect);
        return;
      case "done":
        this.#clients.done(target, effect);
        return;
      case "commit":
        if (target.core.role === "leader" && !this.#isHealed) this.#intrigue.commits(target.id);
        return;
      case "send":
      case "reply":
      case "load":
      case "drop":
      case "compact":
      case "restore":
      case "sendSnapshot":
      case "receiveSnapshot":
      case "overtaken":
      case "storeSnapshot":
        return;
    }
  }

  protected override kept(write: Write): Write {
    return this.#mutation.kept?.(write) ?? write;
  }

  protected override applied(target: TestServer, entry: Entry): void {
    const registers = this.#registers.get(target.id);
    if (registers === undefined) return;
    const result = entry.type === "command" ? registers.apply(entry.index, entry.data) : true;
    this.#clients.tookEffect(entry, result);
    const { fingerprint } = registers;
    this.#invariants.applied(target.id, entry, { fingerprint, ownTerm: target.core.term });
    this.#clients.applied(target, entry, result);
  }

  protected override restored(target: TestServer): void {
    const registers = new Registers();
    for (const { index, data } of target.applied) registers.apply(index, data);
    this.#registers.set(target.id, registers);
    this.#invariants.restored(target.id, target.appliedIndex, registers.fingerprint);
  }

  override step(...[id, input]: Parameters<TestCluster["step"]>): void {
    super.step(id, input);
    for (let early = this.#early.shift(); early !== undefined; early = this.#early.shift()) {
      super.step(early.id, { kind: "persisted", ticket: early.ticket });
    }
    this.#clients.answerReads();
  }

  #event(): void {
    const { lose, repeat, crash, split, pause, snapshot, change, transfer, client, sync, passes } =
      this.#swarm;
    this.#events += 1;
    const flights = this.flights.length;
    const mayAsk = this.#clients.count < OPERATIONS_MAX;
    this.#oneOf([
      [Math.min(100, flights * 10), () => this.#deliverAny()],
      [flights > 0 ? lose : 0, () => this.drop(this.#anyFlight())],
      [flights > 0 ? repeat : 0, () => this.repeat(this.#anyFlight())],
      [sync, () => this.#syncAny()],
      [passes, () => this.#pass(this.#chance.between(1, this.#swarm.passMs))],
      [crash, () => this.#faults.crash()],
      [split, () => this.#faults.split()],
      [pause, () => this.#faults.pause((id) => this.#awake(id))],
      [mayAsk && this.leaders.length > 1 ? 4 : 0, () => this.#askUsurped()],
      [snapshot, () => this.#snapshotAny()],
      [change, () => this.#changeMembers(this.#anyLeader)],
      [transfer, () => this.#transferAny()],
      [
        mayAsk ? client : 0,
        () => this.#clientAsks(this.#anyLeader ?? pick(this.#chance, this.ids)),
      ],
    ]);
    if (mayAsk) this.#intrigue.proceed();
    if (this.flights.length > FLIGHTS_MAX) this.drop(this.#anyFlight());
  }

  #oneOf(choices: readonly (readonly [number, () => void])[]): void {
    const total = choices.reduce((sum, [weight]) => sum + weight, 0);
    let at = this.#chance.float() * total;
    for (const [weight, act] of choices) {
      at -= weight;
      if (at < 0) {
        act();
        return;
      }
    }
  }

  #anyFlight(): number {
    return this.#chance.between(0, Math.max(0, this.flights.length - 1));
  }

  get #anyLeader(): ServerId | undefined {
    const { leaders } = this;
    return leaders.length > 0 ? pick(this.#chance, leaders) : undefined;
  }

  /** A paused process receives nothing yet; who is to take over may hear of it long after it is not wanted. */
  #deliverAny(): void {
    const place = this.#anyFlight();
    const flight = this.flights[place];
    if (flight === undefined || this.#faults.paused.has(flight.to)) return;
    const isLate = flight.kind === "request" && flight.request.kind === "timeoutNow";
    if (!isLate || !this.#chance.chance(this.#swarm.coup)) this.deliver(place);
  }

  #syncAny(): void {
    const writers = [...this.servers.values()].filter(
      ({ id, isUp, writes }) => isUp && writes.length > 0 && !this.#faults.paused.has(id),
    );
    if (writers.length > 0) this.sync(pick(this.#chance, writers).id);
  }

  /** Lets time pass; whoever is due acts. */
  #pass(durationMs: number): void {
    this.now = (this.now + durationMs) as Instant;
    this.#faults.endSome();
    for (const { id, isUp, core } of this.servers.values()) {
      const isPaused = this.#faults.paused.has(id);
      if (isUp && !isPaused && this.timeAt(id) >= core.nextDueAt) this.tick(id);
    }
    if (this.#isHealed) this.settle();
  }

  #passUntil(isDone: () => boolean, mostMs: number): void {
    const end = this.now + mostMs;
    while (!isDone() && this.now < end) this.#pass(50);
  }

  /** What waited for it is handled in any order, its timers too. */
  #awake(id: ServerId): void {
    while (this.#chance.chance(0.5)) this.#clientAsks(id);
  }

  #clientAsks(target: ServerId): void {
    if (this.at(target).isUp && !this.#faults.paused.has(target))
      this.#clients.askSomething(target);
  }

  /** A leader that has been replaced and does not know it is who tells lies, if anybody does. */
  #askUsurped(): void {
    const newest = this.#newestLeader;
    const usurped = this.leaders.find((id) => id !== newest);
    if (usurped === undefined || newest === undefined) return;
    const isBehind = this.at(usurped).core.commitIndex < this.at(newest).core.commitIndex;
    // Something must be known at the new one for the old one to be ignorant of it.
    if (!isBehind || this.#chance.chance(0.8)) this.#clients.write(newest);
    else {
      this.#faults.paused.delete(usurped);
      this.#clients.read(usurped);
    }
  }

  #snapshotAny(): void {
    const able = [...this.servers.values()].filter(
      ({ isUp, appliedIndex, snapshot }) => isUp && appliedIndex > snapshot.index,
    );
    if (able.length > 0) this.takeSnapshot(pick(this.#chance, able).id);
  }

  #changeMembers(leader: ServerId | undefined): void {
    if (leader === undefined || !this.at(leader).isUp) return;
    const id = pick(this.#chance, this.ids);
    const kind = pick(this.#chance, CHANGES);
    if (kind === "demote" || kind === "remove") this.change(leader, { kind, id });
    else this.change(leader, { kind, id, address: `${id}:8300` });
  }

  #transferAny(): void {
    const leader = this.#anyLeader;
    if (leader !== undefined) this.transfer(leader);
  }

  #noteLeader({ id, core }: TestServer): void {
    this.#elections += 1;
    if (!this.#isHealed) this.#intrigue.leads(id);
    const { snapshot, lastIndex } = core;
    const termAt = (index: number) => core.termAt(index);
    this.#invariants.led(id, core.term, { snapshotIndex: snapshot.index, lastIndex, termAt });
  }

  /** Of those who lead, the one that knows of nobody newer. */
  get #newestLeader(): ServerId | undefined {
    const { leaders } = this;
    const highest = Math.max(...leaders.map((id) => this.at(id).core.term));
    return leaders.find((id) => this.at(id).core.term === highest);
  }

  /** Who has not applied what the leader has committed. */
  #laggard(leader: ServerId): ServerId | undefined {
    const { core } = this.at(leader);
    const { servers } = core.configuration;
    return servers.find(({ id }) => this.at(id).appliedIndex < core.commitIndex)?.id;
  }
}
