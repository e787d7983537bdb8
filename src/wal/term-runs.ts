/** The term of every entry, in as much memory as there were elections. */
interface Run {
  readonly from: number;
  /** 0: not known. */
  readonly term: number;
}

export class TermRuns {
  /** Of what comes before the first entry. */
  #base: number;
  #last: number;
  /** In order, each up to the next, the first from `#base`. */
  #runs: Run[];

  /** @param term of the entry at `index`, after which the first one comes; 0 if it is not known */
  constructor(index: number, term: number) {
    this.#base = index;
    this.#last = index;
    this.#runs = [{ from: index, term }];
  }

  get lastIndex(): number {
    return this.#last;
  }

  /** @returns undefined where there is no entry, or its term is not known */
  term(index: number): number | undefined {
    if (index === 0) return 0;
    if (index < this.#base || index > this.#last) return undefined;
    const term = this.#runs[this.#runAt(index)]?.term;
    return term === 0 ? undefined : term;
  }

  /** Of the entry after the last one. */
  push(term: number): void {
    this.#last += 1;
    if (this.#runs.at(-1)?.term !== term) this.#runs.push({ from: this.#last, term });
  }

  /** Forgets `index` and what follows. It is after the base. */
  cutFrom(index: number): void {
    while ((this.#runs.at(-1)?.from ?? 0) >= index) this.#runs.pop();
    this.#last = Math.min(this.#last, index - 1);
  }

  /** Forgets what comes before `index`, which becomes the base. */
  dropBefore(index: number): void {
    if (index <= this.#base) return;
    const [first, ...rest] = this.#runs.slice(this.#runAt(index));
    this.#base = index;
    this.#runs = [{ from: index, term: first?.term ?? 0 }, ...rest];
  }

  /** What was not known becomes known. */
  learn(index: number, term: number): void {
    const at = this.#runAt(index);
    const run = this.#runs[at];
    if (run === undefined || run.term !== 0 || index > this.#last) return;
    const end = this.#runs[at + 1]?.from ?? this.#last + 1;
    const parts = [
      { from: run.from, term: 0 },
      { from: index, term },
      { from: index + 1, term: 0 },
    ].filter(({ from }, part) => (part === 0 ? from < index : from < end));
    this.#runs.splice(at, 1, ...parts);
  }

  #runAt(index: number): number {
    let low = 0;
    let high = this.#runs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#runs[middle]?.from ?? 0) <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
