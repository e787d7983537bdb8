/**
 * Cells: the grain at which readers learn of writes. A read notes the cells that it touched; a write
 * touches the cells that it changed; whoever subscribed to one of them is told, once.
 *
 * The rows of the index table are cells, named as Consul names them ("nodes", "service.web"). Finer ones
 * are named here.
 */
export const cell = {
  row: (name: string): string => name,
  node: (name: string): string => `node\0${name}`,
  nodeServices: (node: string): string => `services of node\0${node}`,
  nodeChecks: (node: string): string => `checks of node\0${node}`,
  serviceChecks: (service: string): string => `checks of service\0${service}`,
  checkStatus: (status: string): string => `checks in state\0${status}`,
  allChecks: (): string => "checks of all",
  key: (key: string): string => `key\0${key}`,
  keyPrefix: (prefix: string): string => `keys under\0${prefix}`,
  session: (id: string): string => `session\0${id}`,
  preparedQuery: (id: string): string => `query\0${id}`,
  nodeSessions: (node: string): string => `sessions of node\0${node}`,
};
const PREFIX_CELL_HEAD = cell.keyPrefix("").length;

export interface Subscriber {
  readonly cells: readonly string[];
  /** What was read from these cells may be different now. Called once: the subscription is over then. */
  invalidate(): void;
}

export class Cells {
  readonly #subscribers = new Map<string, Set<Subscriber>>();
  /** Lengths of the key prefixes that somebody watches, so that a write looks only for those. */
  readonly #prefixLengths = new Map<number, number>();

  subscribe(subscriber: Subscriber): void {
    for (const name of subscriber.cells) {
      const known = this.#subscribers.get(name);
      if (known !== undefined) {
        known.add(subscriber);
        continue;
      }
      this.#subscribers.set(name, new Set([subscriber]));
      this.#countPrefix(name, 1);
    }
  }

  unsubscribe(subscriber: Subscriber): void {
    for (const name of subscriber.cells) {
      const known = this.#subscribers.get(name);
      if (known === undefined || !known.delete(subscriber) || known.size > 0) continue;
      this.#subscribers.delete(name);
      this.#countPrefix(name, -1);
    }
  }

  /** Tells the subscribers of these cells; a subscriber of several is told once. */
  touch(cells: Iterable<string>): void {
    let told: Set<Subscriber> | undefined;
    for (const name of cells) {
      const subscribers = this.#subscribers.get(name);
      if (subscribers === undefined) continue;
      told ??= new Set();
      for (const subscriber of subscribers) told.add(subscriber);
    }
    if (told === undefined) return;
    for (const subscriber of told) {
      this.unsubscribe(subscriber);
      subscriber.invalidate();
    }
  }

  /** The cells that a change of this key touches: its own, and the watched prefixes that it stands under. */
  ofKey(key: string): string[] {
    const cells = [cell.key(key)];
    for (const length of this.#prefixLengths.keys()) {
      if (length <= key.length) cells.push(cell.keyPrefix(key.slice(0, length)));
    }
    return cells;
  }

  /** How many cells are subscribed to: for tests of leaks and for telemetry. */
  get size(): number {
    return this.#subscribers.size;
  }

  #countPrefix(name: string, step: 1 | -1): void {
    if (!name.startsWith(cell.keyPrefix(""))) return;
    const length = name.length - PREFIX_CELL_HEAD;
    const count = (this.#prefixLengths.get(length) ?? 0) + step;
    if (count === 0) this.#prefixLengths.delete(length);
    else this.#prefixLengths.set(length, count);
  }
}
