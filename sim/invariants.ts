/**
 * What must hold in every cluster at every moment, whatever fails (paper, figure 3).
 *
 *   1. Election safety: one leader a term.
 *   2. Log matching: entries with the same index and term are the same, and follow the same.
 *   3. Leader completeness: a leader has everything that was committed in earlier terms.
 *   4. State machine safety: what is applied at an index is the same everywhere, and so is the state then.
 *   5. What was acknowledged to a client is what is applied there.
 *
 * Each fact is compared when it comes into being with all that was there before, so that a check costs no more
 * than the event.
 */
import { mixed } from "./register.ts";

export class Violation extends Error {}

interface SeenEntry {
  readonly index: number;
  readonly term: number;
  readonly data: Uint8Array;
}
interface LogView {
  readonly snapshotIndex: number;
  readonly lastIndex: number;
  readonly termAt: (index: number) => number | undefined;
}
interface Fact {
  readonly term: number;
  readonly hash: number;
  /** The lowest in which somebody has applied it: it was committed by then, perhaps long after its own term. */
  readonly committedBy: number;
}

export class Invariants {
  readonly #leaders = new Map<number, string>();
  /** By index and term: hash, and the term before. */
  readonly #entries = new Map<string, { readonly hash: number; readonly previousTerm: number }>();
  /** By index. */
  readonly #applied: (Fact | undefined)[] = [];
  readonly #fingerprints: (number | undefined)[] = [];

  get elections(): number {
    return this.#leaders.size;
  }

  led(id: string, term: number, log: LogView): void {
    const other = this.#leaders.get(term) ?? id;
    if (other !== id) throw new Violation(`two leaders in term ${term}: ${other} and ${id}`);
    this.#leaders.set(term, id);
    for (const [index, fact] of this.#applied.entries()) {
      if (fact === undefined || index <= log.snapshotIndex) continue;
      // Who stood before may still be elected, late: it need not have what was committed since.
      if (fact.committedBy >= term) continue;
      if (log.termAt(index) === fact.term) continue;
      throw new Violation(
        `${id} leads in term ${term} without entry ${index} of term ${fact.term}`,
      );
    }
  }

  /** @param previousTerm of the entry before it in that log; undefined where nobody knows any more */
  appended(id: string, { index, term, data }: SeenEntry, previousTerm: number | undefined): void {
    const place = `${index} ${term}`;
    const hash = mixed(0, index, data);
    const known = this.#entries.get(place);
    if (known === undefined) {
      if (previousTerm !== undefined) this.#entries.set(place, { hash, previousTerm });
      return;
    }
    const samePast = previousTerm === undefined || known.previousTerm === previousTerm;
    if (known.hash !== hash || !samePast) throw new Violation(`logs differ at ${place} on ${id}`);
  }

  /**
   * @param fingerprint of the state after it
   * @param ownTerm of the server
   */
  applied(
    id: string,
    { index, term, data }: SeenEntry,
    { fingerprint, ownTerm }: { readonly fingerprint: number; readonly ownTerm: number },
  ): void {
    const hash = mixed(0, index, data);
    const known = this.#applied[index];
    if (known !== undefined && (known.term !== term || known.hash !== hash)) {
      throw new Violation(
        `${id} applies another entry at ${index}: of term ${term}, not ${known.term}`,
      );
    }
    const committedBy = Math.min(known?.committedBy ?? ownTerm, ownTerm);
    this.#applied[index] = { term, hash, committedBy };
    this.#sameState(id, index, fingerprint);
  }

  restored(id: string, index: number, fingerprint: number): void {
    if (index > 0) this.#sameState(id, index, fingerprint);
  }

  /** A client was told that its command took effect there. */
  acknowledged(index: number, data: Uint8Array): void {
    const known = this.#applied[index];
    if (known?.hash !== mixed(0, index, data)) {
      throw new Violation(`acknowledged at ${index}, but something else is applied there`);
    }
  }

  #sameState(id: string, index: number, fingerprint: number): void {
    const known = this.#fingerprints[index] ?? fingerprint;
    if (known !== fingerprint) throw new Violation(`the state of ${id} differs at ${index}`);
    this.#fingerprints[index] = fingerprint;
  }
}
