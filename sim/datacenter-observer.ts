/**
 * What the servers' stores do, as it happens: each command the first time that any server applies it, and the state of
 * every server at some indexes, which must be the same everywhere.
 */
import { createHash } from "node:crypto";
import type { Command } from "../src/model/index.ts";
import { ChunkCollector, encodeSnapshot, Store, type ApplyResult } from "../src/store/index.ts";
import type { RestoredState } from "../src/store/store.ts";
import { Violation } from "./invariants.ts";
import type { Life } from "./life.ts";

export interface Applied {
  readonly index: number;
  readonly command: Command;
  readonly result: ApplyResult;
}
export interface StoreLife {
  readonly server: string;
  readonly lifeCount: number;
  /** What a dead process still does in memory counts for nothing. */
  readonly life: Life;
}
export interface StoreEars {
  /** The first server has applied it. */
  readonly onFirst: (applied: Applied) => void;
  /** Each server that applies it. */
  readonly onEach: (life: StoreLife, applied: Applied) => void;
  readonly onRestored: (life: StoreLife, lastIndex: number) => void;
}

/** At each such index the whole states are compared. */
const COMPARED_EVERY = 8;
const NO_CHUNKS = new ChunkCollector().state;

export class StoreObserver {
  readonly #ears: StoreEars;
  /** By index. */
  readonly #commands = new Map<number, string>();
  readonly #states = new Map<number, { readonly server: string; readonly hash: string }>();
  #highest = 0;
  violation: string | undefined;

  constructor(ears: StoreEars) {
    this.#ears = ears;
  }

  get highest(): number {
    return this.#highest;
  }

  applied(life: StoreLife, store: Store, applied: Applied): void {
    const { index, command } = applied;
    const told = hashOf([Buffer.from(tellable(command))]);
    const known = this.#commands.get(index);
    if (known === undefined) this.#commands.set(index, told);
    else if (known !== told) this.#violated(`${life.server} applies another command at ${index}`);
    if (index > this.#highest) {
      this.#highest = index;
      this.#ears.onFirst(applied);
    }
    this.#ears.onEach(life, applied);
    if (index % COMPARED_EVERY === 0) this.compare(life.server, store);
  }

  restored(life: StoreLife, store: Store): void {
    this.#ears.onRestored(life, store.lastIndex);
    this.compare(life.server, store);
  }

  /** Its state with those that others had at the same index. */
  compare(server: string, store: Store): void {
    const { lastIndex } = store;
    const hash = stateHash(store);
    const known = this.#states.get(lastIndex);
    if (known === undefined) this.#states.set(lastIndex, { server, hash });
    else if (known.hash !== hash) {
      this.#violated(`the states of ${known.server} and ${server} differ at ${lastIndex}`);
    }
  }

  /** Thrown where it would be caught by the server: so it is kept until somebody looks. */
  #violated(text: string): void {
    this.violation ??= text;
  }

  /** @throws {Violation} */
  demandNone(): void {
    if (this.violation !== undefined) throw new Violation(this.violation);
  }
}

/** A store that tells. */
export class ObservedStore extends Store {
  readonly #observer: StoreObserver;
  readonly #life: StoreLife;

  constructor(observer: StoreObserver, life: StoreLife) {
    super();
    this.#observer = observer;
    this.#life = life;
  }

  override apply(index: number, command: Command): ApplyResult {
    const result = super.apply(index, command);
    if (this.#life.life.isOver) return result;
    this.#observer.applied(this.#life, this, { index, command, result });
    return result;
  }

  override restore(state: RestoredState): void {
    super.restore(state);
    if (this.#life.life.isOver) return;
    this.#observer.restored(this.#life, this);
  }
}

function stateHash(store: Store): string {
  const { lastIndex } = store;
  return hashOf(encodeSnapshot({ tables: store.snapshot(), lastIndex, chunks: NO_CHUNKS }));
}

function hashOf(slices: Iterable<Uint8Array>): string {
  const hash = createHash("sha256");
  for (const slice of slices) hash.update(slice);
  return hash.digest("base64");
}

function tellable(command: Command): string {
  return JSON.stringify(command, (_key, value: unknown) =>
    typeof value === "bigint" ? `${value}` : value,
  );
}
