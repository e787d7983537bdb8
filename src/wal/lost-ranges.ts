/** Which entries were found damaged: few, and never many ranges. */
import type { IndexRange } from "./wal-port.ts";

export class LostRanges {
  /** In order, apart from each other. */
  #ranges: IndexRange[] = [];

  get lowest(): IndexRange | undefined {
    return this.#ranges[0];
  }

  add(index: number): void {
    this.remove(index);
    this.#ranges.push({ fromIndex: index, throughIndex: index });
    this.#ranges.sort((a, b) => a.fromIndex - b.fromIndex);
    this.#ranges = this.#ranges.reduce<IndexRange[]>((joined, range) => {
      const before = joined.at(-1);
      if (before === undefined || before.throughIndex + 1 < range.fromIndex) {
        return [...joined, range];
      }
      return [...joined.slice(0, -1), { ...before, throughIndex: range.throughIndex }];
    }, []);
  }

  remove(index: number): void {
    this.#ranges = this.#ranges.flatMap((range) => [
      ...clipped(range, range.fromIndex, index - 1),
      ...clipped(range, index + 1, range.throughIndex),
    ]);
  }

  cutFrom(index: number): void {
    this.#ranges = this.#ranges.flatMap((range) => clipped(range, range.fromIndex, index - 1));
  }

  dropBefore(index: number): void {
    this.#ranges = this.#ranges.flatMap((range) => clipped(range, index, range.throughIndex));
  }
}

function clipped(range: IndexRange, from: number, through: number): readonly IndexRange[] {
  const fromIndex = Math.max(range.fromIndex, from);
  const throughIndex = Math.min(range.throughIndex, through);
  return fromIndex <= throughIndex ? [{ fromIndex, throughIndex }] : [];
}
