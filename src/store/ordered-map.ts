/**
 * A map in key order whose `clone` costs nothing: the copy shares all nodes until one side writes.
 * Wraps sorted-btree, so that nothing else in the code base knows it.
 */
import sortedBtree from "sorted-btree";

const BTree = sortedBtree.default;
type Tree<V> = InstanceType<typeof BTree<string, V>>;
export type CompareKeys = (a: string, b: string) => number;

export const byCodeUnits: CompareKeys = (a, b) => (a === b ? 0 : a < b ? -1 : 1);

export class OrderedMap<V> {
  readonly #tree: Tree<V>;

  constructor(compare: CompareKeys = byCodeUnits, tree?: Tree<V>) {
    this.#tree = tree ?? new BTree<string, V>(undefined, compare);
  }

  get size(): number {
    return this.#tree.size;
  }
  get(key: string): V | undefined {
    return this.#tree.get(key);
  }
  set(key: string, value: V): void {
    this.#tree.set(key, value);
  }
  delete(key: string): boolean {
    return this.#tree.delete(key);
  }
  /** Puts back what stood there; undefined: nothing. */
  restore(key: string, previous: V | undefined): void {
    if (previous === undefined) this.#tree.delete(key);
    else this.#tree.set(key, previous);
  }
  clone(): OrderedMap<V> {
    return new OrderedMap<V>(undefined, this.#tree.clone());
  }

  /** Calls `visit` for every entry whose key starts with `prefix`, in order, until it returns false. */
  forPrefix(prefix: string, visit: (value: V, key: string) => boolean | void): void {
    if (prefix === "") {
      for (const [key, value] of this.#tree.entries()) if (visit(value, key) === false) return;
      return;
    }
    for (const [key, value] of this.#tree.entries(prefix)) {
      if (!key.startsWith(prefix) || visit(value, key) === false) return;
    }
  }

  /** Walks the entries whose keys start with `prefix`, in order. Nothing may be written while it does. */
  *entries(prefix = ""): Generator<readonly [string, V]> {
    for (const entry of prefix === "" ? this.#tree.entries() : this.#tree.entries(prefix)) {
      if (!entry[0].startsWith(prefix)) return;
      yield entry;
    }
  }

  /** The values under a prefix, in key order. */
  values(prefix = ""): V[] {
    const found: V[] = [];
    this.forPrefix(prefix, (value) => {
      found.push(value);
    });
    return found;
  }

  hasPrefix(prefix: string): boolean {
    const next = this.#tree.getPairOrNextHigher(prefix);
    return next !== undefined && next[0].startsWith(prefix);
  }
}
