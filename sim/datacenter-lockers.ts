/** Clients that hold a lock now and then: a session, renewed while it is needed, and let go in one way or another. */
import { pause } from "../src/platform/index.ts";
import type { SimRandom } from "../src/platform/sim/index.ts";
import type { Datacenter } from "./datacenter.ts";
import { httpClient, type AskHttp } from "./datacenter-http.ts";
import { LOCK_KEY, TTL_MS, type LockJudge } from "./datacenter-lock-judge.ts";
import type { DatacenterSwarm } from "./datacenter-swarm.ts";
import { pick } from "./swarm.ts";

const PATIENCE_MS = 9000;
/** Who is not answered soon asks again elsewhere. */
const RENEW_PATIENCE_MS = 1000;
const RENEW_MS = TTL_MS / 3;
const ATTEMPTS = 12;

export class Lockers {
  readonly #datacenter: Datacenter;
  readonly #judge: LockJudge;
  readonly #swarm: DatacenterSwarm;
  readonly #random: SimRandom;
  #markCount = 0;
  #isOver = false;

  constructor(datacenter: Datacenter, judge: LockJudge, swarm: DatacenterSwarm, random: SimRandom) {
    this.#datacenter = datacenter;
    this.#judge = judge;
    this.#swarm = swarm;
    this.#random = random;
    for (let at = 1; at <= swarm.lockerCount; at += 1) {
      void this.#locker(httpClient(datacenter.world, `10.0.8.${at}`));
    }
  }

  stop(): void {
    this.#isOver = true;
  }

  async #locker(ask: AskHttp): Promise<void> {
    while (!this.#isOver) {
      await this.#passed(this.#swarm.thinkMs * this.#random.float());
      const session = await this.#create(ask);
      if (session === undefined) continue;
      const over = new AbortController();
      void this.#renewing(ask, session, over.signal);
      if (await this.#acquire(ask, session)) await this.#hold(ask, session);
      await this.#end(ask, session, over);
    }
  }

  async #create(ask: AskHttp): Promise<string | undefined> {
    const calledMs = this.#now();
    const checks = this.#random.chance(0.3) ? {} : { NodeChecks: [] };
    const body = { TTL: `${TTL_MS}ms`, LockDelay: `${this.#swarm.lockDelayS}s`, ...checks };
    const answer = await this.#ask(ask, "PUT", "/v1/session/create", JSON.stringify(body));
    if (answer?.status !== 200) return undefined;
    const { ID } = JSON.parse(answer.body) as { readonly ID: string };
    this.#judge.created(ID, calledMs);
    return ID;
  }

  /** Of some agents again and again: who was the leader may be asked for long. */
  async #renewing(ask: AskHttp, session: string, signal: AbortSignal): Promise<void> {
    const { clock, agents } = this.#datacenter;
    let agent = pick(this.#random, agents);
    while (!signal.aborted && !this.#isOver) {
      await pause(clock, RENEW_MS, signal);
      if (signal.aborted) return;
      const calledMs = this.#now();
      const path = `/v1/session/renew/${session}`;
      const request = { method: "PUT", path, host: agent.host, patienceMs: RENEW_PATIENCE_MS };
      const answer = await ask(request);
      if (answer?.status === 200) this.#judge.renewed(session, calledMs);
      else agent = pick(this.#random, agents);
    }
  }

  async #acquire(ask: AskHttp, session: string): Promise<boolean> {
    for (let attempt = 0; attempt < ATTEMPTS && !this.#isOver; attempt += 1) {
      this.#markCount += 1;
      const mark = `lock ${this.#markCount}`;
      const calledMs = this.#now();
      const path = `/v1/kv/${LOCK_KEY}?acquire=${session}`;
      const answer = await this.#ask(ask, "PUT", path, mark);
      if (answer?.status === 200 && answer.body.startsWith("true")) {
        this.#judge.acquired(session, mark, calledMs);
        return true;
      }
      // Who was not answered may hold it, and does not know.
      if (answer?.status !== 200) return false;
      await this.#passed(200 + 800 * this.#random.float());
    }
    return false;
  }

  async #hold(ask: AskHttp, session: string): Promise<void> {
    const untilMs = this.#now() + 5000 * this.#random.float();
    while (this.#now() < untilMs && !this.#isOver) {
      const answer = await this.#ask(ask, "GET", `/v1/kv/${LOCK_KEY}?consistent`);
      if (answer?.status === 200) {
        const [seen] = JSON.parse(answer.body) as { Session?: string; LockIndex: number }[];
        if (seen !== undefined) this.#judge.read(session, { Session: "", ...seen });
      }
      await this.#passed(this.#swarm.thinkMs);
    }
  }

  async #end(ask: AskHttp, session: string, over: AbortController): Promise<void> {
    const way = pick(this.#random, ["release", "destroy", "abandon", "outlive"] as const);
    if (way === "outlive") {
      // Goes on being renewed for a while, as a session without a lock.
      await this.#passed(4 * TTL_MS * this.#random.float());
    }
    over.abort();
    if (way === "abandon" || way === "outlive") return;
    this.#judge.letsGo(session);
    if (way === "release") {
      await this.#ask(ask, "PUT", `/v1/kv/${LOCK_KEY}?release=${session}`, "");
    }
    await this.#ask(ask, "PUT", `/v1/session/destroy/${session}`, "");
  }

  #ask(ask: AskHttp, method: string, path: string, body?: string): ReturnType<AskHttp> {
    const { host } = pick(this.#random, this.#datacenter.agents);
    const given = body === undefined ? {} : { body };
    return ask({ host, patienceMs: PATIENCE_MS, method, path, ...given });
  }

  #now(): number {
    return this.#datacenter.clock.now();
  }
  #passed(durationMs: number): Promise<void> {
    return this.#datacenter.passed(durationMs);
  }
}
