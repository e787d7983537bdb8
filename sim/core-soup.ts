/**
 * Cores in a soup of messages: no drivers, no promises, so that hundreds of clusters a second go through
 * everything that a network, disks and clocks can do to them.
 *
 * An event at a time: some message arrives (any of them, so order means nothing), is lost or comes twice; some
 * disk finishes a write; time passes and somebody's timer fires; a process crashes, pauses or starts; the
 * network splits, both ways or one way; a client asks for something; the cluster's members change. How likely
 * each is, and how large the cluster, is drawn for each seed (swarm testing: Groce et al., ISSTA 2012), so that
 * rare mixtures come up too. After a phase of faults, in which only safety is owed, everything is healed and
 * the cluster must answer.
 */
import type { Instant } from "../src/platform/index.ts";
import { SimRandom } from "../src/platform/sim/index.ts";
import type { ServerId } from "../src/raft/index.ts";
import type { Effect } from "../src/raft/effects.ts";
import { RULES, type Rules } from "../src/raft/rules.ts";
import { TestCluster, type ClusterOptions, type TestServer } from "../src/raft/testkit.ts";
import type { Entry } from "../src/raft/entry.ts";
import { Invariants, Violation } from "./invariants.ts";
import { checkLinearizable, type Operation } from "./linearizability.ts";
import {
  decodeCommand,
  encodeCommand,
  REGISTER,
  Registers,
  type RegisterCall,
  type RegisterResult,
} from "./register.ts";

export interface SoupOptions {
  readonly seed: number | string;
  /** In the phase of faults. */
  readonly events?: number;
  /** Wrong decisions, to see whether they are noticed. */
  readonly rules?: Partial<Rules>;
  /** Wrong handling of effects, likewise. */
  readonly disk?: "honest" | "acknowledges early" | "forgets terms";
}

export interface SoupResult {
  readonly violation: string | undefined;
  readonly simulatedMs: number;
  readonly events: number;
  readonly elections: number;
  readonly operations: number;
}

type RegisterOperation = Operation<RegisterCall, RegisterResult>;
interface PendingOperation extends Omit<RegisterOperation, "returnedAt" | "result"> {
  readonly data: Uint8Array;
  returnedAt: number;
  result: RegisterResult;
  /** When the first server applied it. */
  tookEffectAt: number;
  /** When the client gives up, and whether it has its answer. */
  readonly until: number;
  isOver: boolean;
}

/** What a seed draws. Ratios are weights of events against each other. */
interface Swarm {
  readonly serverCount: number;
  readonly nonvoterCount: number;
  readonly strangerCount: number;
  readonly lose: number;
  readonly repeat: number;
  readonly crash: number;
  readonly split: number;
  readonly pause: number;
  readonly snapshot: number;
  readonly change: number;
  readonly transfer: number;
  readonly client: number;
  readonly sync: number;
  readonly heartbeatTimeoutMs: number;
  readonly passes: number;
  /** The longest that time goes on at once: against the timeouts, how slow messages are. */
  readonly passMs: number;
  /** Clocks run between 1 - this and 1 + this. */
  readonly drift: number;
  readonly knowsPreVote: number;
  readonly keyCount: number;
  readonly clientCount: number;
}

const DEFAULT_EVENTS = 6000;
const OPERATIONS_MAX = 400;
/** What is owed once nothing fails any more, is owed within so much time. */
const HEALED_MS = 60_000;
const SETTLED_MS = 5000;
const PATIENCE_MS = 2000;

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

function drawSwarm(random: SimRandom): Swarm {
  const main = ["lose", "repeat", "crash", "split", "pause", "snapshot", "change", "transfer"][
    random.between(0, 7)
  ];
  /** One kind of fault is common; most others do not come up, so that each is seen nearly alone, too. */
  const maybe = (kind: string, most: number): number => {
    if (kind === main) return most * (0.5 + 0.5 * random.float());
    return random.chance(0.3) ? random.float() * most : 0;
  };
  return {
    serverCount: random.between(1, 7),
    nonvoterCount: random.chance(0.2) ? 1 : 0,
    strangerCount: random.chance(0.4) ? random.between(1, 2) : 0,
    lose: maybe("lose", 6),
    repeat: maybe("repeat", 4),
    crash: maybe("crash", 1.5),
    split: maybe("split", 0.6),
    pause: maybe("pause", 1.5),
    snapshot: maybe("snapshot", 1),
    change: maybe("change", 1),
    transfer: maybe("transfer", 0.8),
    client: 1 + random.float() * 8,
    sync: random.chance(0.3) ? 2 : 20,
    passes: 5 + random.float() * 20,
    heartbeatTimeoutMs: random.between(150, 1000),
    passMs: random.between(2, 30),
    drift: maybe("drift", 0.2),
    knowsPreVote: random.chance(0.7) ? 1 : random.float(),
    keyCount: random.between(1, 3),
    clientCount: random.between(1, 6),
  };
}

class Soup extends TestCluster {
  readonly #swarm: Swarm;
  readonly #chance: SimRandom;
  readonly #disk: NonNullable<SoupOptions["disk"]>;
  readonly #invariants = new Invariants();
  readonly #registers = new Map<ServerId, Registers>();
  readonly #rates = new Map<ServerId, number>();
  readonly #paused = new Set<ServerId>();
  readonly #operations: PendingOperation[] = [];
  /** Commands in the log of a server, by server, life and index. */
  readonly #proposed = new Map<
    string,
    { readonly operation: PendingOperation; readonly term: number }
  >();
  readonly #byCall = new Map<number, PendingOperation>();
  /** Reads that may be answered once so much is applied. */
  #readable: {
    readonly server: ServerId;
    readonly life: number;
    readonly index: number;
    readonly operation: PendingOperation;
  }[] = [];
  /** Of clients that have asked and not been answered. */
  #waiting: PendingOperation[] = [];
  #moment = 0;
  /** Of the faults there are. */
  #ends: { readonly at: number; readonly end: () => void }[] = [];
  #isHealed = false;
  #nextValue = 1;
  #elections = 0;
  #events = 0;

  static of(
    random: SimRandom,
    { rules = {} }: SoupOptions,
  ): { swarm: Swarm; cluster: ClusterOptions } {
    const swarm = drawSwarm(random);
    const { heartbeatTimeoutMs } = swarm;
    const ignorant = new Set<string>();
    for (const id of NAMES) if (!random.chance(swarm.knowsPreVote)) ignorant.add(id);
    return {
      swarm,
      cluster: {
        rules: { ...RULES, ...rules },
        knowsPreVote: (id) => !ignorant.has(id),
        tellsConflicts: random.chance(0.5),
        batchEntriesMax: random.between(1, 8),
        inflightMax: random.between(1, 8),
        recentBytesMax: random.chance(0.3) ? 0 : 1_000_000,
        trailingLogs: random.between(0, 20),
        heartbeatTimeoutMs,
        electionTimeoutMs: heartbeatTimeoutMs,
        leaseTimeoutMs: heartbeatTimeoutMs * (0.3 + 0.5 * random.float()),
      },
    };
  }

  constructor(options: SoupOptions) {
    const random = new SimRandom(options.seed);
    const { swarm, cluster } = Soup.of(random.fork("swarm"), options);
    const { serverCount, nonvoterCount, strangerCount } = swarm;
    const voters = NAMES.slice(0, serverCount);
    const nonvoters = NAMES.slice(serverCount, serverCount + nonvoterCount);
    const taken = serverCount + nonvoterCount;
    const strangers = NAMES.slice(taken, taken + strangerCount);
    super(voters, { ...cluster, seed: `${options.seed} cluster`, nonvoters, strangers });
    this.#swarm = swarm;
    this.#chance = random.fork("events");
    this.#disk = options.disk ?? "honest";
    for (const id of this.ids) {
      this.#rates.set(id, 1 + swarm.drift * (2 * this.#chance.float() - 1));
      this.crash(id);
      this.start(id);
    }
  }

  get counts(): Omit<SoupResult, "violation"> {
    return {
      simulatedMs: this.now - 1_000_000,
      events: this.#events,
      elections: this.#elections,
      operations: this.#operations.length,
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
    this.heal();
    this.#paused.clear();
    this.#ends = [];
    for (const { id, isUp } of this.servers.values()) if (!isUp) this.start(id);
    // Whoever has just been elected may yet find that somebody has a newer term.
    this.#passUntil(() => false, SETTLED_MS);
    this.#passUntil(() => this.#undisputedLeaders().length > 0, HEALED_MS);
    const [leader] = this.#undisputedLeaders();
    if (leader === undefined) throw new Violation("nobody leads though nothing fails any more");
    const operation = this.#ask(leader, { kind: "set", value: "at last" }, "round");
    this.#passUntil(() => Number.isFinite(operation.returnedAt), HEALED_MS);
    if (!Number.isFinite(operation.returnedAt)) throw new Violation("a write is never answered");
    this.#passUntil(() => this.#laggard(leader) === undefined, HEALED_MS);
    const laggard = this.#laggard(leader);
    if (laggard !== undefined) throw new Violation(`${laggard} does not catch up at the end`);
    this.#judge();
  }

  protected override observe(target: TestServer, effect: Effect): void {
    this.#moment += 1;
    switch (effect.kind) {
      case "persist":
        for (const entry of effect.entries) {
          const previous = target.core.termAt(entry.index - 1);
          this.#invariants.appended(target.id, entry, previous);
        }
        this.#cheat(target);
        return;
      case "role":
        if (effect.role === "leader") this.#noteLeader(target);
        return;
      case "accepted":
        this.#accepted(target, effect.call, effect.at);
        return;
      case "refused": {
        const operation = this.#byCall.get(effect.call);
        if (operation !== undefined) operation.isOver = true;
        return;
      }
      case "done":
        this.#done(target, effect);
        return;
      case "send":
      case "reply":
      case "commit":
      case "load":
      case "drop":
      case "compact":
      case "restore":
      case "sendSnapshot":
      case "receiveSnapshot":
        return;
    }
  }

  protected override applied(target: TestServer, entry: Entry): void {
    const registers = this.#registers.get(target.id);
    if (registers === undefined) return;
    this.#moment += 1;
    const result = entry.type === "command" ? registers.apply(entry.index, entry.data) : true;
    if (entry.type === "command") this.#tookEffect(entry, result);
    this.#invariants.applied(target.id, entry, registers.fingerprint);
    const place = `${target.id} ${target.life} ${entry.index}`;
    const proposed = this.#proposed.get(place);
    this.#proposed.delete(place);
    if (proposed === undefined) return;
    const { operation, term } = proposed;
    // If another entry has its place, it will never be applied.
    if (term !== entry.term) return;
    this.#invariants.acknowledged(entry.index, operation.data);
    operation.returnedAt = this.#moment;
    operation.isOver = true;
    operation.result = result;
  }

  /** Whatever its client hears or does not hear: from now on everybody must see it. */
  #tookEffect({ data }: Entry, result: RegisterResult): void {
    const operation = this.#operations[Number(decodeCommand(data).id)];
    if (operation === undefined || Number.isFinite(operation.tookEffectAt)) return;
    operation.tookEffectAt = this.#moment;
    operation.result = result;
  }

  protected override restored(target: TestServer): void {
    const registers = new Registers();
    for (const { index, data } of target.applied) registers.apply(index, data);
    this.#registers.set(target.id, registers);
    this.#invariants.restored(target.id, target.appliedIndex, registers.fingerprint);
  }

  override step(...[id, input]: Parameters<TestCluster["step"]>): void {
    super.step(id, input);
    this.#answerReads();
  }

  #event(): void {
    const {
      lose,
      repeat,
      crash,
      split,
      pause,
      snapshot,
      change,
      transfer,
      client,
      sync,
      passes,
      passMs,
    } = this.#swarm;
    this.#events += 1;
    this.#moment += 1;
    const flights = this.flights.length;
    this.#oneOf([
      [Math.min(100, flights * 10), () => this.#deliverAny()],
      [flights > 0 ? lose : 0, () => this.drop(this.#anyFlight())],
      [flights > 0 ? repeat : 0, () => this.repeat(this.#anyFlight())],
      [sync, () => this.#syncAny()],
      [passes, () => this.#pass(this.#chance.between(1, passMs))],
      [crash, () => this.#crashAny()],
      [split, () => this.#split()],
      [pause, () => this.#pauseAny()],
      [this.leaders.length > 1 ? 4 : 0, () => this.#askUsurped()],
      [snapshot, () => this.#snapshotAny()],
      [change, () => this.#changeMembers()],
      [transfer, () => this.#transferAny()],
      [this.#operations.length < OPERATIONS_MAX ? client : 0, () => this.#clientAsks()],
    ]);
    // More would never be delivered anyhow.
    if (this.flights.length > 300) this.drop(this.#anyFlight());
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

  /** A paused process receives nothing yet. */
  #deliverAny(): void {
    const place = this.#anyFlight();
    const flight = this.flights[place];
    if (flight !== undefined && !this.#paused.has(flight.to)) this.deliver(place);
  }

  #syncAny(): void {
    const writers = [...this.servers.values()].filter(
      ({ isUp, writes }) => isUp && writes.length > 0,
    );
    const writer = this.#pick(writers);
    if (writer !== undefined && !this.#paused.has(writer.id)) this.sync(writer.id);
  }

  /** Lets time pass; whoever is due acts. */
  #pass(durationMs: number): void {
    this.now = (this.now + durationMs) as Instant;
    const over = this.#ends.filter(({ at }) => at <= this.now);
    this.#ends = this.#ends.filter(({ at }) => at > this.now);
    for (const { end } of over) end();
    for (const { id, isUp, core } of this.servers.values()) {
      if (isUp && !this.#paused.has(id) && this.timeAt(id) >= core.nextDueAt) this.tick(id);
    }
    if (this.#isHealed) this.settle();
  }

  #passUntil(isDone: () => boolean, mostMs: number): void {
    const end = this.now + mostMs;
    while (!isDone() && this.now < end) this.#pass(50);
  }

  #crashAny(): void {
    const target = this.#pick([...this.servers.values()].filter(({ isUp }) => isUp));
    if (target === undefined || !this.#isSpare()) return;
    this.#paused.delete(target.id);
    this.crash(target.id, this.#chance.between(0, target.writes.length));
    const { life } = target;
    this.#later(() => {
      if (!target.isUp && target.life === life) this.start(target.id);
    });
  }

  /** Whether one more may be out of order. Mostly a majority goes on: without it little happens. */
  #isSpare(): boolean {
    const out = this.ids.filter((id) => !this.at(id).isUp || this.#paused.has(id)).length;
    return out < Math.floor((this.ids.length - 1) / 2) || this.#chance.chance(0.05);
  }

  /** Two sides, one server alone, or only two servers that do not reach each other; perhaps only one way. */
  #split(): void {
    const isOneWay = this.#chance.chance(0.3);
    const [alone = this.#pick(this.ids)] = this.#chance.chance(0.5) ? this.leaders : [];
    const one = this.#pick(this.ids);
    const other = this.#pick(this.ids);
    const kind = this.#pick(["sides", "alone", "pair"] as const);
    const side = new Set(this.ids.filter(() => this.#chance.chance(0.5)));
    const parts = (a: ServerId, b: ServerId): boolean => {
      if (kind === "sides") return side.has(a) && !side.has(b);
      return kind === "alone" ? a === alone : a === one && b === other;
    };
    for (const a of this.ids) {
      for (const b of this.ids) {
        if (a === b || !parts(a, b)) continue;
        this.cuts.add(`${a}>${b}`);
        if (!isOneWay) this.cuts.add(`${b}>${a}`);
      }
    }
    this.#later(() => this.heal());
  }

  #pauseAny(): void {
    const target = this.#pick(this.#chance.chance(0.5) ? this.leaders : this.ids);
    if (target === undefined || this.#paused.has(target) || !this.#isSpare()) return;
    this.#paused.add(target);
    this.#later(() => {
      this.#paused.delete(target);
      // What waits for it is handled in any order, its timers too.
      while (this.#chance.chance(0.5)) this.#clientAsks(target);
    });
  }

  /** Ends a fault after some timeouts, or within one. */
  #later(end: () => void): void {
    const timeouts = this.#chance.chance(0.3) ? this.#chance.float() : this.#chance.float() * 6;
    this.#ends.push({ at: this.now + timeouts * this.#swarm.heartbeatTimeoutMs, end });
  }

  /** A leader that has been replaced and does not know it is who tells lies, if anybody does. */
  #askUsurped(): void {
    const [newest] = this.#undisputedLeaders();
    const usurped = this.leaders.find((id) => id !== newest);
    if (usurped === undefined) return;
    this.#paused.delete(usurped);
    this.#clientAsks(usurped);
  }

  #snapshotAny(): void {
    const able = [...this.servers.values()].filter(
      ({ isUp, appliedIndex, snapshot }) => isUp && appliedIndex > snapshot.index,
    );
    const target = this.#pick(able);
    if (target !== undefined) this.takeSnapshot(target.id);
  }

  #changeMembers(): void {
    const leader = this.#pick(this.leaders);
    const id = this.#pick(this.ids);
    if (leader === undefined || id === undefined) return;
    const kind = this.#pick(["addVoter", "addVoter", "addNonvoter", "demote", "remove"] as const);
    if (kind === undefined) return;
    if (kind === "demote" || kind === "remove") this.change(leader, { kind, id });
    else this.change(leader, { kind, id, address: `${id}:8300` });
  }

  #transferAny(): void {
    const leader = this.#pick(this.leaders);
    if (leader !== undefined) this.transfer(leader);
  }

  /** Of some server that says that it leads, if there is one. */
  #clientAsks(target = this.#pick(this.leaders) ?? this.#pick(this.ids)): void {
    if (target === undefined || this.#paused.has(target) || !this.at(target).isUp) return;
    this.#waiting = this.#waiting.filter(({ isOver, until }) => !isOver && until > this.now);
    if (this.#waiting.length >= this.#swarm.clientCount) return;
    const value = `v${this.#nextValue}`;
    this.#nextValue += 1;
    const call: RegisterCall = this.#chance.chance(0.5)
      ? { kind: "get" }
      : this.#chance.chance(0.7)
        ? { kind: "set", value }
        : {
            kind: "compareAndSet",
            expected: `v${this.#nextValue - this.#chance.between(2, 5)}`,
            value,
          };
    this.#waiting.push(this.#ask(target, call, this.#chance.chance(0.5) ? "lease" : "round"));
  }

  #ask(target: ServerId, call: RegisterCall, safety: "lease" | "round"): PendingOperation {
    const key = `k${this.#chance.between(1, this.#swarm.keyCount)}`;
    const data = encodeCommand({ id: `${this.#operations.length}`, key, call });
    this.#moment += 1;
    const operation: PendingOperation = {
      key,
      call,
      data,
      calledAt: this.#moment,
      returnedAt: Number.POSITIVE_INFINITY,
      result: "",
      tookEffectAt: Number.POSITIVE_INFINITY,
      until: this.now + PATIENCE_MS,
      isOver: false,
    };
    this.#operations.push(operation);
    const id = 1_000_000 + this.#operations.length;
    this.#byCall.set(id, operation);
    if (call.kind === "get") this.step(target, { kind: "read", calls: [id], safety });
    else this.step(target, { kind: "propose", proposals: [{ call: id, type: "command", data }] });
    return operation;
  }

  #accepted(
    target: TestServer,
    call: number,
    at: { readonly index: number; readonly term: number },
  ): void {
    const operation = this.#byCall.get(call);
    if (operation === undefined) return;
    this.#proposed.set(`${target.id} ${target.life} ${at.index}`, { operation, term: at.term });
  }

  #done(
    { id: server, life }: TestServer,
    { call, index }: Extract<Effect, { kind: "done" }>,
  ): void {
    const operation = this.#byCall.get(call);
    if (operation !== undefined) this.#readable.push({ server, life, index, operation });
  }

  #answerReads(): void {
    if (this.#readable.length === 0) return;
    this.#readable = this.#readable.filter(({ server, life, index, operation }) => {
      const target = this.at(server);
      if (target.life !== life || !target.isUp) return false;
      if (target.appliedIndex < index) return true;
      this.#moment += 1;
      operation.returnedAt = this.#moment;
      operation.isOver = true;
      operation.result = this.#registers.get(server)?.read(operation.key) ?? "";
      return false;
    });
  }

  #noteLeader({ id, core }: TestServer): void {
    this.#elections += 1;
    const { snapshot, lastIndex } = core;
    const termAt = (index: number) => core.termAt(index);
    this.#invariants.led(id, core.term, { snapshotIndex: snapshot.index, lastIndex, termAt });
  }

  /** Disks that lie. */
  #cheat(target: TestServer): void {
    const write = target.writes.at(-1);
    if (write?.kind !== "persist") return;
    if (this.#disk === "forgets terms" && write.hardState !== undefined) {
      target.writes[target.writes.length - 1] = { ...write, hardState: undefined };
    }
    if (this.#disk === "acknowledges early") {
      this.step(target.id, { kind: "persisted", ticket: write.ticket });
    }
  }

  /** Of those who lead, those whom a majority follows. */
  #undisputedLeaders(): readonly ServerId[] {
    const highest = Math.max(...this.leaders.map((id) => this.at(id).core.term));
    return this.leaders.filter((id) => this.at(id).core.term === highest);
  }

  /** Who has not applied what the leader has committed. */
  #laggard(leader: ServerId): ServerId | undefined {
    const { core } = this.at(leader);
    const { servers } = core.configuration;
    return servers.find(({ id }) => this.at(id).appliedIndex < core.commitIndex)?.id;
  }

  #judge(): void {
    // Who was not answered counts if the command took effect, which is known by now.
    const operations = this.#operations.flatMap((operation) => {
      const returnedAt = Math.min(operation.returnedAt, operation.tookEffectAt);
      return Number.isFinite(returnedAt) ? [{ ...operation, returnedAt }] : [];
    });
    const verdict = checkLinearizable(REGISTER, operations);
    if (verdict.kind !== "not linearizable") return;
    const shown = verdict.history.slice(-8).map(({ call, calledAt, returnedAt, result }) => {
      return `${JSON.stringify(call)} ${calledAt}..${returnedAt} = ${JSON.stringify(result)}`;
    });
    throw new Violation(`not linearizable:\n${shown.join("\n")}`);
  }

  #pick<T>(from: readonly T[]): T | undefined {
    return from[this.#chance.between(0, Math.max(0, from.length - 1))];
  }
}

const NAMES: readonly ServerId[] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
