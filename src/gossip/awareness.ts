/**
 * How well this node itself is doing (memberlist: awareness.go; Lifeguard, arXiv:1707.00788, "Local Health
 * Multiplier"): the score rises when its own probes fail, when the members that it asked to help do not even answer,
 * when it must refute, and when its event loop falls behind; each probe that succeeds lowers it. The worse it does,
 * the longer it waits before it accuses anybody.
 */
export class Awareness {
  readonly #max: number;
  #score = 0;

  /** @param max the score stays below it */
  constructor(max: number) {
    this.#max = max;
  }

  /** 0 is well. */
  get score(): number {
    return this.#score;
  }

  change(by: number): void {
    this.#score = Math.max(0, Math.min(this.#max - 1, this.#score + by));
  }

  scaled(durationMs: number): number {
    return durationMs * (this.#score + 1);
  }
}
