/**
 * How much work a filter's regular expressions may make, all of them together.
 *
 * Matching takes no longer than the text times the program, but a caller chooses the program and may find long
 * texts to set it upon, and while it runs the agent does nothing else. So each record that is looked at pays
 * into an account from which every step is taken:
 *
 *     steps for n records  ≤  MAX_STEPS + n * STEPS_PER_RECORD
 *
 * A useful expression follows a handful of ways through a text, so that a record pays for several thousand
 * characters of it. Who overdraws gets an error instead of an answer.
 */
import { RollcallError } from "../errors/index.ts";

/** Roughly a tenth of a second. */
const MAX_STEPS = 5_000_000;
const STEPS_PER_RECORD = 20_000;
/** Of all programs together. */
const MAX_INSTRUCTIONS = 10_000;

export class RegexBudget {
  #instructionsLeft = MAX_INSTRUCTIONS;
  #stepsLeft = MAX_STEPS;

  /** @returns false once the programs have become too large */
  takeInstruction(): boolean {
    this.#instructionsLeft--;
    return this.#instructionsLeft >= 0;
  }

  nextRecord(): void {
    this.#stepsLeft = Math.min(MAX_STEPS, this.#stepsLeft + STEPS_PER_RECORD);
  }

  /** @throws {RollcallError} `request/refused` */
  takeSteps(count: number): void {
    if (count > this.#stepsLeft) {
      this.#stepsLeft = 0;
      throw new RollcallError(
        "request/refused",
        "Filter takes too long: its regular expressions are too complex for these texts",
      );
    }
    this.#stepsLeft -= count;
  }
}
