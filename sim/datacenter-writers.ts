/** Clients of the key/value store: each asks one thing after the other over HTTP, of any agent. */
import type { SimRandom } from "../src/platform/sim/index.ts";
import type { Datacenter } from "./datacenter.ts";
import type { KvHistory } from "./datacenter-history.ts";
import { httpClient, type AskHttp } from "./datacenter-http.ts";
import type { KvCall, KvResult, KvStep } from "./datacenter-kv.ts";
import type { DatacenterSwarm } from "./datacenter-swarm.ts";
import { pick } from "./swarm.ts";

export const KV_PREFIX = "p/";
const KEYS = ["a", "b", "c"] as const;
const PATIENCE_MS = 9000;

interface JsonEntry {
  readonly Key: string;
  readonly Value: string | null;
  readonly ModifyIndex: number;
}
interface TxnReply {
  readonly Results: readonly { readonly KV: JsonEntry }[] | null;
  readonly Errors: readonly unknown[] | null;
}

export class Writers {
  readonly #datacenter: Datacenter;
  readonly #history: KvHistory;
  readonly #swarm: DatacenterSwarm;
  readonly #random: SimRandom;
  /** As somebody saw them last: by key. */
  readonly #indexes = new Map<string, number>();
  #markCount = 0;
  #isOver = false;

  constructor(
    datacenter: Datacenter,
    history: KvHistory,
    swarm: DatacenterSwarm,
    random: SimRandom,
  ) {
    this.#datacenter = datacenter;
    this.#history = history;
    this.#swarm = swarm;
    this.#random = random;
    for (let at = 1; at <= swarm.writerCount; at += 1) {
      void this.#writer(httpClient(datacenter.world, `10.0.9.${at}`));
    }
  }

  stop(): void {
    this.#isOver = true;
  }

  async #writer(ask: AskHttp): Promise<void> {
    const { agents } = this.#datacenter;
    let agent = pick(this.#random, agents);
    while (!this.#isOver) {
      await this.#datacenter.passed(this.#swarm.thinkMs * 2 * this.#random.float());
      if (this.#isOver) return;
      const heard = await this.ask(ask, agent.host, this.#draw());
      if (!heard || this.#random.chance(0.1)) agent = pick(this.#random, agents);
    }
  }

  /** @returns whether there was an answer that tells something */
  async ask(ask: AskHttp, host: string, { call, mark }: Drawn): Promise<boolean> {
    const operation = this.#history.called(call, mark);
    const response = await ask({ host, patienceMs: PATIENCE_MS, ...requestOf(call) });
    if (response === undefined) return false;
    const result = this.#resultOf(call, response.status, response.body);
    if (result === undefined) return false;
    this.#history.returned(operation, result);
    return true;
  }

  #draw(): Drawn {
    this.#markCount += 1;
    const value = `v${this.#markCount}`;
    const key = this.#key();
    const chance = this.#random.float();
    if (chance < 0.3) return { call: { kind: "get", key }, mark: undefined };
    if (chance < 0.4) return { call: { kind: "list" }, mark: undefined };
    if (chance < 0.6) return { call: { kind: "set", key, value }, mark: value };
    if (chance < 0.75) return { call: this.#cas(key, value), mark: value };
    if (chance < 0.79) return { call: { kind: "delete", key }, mark: undefined };
    if (chance < 0.83) return { call: { kind: "delete tree" }, mark: undefined };
    const first: KvStep = this.#random.chance(0.5)
      ? { kind: "set", key, value }
      : this.#cas(key, value);
    const second: KvStep = this.#random.chance(0.5)
      ? { kind: "get", key: this.#key() }
      : { kind: "set", key: this.#key(), value };
    return { call: { kind: "txn", steps: [first, second] }, mark: value };
  }

  #cas(key: string, value: string): KvStep {
    const known = this.#random.chance(0.2) ? 0 : (this.#indexes.get(key) ?? 0);
    return { kind: "cas", key, value, index: known };
  }

  #key(): string {
    return `${KV_PREFIX}${pick(this.#random, KEYS)}`;
  }

  /** undefined: it tells nothing of what became of the call. */
  #resultOf(call: KvCall, status: number, body: string): KvResult | undefined {
    if (call.kind === "get" || call.kind === "list") {
      if (status !== 200 && status !== 404) return undefined;
      const entries = status === 404 ? [] : (JSON.parse(body) as readonly JsonEntry[]);
      const pairs = entries.map((entry) => this.#seen(entry));
      return JSON.stringify(call.kind === "get" ? (pairs[0]?.[1] ?? null) : pairs);
    }
    if (call.kind === "txn") {
      if (status !== 200 && status !== 409) return undefined;
      const { Results, Errors } = JSON.parse(body) as TxnReply;
      if (status === 409 || (Errors ?? []).length > 0) return "false";
      const read = call.steps.map(({ kind }, at) => {
        const entry = (Results ?? [])[at]?.KV;
        return kind !== "get" || entry === undefined ? [] : [this.#seen(entry)[1]];
      });
      return JSON.stringify(read.flat());
    }
    return status === 200 ? JSON.stringify(JSON.parse(body)) : undefined;
  }

  #seen({ Key, Value, ModifyIndex }: JsonEntry): [string, [string, number]] {
    this.#indexes.set(Key, ModifyIndex);
    return [Key, [Buffer.from(Value ?? "", "base64").toString(), ModifyIndex]];
  }
}

export interface Drawn {
  readonly call: KvCall;
  readonly mark: string | undefined;
}

function requestOf(call: KvCall): {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
} {
  switch (call.kind) {
    case "get":
      return { method: "GET", path: `/v1/kv/${call.key}?consistent` };
    case "list":
      return { method: "GET", path: `/v1/kv/${KV_PREFIX}?recurse&consistent` };
    case "set":
      return { method: "PUT", path: `/v1/kv/${call.key}`, body: call.value };
    case "cas":
      return { method: "PUT", path: `/v1/kv/${call.key}?cas=${call.index}`, body: call.value };
    case "delete":
      return { method: "DELETE", path: `/v1/kv/${call.key}` };
    case "delete tree":
      return { method: "DELETE", path: `/v1/kv/${KV_PREFIX}?recurse` };
    case "txn":
      return { method: "PUT", path: "/v1/txn", body: JSON.stringify(call.steps.map(txnStep)) };
  }
}

function txnStep(step: KvStep): unknown {
  const Verb = step.kind;
  const Value = "value" in step ? { Value: Buffer.from(step.value).toString("base64") } : {};
  const Index = step.kind === "cas" ? { Index: step.index } : {};
  return { KV: { Verb, Key: step.key, ...Value, ...Index } };
}
