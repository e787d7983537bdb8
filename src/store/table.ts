/**
 * A table: records under a primary key, and further orders of the same records. A write keeps all of them
 * in step; `key` and the orders are pure functions of the record.
 */
import { OrderedMap, type CompareKeys } from "./ordered-map.ts";

export interface TableShape<R, O extends string> {
  readonly key: (record: R) => string;
  /** The keys under which a record stands in each further order: none, one or many, all distinct. */
  readonly orders: Readonly<Record<O, (record: R) => readonly string[]>>;
  readonly compare?: CompareKeys;
}

/** One of the further orders, with the keys under which a record stands in it. */
interface Order<R, O extends string> {
  readonly name: O;
  readonly keys: (record: R) => readonly string[];
  readonly map: OrderedMap<R>;
}

export class Table<R, O extends string = never> {
  readonly #shape: TableShape<R, O>;
  readonly #primary: OrderedMap<R>;
  readonly #orders: readonly Order<R, O>[];

  constructor(shape: TableShape<R, O>, copyOf?: Table<R, O>) {
    this.#shape = shape;
    this.#primary = copyOf === undefined ? new OrderedMap(shape.compare) : copyOf.#primary.clone();
    this.#orders = (Object.keys(shape.orders) as O[]).map((name) => ({
      name,
      keys: shape.orders[name],
      map: copyOf === undefined ? new OrderedMap(shape.compare) : copyOf.order(name).clone(),
    }));
  }

  get size(): number {
    return this.#primary.size;
  }
  get rows(): OrderedMap<R> {
    return this.#primary;
  }
  order(name: O): OrderedMap<R> {
    for (const order of this.#orders) if (order.name === name) return order.map;
    throw new Error(`no order ${name}`);
  }
  get(key: string): R | undefined {
    return this.#primary.get(key);
  }
  clone(): Table<R, O> {
    return new Table(this.#shape, this);
  }

  /** @returns the record that stood under the same key */
  put(record: R): R | undefined {
    return this.putAt(this.#shape.key(record), record);
  }
  /** As `put`, for who has the record's key already. */
  putAt(key: string, record: R): R | undefined {
    const previous = this.#primary.get(key);
    if (previous !== undefined) this.#unlink(previous);
    this.#primary.set(key, record);
    for (const { keys, map } of this.#orders) {
      for (const orderKey of keys(record)) map.set(orderKey, record);
    }
    return previous;
  }
  /** Puts back what stood there; undefined: nothing. */
  restore(key: string, previous: R | undefined): void {
    if (previous === undefined) this.remove(key);
    else this.putAt(key, previous);
  }

  /** @returns the record that stood there */
  remove(key: string): R | undefined {
    const previous = this.#primary.get(key);
    if (previous === undefined) return undefined;
    this.#unlink(previous);
    this.#primary.delete(key);
    return previous;
  }

  keyOf(record: R): string {
    return this.#shape.key(record);
  }
  /** The keys under which a record stands, or would stand, in one of the further orders. */
  keysIn(order: O, record: R): readonly string[] {
    return this.#shape.orders[order](record);
  }

  #unlink(record: R): void {
    for (const { keys, map } of this.#orders) {
      for (const orderKey of keys(record)) map.delete(orderKey);
    }
  }
}
