/**
 * A leader's duties, taken up when this server is elected and laid down when it no longer leads (Consul:
 * agent/consul/leader.go): first everything that was committed before is applied here, then what every cluster has is
 * written, the TTLs of sessions start anew, and the pool's members are followed. Only then are consistent reads
 * answered.
 */
import { messageOf, RollcallError } from "../errors/index.ts";
import type { AutopilotConfig, Command, Session } from "../model/index.ts";
import { DisposableScope, type Clock, type Logger } from "../platform/index.ts";
import { row, type ApplyEffects, type Store } from "../store/index.ts";
import type { Consensus } from "./consensus.ts";
import { SessionTimers } from "./session-timers.ts";
import { TombstoneReaper } from "./tombstone-reaper.ts";

/** Consul's, after a duty could not be taken up. */
const RETRY_MS = 5000;

export interface LeadershipNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Store;
  readonly consensus: Consensus;
  readonly datacenter: string;
  /** What a cluster that has none yet is looked after by. */
  readonly initialAutopilot: AutopilotConfig;
  readonly apply: (command: Command) => Promise<void>;
  /** This server was elected: the others are told. */
  readonly onElected: () => void;
  /** Further duties, which end with the scope. */
  readonly takeUp: (scope: DisposableScope) => Promise<void>;
}

interface Duties {
  readonly term: number;
  readonly scope: DisposableScope;
  readonly sessionTimers: SessionTimers;
  readonly tombstones: TombstoneReaper;
  isReady: boolean;
}
interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class Leadership implements AsyncDisposable {
  readonly #needs: LeadershipNeeds;
  readonly #watching: Disposable;
  readonly #waiters = new Set<Waiter>();
  #duties: Duties | undefined;
  #isClosed = false;

  constructor(needs: LeadershipNeeds) {
    this.#needs = needs;
    this.#watching = needs.consensus.subscribe(() => void this.#follow());
  }

  /** Takes up the duties if this server leads already. */
  async start(): Promise<void> {
    await this.#follow();
  }

  /** Resolves once this server has, as the leader, all that was acknowledged before it became that. */
  ready(signal: AbortSignal | undefined, waitMs: number): Promise<void> {
    if (this.#duties?.isReady === true) return Promise.resolve();
    const { clock } = this.#needs;
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        timer[Symbol.dispose]();
        signal?.removeEventListener("abort", abort);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        resolve: () => {
          leave();
          resolve();
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      const abort = (): void => waiter.reject(signal?.reason);
      const timer = clock.after(waitMs, () => {
        waiter.reject(new RollcallError("request/refused", "Not ready to serve consistent reads"));
      });
      signal?.addEventListener("abort", abort);
      this.#waiters.add(waiter);
    });
  }

  /** All state was replaced: what was taken up for the state before is laid down, and taken up again. */
  async reassert(): Promise<void> {
    if (this.#duties === undefined) return;
    await this.#layDown();
    await this.#follow();
  }

  /** Starts a session's TTL anew. */
  renew(sessionId: string): void {
    this.#duties?.sessionTimers.renew(sessionId);
  }

  applied(index: number, { createdSessions, destroyedSessions, tombstone }: ApplyEffects): void {
    const duties = this.#duties;
    if (duties === undefined) return;
    for (const id of createdSessions) duties.sessionTimers.renew(id);
    for (const id of destroyedSessions) duties.sessionTimers.stop(id);
    if (tombstone) duties.tombstones.laid(index);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#watching[Symbol.dispose]();
    await this.#layDown();
  }

  async #follow(): Promise<void> {
    const { consensus, logger } = this.#needs;
    const { term } = this.#duties ?? {};
    if (term !== undefined && (!consensus.isLeader || term !== consensus.term)) {
      logger.info("cluster leadership lost");
      await this.#layDown();
    }
    // Asked only now: laying down takes its time.
    if (!consensus.isLeader || this.#duties !== undefined || this.#isClosed) return;
    await this.#takeUp(consensus.term);
  }

  async #layDown(): Promise<void> {
    const duties = this.#duties;
    this.#duties = undefined;
    const lost = new RollcallError("raft/no-leader");
    for (const { reject } of this.#waiters) reject(lost);
    await duties?.scope[Symbol.asyncDispose]();
  }

  async #takeUp(term: number): Promise<void> {
    const { logger, onElected, clock } = this.#needs;
    const scope = new DisposableScope();
    const duties: Duties = { term, scope, ...this.#timersOf(scope), isReady: false };
    this.#duties = duties;
    logger.info("cluster leadership acquired");
    onElected();
    while (this.#duties === duties) {
      try {
        await this.#establish(duties);
        return;
      } catch (error) {
        if (this.#duties !== duties) return;
        logger.error("failed to establish leadership", { error: messageOf(error) });
        await new Promise<void>((resume) => clock.after(RETRY_MS, resume));
      }
    }
  }

  async #establish(duties: Duties): Promise<void> {
    const { consensus, store, apply, initialAutopilot, datacenter: Datacenter } = this.#needs;
    await consensus.barrier();
    if (this.#duties !== duties) return;
    const view = store.view();
    for (const { ID } of view.sessions()) duties.sessionTimers.renew(ID);
    if (view.index(row.tombstones) > 0) duties.tombstones.laid(store.lastIndex);
    if (view.autopilot() === undefined) {
      await apply({
        type: "Autopilot",
        body: { Datacenter, Config: initialAutopilot, CAS: false },
      });
    }
    if (this.#duties !== duties) return;
    duties.isReady = true;
    for (const { resolve } of this.#waiters) resolve();
    await this.#needs.takeUp(duties.scope);
  }

  #timersOf(scope: DisposableScope): Pick<Duties, "sessionTimers" | "tombstones"> {
    const { clock, logger, store, datacenter: Datacenter, apply } = this.#needs;
    const sessionTimers = new SessionTimers({
      clock,
      logger,
      ttlOf: (id) => store.view().session(id)?.TTL,
      destroy: (ID) =>
        apply({
          type: "Session",
          body: { Datacenter, Op: "destroy", Session: { ...BLANK_SESSION, ID } },
        }),
    });
    const tombstones = new TombstoneReaper(clock, logger, (ReapIndex) =>
      apply({ type: "Tombstone", body: { Datacenter, Op: "reap", ReapIndex } }),
    );
    return { sessionTimers: scope.use(sessionTimers), tombstones: scope.use(tombstones) };
  }
}

const BLANK_SESSION: Session = {
  ID: "",
  Name: "",
  Node: "",
  LockDelay: 0,
  Behavior: "",
  TTL: "",
  NodeChecks: null,
  ServiceChecks: null,
  Checks: null,
  CreateIndex: 0,
  ModifyIndex: 0,
};
