/**
 * Clients that watch: each asks one agent the same question again and again, blocking until there is news.
 *
 *   1. At one server's own store the index does not go back while that server lives.
 *   2. A blocking query that is answered early is answered with news.
 *   3. No change is lost: a while after the last change every watcher has seen what there is.
 */
import { headerOf } from "../src/http/testkit.ts";
import type { SimRandom } from "../src/platform/sim/index.ts";
import type { SimAgent } from "./datacenter-agent.ts";
import type { Datacenter } from "./datacenter.ts";
import { httpClient, type AskHttp } from "./datacenter-http.ts";
import { LOCK_KEY } from "./datacenter-lock-judge.ts";
import type { DatacenterSwarm } from "./datacenter-swarm.ts";
import { KV_PREFIX } from "./datacenter-writers.ts";
import { Violation } from "./invariants.ts";
import { pick } from "./swarm.ts";

const QUESTIONS = [
  `/v1/kv/${KV_PREFIX}?recurse`,
  `/v1/kv/${KV_PREFIX}?keys`,
  `/v1/kv/${KV_PREFIX}a?`,
  `/v1/kv/${KV_PREFIX}b?`,
  `/v1/kv/${LOCK_KEY}?`,
  "/v1/catalog/nodes?",
  "/v1/session/list?",
  "/v1/health/service/web?",
  "/v1/health/service/consul?",
] as const;
const WAIT_S = 300;
const PATIENCE_MS = 400_000;
const RETRY_MS = 500;
const FRESH_PATIENCE_MS = 5000;

export class Watcher {
  readonly #datacenter: Datacenter;
  readonly #ask: AskHttp;
  readonly #onViolation: (text: string) => void;
  readonly agent: SimAgent;
  readonly question: string;
  readonly #isStale: boolean;
  #index = 0;
  #indexLife = 0;
  seen: string | undefined;
  #isOver = false;

  constructor(
    datacenter: Datacenter,
    ask: AskHttp,
    random: SimRandom,
    onViolation: (text: string) => void,
  ) {
    this.#datacenter = datacenter;
    this.#ask = ask;
    this.#onViolation = onViolation;
    const { agents, servers } = datacenter;
    this.#isStale = random.chance(0.7);
    this.agent = pick(random, this.#isStale ? servers : agents);
    this.question = `${pick(random, QUESTIONS)}${this.#isStale ? "&stale" : ""}`;
    void this.#watch();
  }

  stop(): void {
    this.#isOver = true;
  }

  /** Whether it has seen what a fresh consistent read shows. */
  async isUpToDate(host: string): Promise<boolean> {
    const path = this.question.replace("&stale", "");
    const fresh = await this.#ask({
      host,
      path: `${path}&consistent`,
      patienceMs: FRESH_PATIENCE_MS,
    });
    return fresh !== undefined && `${fresh.status} ${fresh.body}` === this.seen;
  }

  async #watch(): Promise<void> {
    const { clock } = this.#datacenter;
    while (!this.#isOver) {
      const { lifeCount, host } = this.agent;
      const calledMs = clock.now();
      const path = `${this.question}&index=${this.#index}&wait=${WAIT_S}s`;
      const answer = await this.#ask({ host, path, patienceMs: PATIENCE_MS });
      if (this.#isOver) return;
      if (answer === undefined || (answer.status !== 200 && answer.status !== 404)) {
        this.#index = 0;
        await this.#datacenter.passed(RETRY_MS);
        continue;
      }
      const index = Number(headerOf(answer, "X-Consul-Index"));
      const sameLife = lifeCount === this.agent.lifeCount && lifeCount === this.#indexLife;
      if (this.#isStale && sameLife && index < this.#index) {
        this.#onViolation(
          `${this.agent.name} shows ${this.question} at ${index}, after ${this.#index}`,
        );
      }
      const isEarly = clock.now() - calledMs < (WAIT_S * 1000) / 2;
      const isSame = this.#index > 0 && index === this.#index && sameLife;
      if (this.#isStale && isSame && isEarly) {
        this.#onViolation(`${this.agent.name} answers ${this.question} early without news`);
      }
      this.#index = index;
      this.#indexLife = lifeCount;
      this.seen = `${answer.status} ${answer.body}`;
    }
  }
}

export class Watchers {
  readonly #watchers: readonly Watcher[];
  #violation: string | undefined;

  constructor(datacenter: Datacenter, { watcherCount }: DatacenterSwarm, random: SimRandom) {
    this.#watchers = Array.from({ length: watcherCount }, (_, at) => {
      const ask = httpClient(datacenter.world, `10.0.7.${at + 1}`);
      return new Watcher(datacenter, ask, random, (text) => (this.#violation ??= text));
    });
  }

  stop(): void {
    for (const watcher of this.#watchers) watcher.stop();
  }

  /** @throws {Violation} */
  demandNone(): void {
    if (this.#violation !== undefined) throw new Violation(this.#violation);
  }

  /** Some that have not seen what there is. */
  async behind(host: string): Promise<string | undefined> {
    for (const watcher of this.#watchers) {
      if (await watcher.isUpToDate(host)) continue;
      return `who watches ${watcher.question} at ${watcher.agent.name} has seen ${watcher.seen}`;
    }
    return undefined;
  }
}
