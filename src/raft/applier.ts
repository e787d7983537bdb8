/**
 * Brings committed entries to the state machine, one after the other, and those who wait for them their answers.
 *
 * It works in turns of a few milliseconds, so that a long backlog does not hold up heartbeats. A snapshot that
 * takes the state's place takes its turn among the entries.
 */
import type { Clock } from "../platform/index.ts";
import type { Wal } from "../wal/index.ts";
import type { Entry, Index, Position, Term } from "./entry.ts";
import type { SnapshotStore, StateMachine, StoredSnapshot } from "./ports.ts";
import { RaftRefusal } from "./refusal.ts";
import { inTurns, TURN_MS } from "./turns.ts";
import { fromWalEntry } from "./wal-entry.ts";

const READ_BYTES_MAX = 256 * 1024;

export interface ApplierOptions<Result> {
  readonly clock: Clock;
  readonly wal: Wal;
  readonly snapshots: SnapshotStore;
  readonly stateMachine: StateMachine<Result>;
  /** The log or a snapshot cannot be read: there is no going on. */
  readonly onFailure: (error: Error) => void;
  readonly onApplied: (index: Index) => void;
}

interface Waiting<Result> {
  readonly term: Term;
  readonly resolve: (result: Result | undefined) => void;
  readonly reject: (error: Error) => void;
}
interface Waiter {
  readonly index: Index;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class Applier<Result> {
  readonly #options: ApplierOptions<Result>;
  /** By the index of the entry. */
  readonly #waiting = new Map<Index, Waiting<Result>>();
  #waiters: Waiter[] = [];
  #applied: Position;
  #commitIndex: Index;
  #snapshot: StoredSnapshot | undefined;
  #isRunning = false;
  #isStopped = false;
  #stoppedWith: Error | undefined;

  constructor(options: ApplierOptions<Result>, applied: Position) {
    this.#options = options;
    this.#applied = applied;
    this.#commitIndex = applied.index;
  }

  get applied(): Position {
    return this.#applied;
  }

  /** The result of the entry once it is applied; undefined for one that is no command. */
  resultAt({ index, term }: Position): Promise<Result | undefined> {
    if (this.#stoppedWith !== undefined) return Promise.reject(this.#stoppedWith);
    return new Promise((resolve, reject) => this.#waiting.set(index, { term, resolve, reject }));
  }

  async reached(index: Index): Promise<void> {
    if (this.#stoppedWith !== undefined) throw this.#stoppedWith;
    if (this.#applied.index >= index) return;
    await new Promise<void>((resolve, reject) => this.#waiters.push({ index, resolve, reject }));
  }

  commit(index: Index): void {
    this.#commitIndex = Math.max(this.#commitIndex, index);
    this.#run();
  }

  restore(snapshot: StoredSnapshot): void {
    this.#snapshot = snapshot;
    this.#run();
  }

  /** Whoever waits for an entry cannot know any more what becomes of it. */
  loseLeadership(): void {
    const lost = new RaftRefusal("leadershipLost");
    for (const { reject } of this.#waiting.values()) reject(lost);
    this.#waiting.clear();
  }

  /** Another state takes the place of what they would have changed. */
  overtaken(): void {
    const restored = new RaftRefusal("restored");
    for (const { reject } of this.#waiting.values()) reject(restored);
    this.#waiting.clear();
  }

  stop(error: Error): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#stoppedWith = error;
    for (const { reject } of [...this.#waiting.values(), ...this.#waiters]) reject(error);
    this.#waiting.clear();
    this.#waiters = [];
  }

  #run(): void {
    if (this.#isRunning || this.#isStopped) return;
    this.#isRunning = true;
    this.#work().catch((error: unknown) => {
      if (!this.#isStopped) this.#options.onFailure(error as Error);
    });
  }

  async #work(): Promise<void> {
    const { clock } = this.#options;
    let turnEnds = clock.now() + TURN_MS;
    while (!this.#isStopped) {
      if (this.#snapshot !== undefined) await this.#restoreNow(this.#snapshot);
      else if (this.#applied.index < this.#commitIndex) await this.#applySome();
      else {
        // In the same moment: what is committed in the next one begins anew.
        this.#isRunning = false;
        return;
      }
      if (clock.now() < turnEnds) continue;
      await new Promise<void>((resume) => clock.after(0, resume));
      turnEnds = clock.now() + TURN_MS;
    }
  }

  async #restoreNow(snapshot: StoredSnapshot): Promise<void> {
    const { clock, snapshots, stateMachine } = this.#options;
    if (snapshot.index > this.#applied.index) {
      await stateMachine.restore(inTurns(snapshots.read(snapshot), clock));
      this.#moveTo(snapshot);
    }
    if (this.#snapshot === snapshot) this.#snapshot = undefined;
  }

  async #applySome(): Promise<void> {
    const { clock, wal } = this.#options;
    const from = this.#applied.index + 1;
    const stored = await wal.read(from, this.#commitIndex, READ_BYTES_MAX);
    const turnEnds = clock.now() + TURN_MS;
    for (const entry of stored) {
      // A snapshot may have come meanwhile.
      if (this.#isStopped || this.#snapshot !== undefined) return;
      this.#applyOne(fromWalEntry(entry));
      if (clock.now() >= turnEnds) return;
    }
  }

  #applyOne(entry: Entry): void {
    const { index, term } = entry;
    const result = entry.type === "command" ? this.#options.stateMachine.apply(entry) : undefined;
    const waiting = this.#waiting.get(index);
    this.#waiting.delete(index);
    if (waiting?.term === term) waiting.resolve(result);
    else waiting?.reject(new RaftRefusal("leadershipLost"));
    this.#moveTo(entry);
  }

  #moveTo({ index, term }: Position): void {
    this.#applied = { index, term };
    if (this.#waiters.length > 0) {
      const due = this.#waiters.filter((waiter) => waiter.index <= index);
      this.#waiters = this.#waiters.filter((waiter) => waiter.index > index);
      for (const { resolve } of due) resolve();
    }
    this.#options.onApplied(index);
  }
}
