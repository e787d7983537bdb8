/**
 * Those who are suspect, and when the first of them falls due. On a bad network that is asked with each of thousands
 * of rumors about hundreds of suspects, so it is searched for only when the first is gone.
 */
import type { Instant } from "../platform/index.ts";
import type { Suspicion } from "./suspicion.ts";

export class Suspicions {
  readonly #byName = new Map<string, Suspicion>();
  /** The one that falls due first, unless it has to be searched for. */
  #first: Suspicion | undefined;

  /** When there is nobody: undefined. */
  get nextDueAt(): Instant | undefined {
    this.#first ??= this.#earliest();
    return this.#first?.dueAt;
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** Oldest first. Those that are met may be deleted meanwhile. */
  entries(): Iterable<readonly [string, Suspicion]> {
    return this.#byName;
  }

  add(name: string, suspicion: Suspicion): void {
    this.delete(name);
    this.#byName.set(name, suspicion);
    this.#noteDue(suspicion);
  }

  delete(name: string): void {
    const suspicion = this.#byName.get(name);
    if (suspicion === undefined) return;
    this.#byName.delete(name);
    if (suspicion === this.#first) this.#first = undefined;
  }

  /** @returns whether it is news that `by` suspects them too, so that others should hear of it */
  agree(name: string, by: string): boolean {
    const suspicion = this.#byName.get(name);
    if (suspicion?.agree(by) !== true) return false;
    this.#noteDue(suspicion);
    return true;
  }

  /** Of one that is new, or falls due earlier than before. */
  #noteDue(suspicion: Suspicion): void {
    const isKnown = this.#first !== undefined || this.#byName.size === 1;
    if (isKnown && suspicion.dueAt < (this.#first?.dueAt ?? Infinity)) this.#first = suspicion;
  }

  #earliest(): Suspicion | undefined {
    let earliest: Suspicion | undefined;
    for (const suspicion of this.#byName.values()) {
      if (earliest === undefined || suspicion.dueAt < earliest.dueAt) earliest = suspicion;
    }
    return earliest;
  }
}
