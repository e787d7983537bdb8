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

export class Table<R, O extends string = never> {
  readonly #shape: TableShape<R, O>;
  readonly #primary: OrderedMap<R>;
  readonly #orders: ReadonlyMap<O, OrderedMap<R>>;

  constructor(shape: TableShape<R, O>, copyOf?: Table<R, O>) {
    this.#shape = shape;
    this.#primary = copyOf === undefined ? new OrderedMap(shape.compare) : copyOf.#primary.clone();
    this.#orders = new Map(
      (Object.keys(shape.orders) as O[]).map((order) => [
        order,
        copyOf === undefined ? new OrderedMap(shape.compare) : copyOf.order(order).clone(),
      ]),
    );
  }

  get size(): number {
    return this.#primary.size;
  }
  get rows(): OrderedMap<R> {
    return this.#primary;
  }
  order(name: O): OrderedMap<R> {
    const order = this.#orders.get(name);
    if (order === undefined) throw new Error(`no order ${name}`);
    return order;
  }
  get(key: string): R | undefined {
    return this.#primary.get(key);
  }
  clone(): Table<R, O> {
    return new Table(this.#shape, this);
  }

  /** @returns the record that stood under the same key */
  put(record: R): R | undefined {
    const key = this.#shape.key(record);
    const previous = this.#primary.get(key);
    if (previous !== undefined) this.#unlink(previous);
    this.#primary.set(key, record);
    for (const [name, order] of this.#orders) {
      for (const orderKey of this.#shape.orders[name](record)) order.set(orderKey, record);
    }
    return previous;
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

  #unlink(record: R): void {
    for (const [name, order] of this.#orders) {
      for (const orderKey of this.#shape.orders[name](record)) order.delete(orderKey);
    }
  }
}
