/**
 * The catalog: services come and go at agents; in the end it must say what the pool and the agents themselves say. And
 * no node's `serfHealth` may become critical but by who leads, while it takes the node for failed.
 */
import { SERF_HEALTH } from "../src/model/index.ts";
import type { SimRandom } from "../src/platform/sim/index.ts";
import type { SimAgent } from "./datacenter-agent.ts";
import type { Datacenter } from "./datacenter.ts";
import { httpClient, type AskHttp } from "./datacenter-http.ts";
import type { Applied } from "./datacenter-observer.ts";
import { Violation } from "./invariants.ts";
import { pick } from "./swarm.ts";

const PATIENCE_MS = 5000;
const REGISTER_MS = 6000;
/** Events are written one after the other. */
const BELATED_MS = 10_000;
const SETTLED_MS = 1000;
const APPLIED_MAX = 200;

export class CatalogJudge {
  readonly #datacenter: Datacenter;
  readonly #random: SimRandom;
  readonly #ask: AskHttp;
  /** When the latest commands were applied first. */
  readonly #appliedMs: number[] = [];
  #isOver = false;
  #violation: string | undefined;

  constructor(datacenter: Datacenter, random: SimRandom) {
    this.#datacenter = datacenter;
    this.#random = random;
    this.#ask = httpClient(datacenter.world, "10.0.6.1");
  }

  /** Lets services come and go. */
  begin(): void {
    void this.#registering();
  }

  stop(): void {
    this.#isOver = true;
  }

  /** @throws {Violation} */
  demandNone(): void {
    if (this.#violation !== undefined) throw new Violation(this.#violation);
  }

  first({ command, result }: Applied): void {
    this.#appliedMs.push(this.#datacenter.clock.now());
    if (this.#appliedMs.length > APPLIED_MAX) this.#appliedMs.shift();
    if (command.type !== "Register" || result.kind === "refused") return;
    const { Check, Checks, Node } = command.body;
    const told = [...(Check === null ? [] : [Check]), ...(Checks ?? [])];
    const isCritical = told.some(({ CheckID, Status }) => {
      return CheckID === SERF_HEALTH && Status === "critical";
    });
    if (!isCritical) return;
    const leader = this.#settledLeader();
    const nowMs = this.#datacenter.clock.now();
    if (leader === undefined || (leader.failedUntilMs.get(Node) ?? 0) > nowMs - BELATED_MS) return;
    this.#violation ??= `${Node} is told to be critical, and ${leader.name}, who leads, knows nothing of it`;
  }

  /** The leader, if what is applied now can only be its own: it has led for a while, and had others applied before. */
  #settledLeader(): SimAgent | undefined {
    const { clock, leaders } = this.#datacenter;
    const newest = leaders.at(-1);
    if (newest?.untilMs !== Infinity) return undefined;
    const sinceMs = newest.sinceMs + SETTLED_MS;
    const hasApplied = this.#appliedMs.some((ms) => ms > sinceMs && ms < clock.now() - SETTLED_MS);
    return hasApplied ? newest.agent : undefined;
  }

  /** What does not agree: undefined if all does. */
  async disagreement(host: string): Promise<string | undefined> {
    const nodes = await this.#get<{ Node: string; Address: string }[]>(
      host,
      "/v1/catalog/nodes?consistent",
    );
    const health = await this.#get<{ Node: string; CheckID: string; Status: string }[]>(
      host,
      "/v1/health/state/any?consistent",
    );
    if (nodes === undefined || health === undefined) return "no answer";
    for (const { name, host: address } of this.#datacenter.agents) {
      const node = nodes.find(({ Node }) => Node === name);
      if (node?.Address !== address) return `the catalog has ${name} at ${node?.Address}`;
      const status = health.find(({ Node, CheckID }) => Node === name && CheckID === SERF_HEALTH);
      if (status?.Status !== "passing") return `the catalog has ${name} as ${status?.Status}`;
      const stranger = await this.#strangerIn(address);
      if (stranger !== undefined) return `${name} has ${stranger}`;
    }
    if (nodes.length !== this.#datacenter.agents.length) return `${nodes.length} nodes`;
    for (const { name, host: own } of this.#datacenter.agents) {
      const local = await this.#get<Record<string, { Port: number }>>(own, "/v1/agent/services");
      const catalog = await this.#get<{ Services: Record<string, { Port: number }> }>(
        host,
        `/v1/catalog/node/${name}?consistent`,
      );
      if (local === undefined || catalog === undefined) return "no answer";
      const there = portsOf(catalog.Services);
      if (portsOf(local) !== there) return `${name} has ${portsOf(local)}, the catalog ${there}`;
    }
    return undefined;
  }

  /** Whom an agent's pool does not have as alive where it is: undefined if it has all. */
  async #strangerIn(host: string): Promise<string | undefined> {
    const path = "/v1/agent/members";
    const members = await this.#get<{ Name: string; Addr: string; Status: number }[]>(host, path);
    const alive = members?.filter(({ Status }) => HERE.has(Status)) ?? [];
    for (const { name, host: address } of this.#datacenter.agents) {
      const member = alive.find(({ Name }) => Name === name);
      if (member?.Addr !== address) return `${name} at ${member?.Addr}`;
    }
    return undefined;
  }

  async #registering(): Promise<void> {
    let count = 0;
    while (!this.#isOver) {
      await this.#datacenter.passed(REGISTER_MS * this.#random.float());
      if (this.#isOver) return;
      count += 1;
      const { host } = pick(this.#random, this.#datacenter.agents);
      const id = pick(this.#random, ["web", "db"]);
      const registers = this.#random.chance(0.7);
      const path = `/v1/agent/service/${registers ? "register" : `deregister/${id}`}`;
      const body = registers ? JSON.stringify({ Name: id, Port: count }) : "";
      await this.#ask({ host, method: "PUT", path, body, patienceMs: PATIENCE_MS });
    }
  }

  async #get<T>(host: string, path: string): Promise<T | undefined> {
    const answer = await this.#ask({ host, path, patienceMs: PATIENCE_MS });
    return answer?.status === 200 ? (JSON.parse(answer.body) as T) : undefined;
  }
}

/**
 * Serf's numbers for "alive" and "leaving". Who was told to have left while it was cut off, and comes back, stays
 * "leaving" for who has heard both in one exchange, until it says again that it is here.
 */
const HERE: ReadonlySet<number> = new Set([1, 2]);

/** The service `consul` is the leader's to keep. */
function portsOf(services: Readonly<Record<string, { readonly Port: number }>>): string {
  const own = Object.entries(services).filter(([id]) => id !== "consul");
  const shown = own.map(([id, { Port }]) => `${id}:${Port}`);
  return `[${shown.sort().join(" ")}]`;
}
