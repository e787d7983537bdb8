/** Clients of the soup: what they ask of which server, and what becomes of it. */
import type { SimRandom } from "../src/platform/sim/index.ts";
import type { Effect } from "../src/raft/effects.ts";
import type { Entry } from "../src/raft/entry.ts";
import type { ServerId } from "../src/raft/index.ts";
import type { TestCluster, TestServer } from "../src/raft/testkit.ts";
import { History, type PendingOperation } from "./history.ts";
import type { Invariants } from "./invariants.ts";
import {
  encodeCommand,
  type Registers,
  type RegisterCall,
  type RegisterResult,
} from "./register.ts";
import type { SoupSwarm } from "./soup-swarm.ts";

export const OPERATIONS_MAX = 400;
const PATIENCE_MS = 2000;
/** Calls of clients, beside those of the cluster itself. */
const FIRST_CALL = 1_000_000;

interface Asked {
  readonly operation: PendingOperation;
  readonly data: Uint8Array;
  /** When the client gives up, and whether it has its answer. */
  readonly until: number;
  isOver: boolean;
}

export interface SoupClientsOptions {
  readonly cluster: TestCluster;
  readonly swarm: SoupSwarm;
  readonly random: SimRandom;
  readonly invariants: Invariants;
  readonly registersOf: (id: ServerId) => Registers | undefined;
}

export class SoupClients {
  readonly #options: SoupClientsOptions;
  readonly #history = new History();
  readonly #byCall = new Map<number, Asked>();
  /** Commands in the log of a server, by server, life and index. */
  readonly #proposed = new Map<string, { readonly asked: Asked; readonly term: number }>();
  /** Reads that may be answered once so much is applied. */
  #readable: {
    readonly server: ServerId;
    readonly life: number;
    readonly index: number;
    readonly asked: Asked;
  }[] = [];
  /** Of clients that have asked and not been answered. */
  #waiting: Asked[] = [];
  #nextValue = 1;

  constructor(options: SoupClientsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#history.length;
  }

  /** Some question, if a client is free to ask. */
  askSomething(target: ServerId): void {
    const { cluster, swarm, random } = this.#options;
    this.#waiting = this.#waiting.filter(({ isOver, until }) => !isOver && until > cluster.now);
    if (this.#waiting.length >= swarm.clientCount) return;
    const key = `k${random.between(1, swarm.keyCount)}`;
    this.#waiting.push(this.#ask(target, key, this.#draw()));
  }

  read(target: ServerId): void {
    this.#ask(target, "k1", { kind: "get" });
  }

  write(target: ServerId): PendingOperation {
    return this.#ask(target, "k1", { kind: "set", value: this.#value() }).operation;
  }

  accepted({ id, life }: TestServer, { call, at }: Extract<Effect, { kind: "accepted" }>): void {
    const asked = this.#byCall.get(call);
    if (asked === undefined) return;
    this.#proposed.set(`${id} ${life} ${at.index}`, { asked, term: at.term });
  }

  refused({ call }: Extract<Effect, { kind: "refused" }>): void {
    const asked = this.#byCall.get(call);
    if (asked !== undefined) asked.isOver = true;
  }

  done({ id: server, life }: TestServer, { call, index }: Extract<Effect, { kind: "done" }>): void {
    const asked = this.#byCall.get(call);
    if (asked !== undefined) this.#readable.push({ server, life, index, asked });
  }

  /** Whatever its client hears or does not hear: from now on everybody must see it. */
  tookEffect({ type, data }: Entry, result: RegisterResult): void {
    if (type === "command") this.#history.tookEffect(data, result);
  }

  applied({ id, life }: TestServer, { index, term }: Entry, result: RegisterResult): void {
    const place = `${id} ${life} ${index}`;
    const proposed = this.#proposed.get(place);
    this.#proposed.delete(place);
    // If another entry has its place, it will never be applied.
    if (proposed === undefined || proposed.term !== term) return;
    const { asked } = proposed;
    this.#options.invariants.acknowledged(index, asked.data);
    asked.isOver = true;
    this.#history.returned(asked.operation, result);
  }

  answerReads(): void {
    if (this.#readable.length === 0) return;
    const { cluster, registersOf } = this.#options;
    this.#readable = this.#readable.filter(({ server, life, index, asked }) => {
      const target = cluster.at(server);
      if (target.life !== life || !target.isUp) return false;
      if (target.appliedIndex < index) return true;
      asked.isOver = true;
      const { operation } = asked;
      this.#history.returned(operation, registersOf(server)?.read(operation.key) ?? "");
      return false;
    });
  }

  /** @throws {Violation} */
  judge(): void {
    this.#history.judge();
  }

  #ask(target: ServerId, key: string, call: RegisterCall): Asked {
    const { cluster, random } = this.#options;
    const operation = this.#history.called(key, call);
    const data = encodeCommand({ id: operation.id, key, call });
    const asked = { operation, data, until: cluster.now + PATIENCE_MS, isOver: false };
    const id = FIRST_CALL + this.#history.length;
    this.#byCall.set(id, asked);
    if (call.kind === "get") {
      const safety = random.chance(0.5) ? "lease" : "round";
      cluster.step(target, { kind: "read", calls: [id], safety });
    } else {
      cluster.step(target, { kind: "propose", proposals: [{ call: id, type: "command", data }] });
    }
    return asked;
  }

  #draw(): RegisterCall {
    const { random } = this.#options;
    if (random.chance(0.5)) return { kind: "get" };
    const value = this.#value();
    if (random.chance(0.7)) return { kind: "set", value };
    const expected = `v${this.#nextValue - random.between(2, 5)}`;
    return { kind: "compareAndSet", expected, value };
  }

  #value(): string {
    this.#nextValue += 1;
    return `v${this.#nextValue}`;
  }
}
