/**
 * Every error a caller can act on, one row each. A code is earned by a caller that does something
 * different on seeing it; `status` is what HTTP answers. A failure without a code is a bug of ours and is
 * logged with its stack.
 *
 * Most texts that Consul's clients match on are built where the failure is found and passed as `detail`,
 * which then is the whole message.
 */
export const ERRORS = {
  "request/bad": { status: 400, text: "Bad request" },
  "request/forbidden": { status: 403, text: "Permission denied" },
  "request/not-found": { status: 404, text: "Not found" },
  "request/too-large": { status: 413, text: "Request body too large" },
  "request/aborted": { status: 499, text: "The caller has gone" },
  /** What Consul answers with 500 although the caller is at fault. */
  "request/refused": { status: 500, text: "Refused" },
  "feature/disabled": { status: 401, text: "Disabled" },
  "dc/unknown": { status: 500, text: "No path to datacenter" },
  "raft/no-leader": { status: 500, text: "No cluster leader" },
  "net/bind": { status: 500, text: "Cannot listen" },
  "net/dial": { status: 500, text: "Cannot connect" },
  "disk/failed": { status: 500, text: "Disk failure" },
  "config/invalid": { status: 500, text: "Invalid configuration" },
  "gossip/refused": { status: 500, text: "Refused by the pool" },
  "wire/malformed": { status: 400, text: "Malformed bytes" },
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** `message` is `detail` where given, else the text of the code's row. */
export class RollcallError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, detail?: string, options?: ErrorOptions) {
    super(detail ?? ERRORS[code].text, options);
    this.name = "RollcallError";
    this.code = code;
  }
  get status(): number {
    return ERRORS[this.code].status;
  }
}

/** Closes a switch over a union: the compiler proves that it cannot be reached. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}

/** Several errors as one text, in Consul's form: `2 errors occurred:⏎⇥* first⏎⇥* second⏎⏎`. */
export function errorList(texts: readonly string[]): string {
  const head = texts.length === 1 ? "1 error occurred:" : `${texts.length} errors occurred:`;
  return `${head}\n${texts.map((text) => `\t* ${text}\n`).join("")}\n`;
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
