/**
 * How bytes are refused. Everything in this room throws one kind of error for bytes that are not what they
 * should be: a `RollcallError` with the code `wire/malformed` and a message that says what was wrong.
 */
import { RollcallError } from "../errors/index.ts";

export function malformed(detail: string): RollcallError {
  return new RollcallError("wire/malformed", detail);
}

/**
 * The bytes are good as far as they go, and end too early. A datagram that does so is malformed; a stream
 * may bring the rest.
 */
export class EndsEarly extends RollcallError {
  /** How many bytes, counted from the start of the buffer, there must be before another try makes sense. */
  readonly neededBytes: number;
  constructor(neededBytes: number) {
    super("wire/malformed", "the bytes end early");
    this.neededBytes = neededBytes;
  }
}
