/**
 * Errors across the wire, where they are nothing but texts: what a caller may make of one, and what it knows of a
 * call that was not answered.
 */
import { RollcallError, type ErrorCode } from "../errors/index.ts";

/** Every hop puts it in front, so that texts are found within, not compared. */
const HOP = "rpc error making call: ";

/** First match counts. */
const CODES: readonly (readonly [text: string, code: ErrorCode])[] = [
  ["No cluster leader", "raft/no-leader"],
  // hashicorp/raft's, of a leader that is handing over: it has not taken the command.
  ["leadership transfer in progress", "raft/no-leader"],
  // Also hashicorp/raft's, of a server that was the leader: neither has this one.
  ["node is not the leader", "raft/no-leader"],
  ["No path to datacenter", "dc/unknown"],
  ["Query not found", "request/not-found"],
  ["Permission denied", "request/forbidden"],
  ["ACL support disabled", "feature/disabled"],
];

/** The error that a server answered with, as its caller throws it. */
export function errorOfText(text: string): RollcallError {
  return new RollcallError(codeOf(text), `${HOP}${text}`);
}

/** The same where no hop puts itself in front. */
export function plainErrorOfText(text: string): RollcallError {
  return new RollcallError(codeOf(text), text);
}

function codeOf(text: string): ErrorCode {
  return CODES.find(([part]) => text.includes(part))?.[1] ?? "request/refused";
}

/** No such method or service there: an older server, or one of another make. */
export function isUnknownMethod(error: unknown): boolean {
  return (
    error instanceof RollcallError && /rpc: can't find (?:method|service) /.test(error.message)
  );
}

/** "not sent": the server has not seen the call. "unknown": it may have done what was asked, or may yet. */
export type Unanswered = "not sent" | "unknown";

/** There is no answer, and why. */
export class CallFailure extends RollcallError {
  readonly outcome: Unanswered;
  constructor(outcome: Unanswered, detail: string, options?: ErrorOptions) {
    super("net/dial", detail, options);
    this.outcome = outcome;
  }
}

export function notSent(cause: unknown): CallFailure {
  return new CallFailure("not sent", `rpc error getting client: ${textOf(cause)}`, { cause });
}
export function unknownOutcome(cause: unknown): CallFailure {
  return new CallFailure("unknown", `${HOP}${textOf(cause)}`, { cause });
}

/** The time that the caller had given the call is over. */
export class TimedOut extends CallFailure {
  constructor() {
    super("unknown", "i/o deadline reached");
  }
}

/** @returns undefined for an error that a server answered with, or that is none of the network's */
export function isUnanswered(error: unknown): Unanswered | undefined {
  return error instanceof CallFailure ? error.outcome : undefined;
}

const textOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
