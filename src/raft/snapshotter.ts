/**
 * When this server takes snapshots of its own state, and how: slice by slice, with everybody else's work between
 * the slices. Looked at in random intervals, so that not all servers are at it together.
 */
import { messageOf } from "../errors/index.ts";
import type { Clock, Logger, Random } from "../platform/index.ts";
import type { Configuration } from "./configuration.ts";
import type { Index, Position } from "./entry.ts";
import type { SnapshotStore, StateMachine, StoredSnapshot } from "./ports.ts";
import { RaftRefusal } from "./refusal.ts";
import { inTurns } from "./turns.ts";
import { writeSnapshot } from "./write-snapshot.ts";

export interface SnapshotterOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly snapshots: SnapshotStore;
  readonly stateMachine: StateMachine<unknown>;
  /** Looked at after so long, up to twice. */
  readonly intervalMs: number;
  /** Taken when so many entries were applied since the last. */
  readonly threshold: number;
  readonly applied: () => Position;
  readonly configurationAt: (index: Index) => {
    readonly index: Index;
    readonly configuration: Configuration;
  };
  readonly latestConfigurationIndex: () => Index;
  readonly onTaken: (snapshot: StoredSnapshot) => void;
}

export class Snapshotter implements Disposable {
  readonly #options: SnapshotterOptions;
  #timer: Disposable | undefined;
  #taking: Promise<StoredSnapshot> | undefined;
  #isStopped = false;

  constructor(options: SnapshotterOptions) {
    this.#options = options;
    this.#arm();
  }

  /** @throws {RaftRefusal} when there is nothing new, or a configuration that is not applied yet */
  take(): Promise<StoredSnapshot> {
    this.#taking ??= this.#take().finally(() => (this.#taking = undefined));
    return this.#taking;
  }

  [Symbol.dispose](): void {
    this.#isStopped = true;
    this.#timer?.[Symbol.dispose]();
  }

  #arm(): void {
    const { clock, random, intervalMs } = this.#options;
    if (this.#isStopped) return;
    this.#timer = clock.after(intervalMs * (1 + random.float()), () => {
      void this.#look().finally(() => this.#arm());
    });
  }

  async #look(): Promise<void> {
    const { applied, snapshots, threshold, logger } = this.#options;
    if (applied().index - (snapshots.newest?.index ?? 0) < threshold) return;
    try {
      await this.take();
    } catch (error) {
      logger.warn("failed to take snapshot", { error: messageOf(error) });
    }
  }

  async #take(): Promise<StoredSnapshot> {
    const { snapshots, stateMachine, applied, configurationAt, onTaken } = this.#options;
    const { index, term } = applied();
    if (index <= (snapshots.newest?.index ?? 0)) throw new RaftRefusal("nothingToSnapshot");
    if (this.#options.latestConfigurationIndex() > index) {
      throw new RaftRefusal("configurationPending");
    }
    const { configuration, index: configurationIndex } = configurationAt(index);
    // Before anything else happens: the state is that of `index` only now.
    const slices = this.#untilStopped(stateMachine.snapshot());
    const meta = { index, term, configuration, configurationIndex };
    const snapshot = await writeSnapshot(snapshots, meta, slices);
    if (!this.#isStopped) onTaken(snapshot);
    return snapshot;
  }

  async *#untilStopped(
    slices: ReturnType<StateMachine<unknown>["snapshot"]>,
  ): AsyncGenerator<Uint8Array, void> {
    for await (const slice of inTurns(slices, this.#options.clock)) {
      if (this.#isStopped) throw new RaftRefusal("shutdown");
      yield slice;
    }
  }
}
