/**
 * The flags of commands. The config room parses them by Go's rules; here are the two kinds of value that only
 * commands have, with the texts of Consul's own command line.
 */
import { parseFlags, type Flags, type FlagSpec } from "../config/index.ts";
import { RollcallError } from "../errors/index.ts";
import { durationError, goQuote, parseDuration } from "../model/index.ts";

export interface CommandFlag extends Omit<FlagSpec, "kind"> {
  /** "uint" has 64 bits; "pairs" are repeated `key=value`; "duration" is written as in Go (`1m30s`). */
  readonly kind: "bool" | "text" | "int" | "list" | "uint" | "pairs" | "duration";
  readonly help: string;
  /** What the help calls the value. */
  readonly value?: string;
  /** Flags that say how to reach the agent are listed apart from the command's own. */
  readonly section?: "http";
}

/** The flags of one call. What was not given is "", 0, false or empty. */
export class CommandFlags {
  readonly #flags: Flags;
  constructor(flags: Flags) {
    this.#flags = flags;
  }
  given(name: string): boolean {
    return this.#flags.has(name);
  }
  text(name: string): string {
    return this.#flags.text(name) ?? "";
  }
  on(name: string): boolean {
    return this.#flags.bool(name) ?? false;
  }
  int(name: string): number {
    return this.#flags.int(name) ?? 0;
  }
  uint(name: string): bigint {
    return parseUint64(this.text(name)) ?? 0n;
  }
  /** Milliseconds. */
  durationMs(name: string): number {
    return (parseDuration(this.text(name)) ?? 0) / 1e6;
  }
  list(name: string): readonly string[] {
    return this.#flags.list(name);
  }
  /** Of one key's values the last counts. */
  pairs(name: string): ReadonlyMap<string, string> {
    return new Map(this.list(name).map(splitPair));
  }
}

export interface FlagLine {
  readonly flags: CommandFlags;
  readonly args: readonly string[];
}

/** @throws {RollcallError} `config/invalid`, in the words of Go's flag package */
export function parseCommandFlags(
  table: readonly CommandFlag[],
  argv: readonly string[],
): FlagLine {
  const parsed = parseFlags(table.map(asConfigFlag), argv);
  const flags = new CommandFlags(parsed);
  for (const { name, kind, wording } of table) {
    const check = CHECKS[kind];
    const values = kind === "pairs" ? flags.list(name) : [flags.text(name)];
    for (const value of check !== undefined && flags.given(name) ? values : []) {
      const reason = check?.(value, wording);
      if (reason !== undefined) throw badValue(name, value, reason);
    }
  }
  return { flags, args: parsed.rest };
}

/** Kinds that the config room reads as text, and what is then wrong with it. */
const CHECKS: Partial<
  Record<CommandFlag["kind"], (text: string, wording: FlagSpec["wording"]) => string | undefined>
> = {
  uint: uintProblem,
  duration: durationProblem,
  pairs: (text) => (text.includes("=") ? undefined : `Missing "=" value in argument: ${text}`),
};
const STANDS_FOR = { uint: "text", duration: "text", pairs: "list" } as const;

function asConfigFlag({ name, kind, help, wording }: CommandFlag): FlagSpec {
  return {
    name,
    kind: kind === "uint" || kind === "duration" || kind === "pairs" ? STANDS_FOR[kind] : kind,
    help,
    ...(wording === undefined ? {} : { wording }),
  };
}

function splitPair(pair: string): [key: string, value: string] {
  const at = pair.indexOf("=");
  return [pair.slice(0, at), pair.slice(at + 1)];
}

/** Decimal, or as in Go's source with 0x, 0b, 0o or a leading 0. */
const UINT = /^(?:0[xX][\da-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9]\d*)$/;
/** As many digits as 64 bits have in base 2, and the prefix. */
const UINT_MAX_CHARS = 66;

function parseUint64(text: string): bigint | undefined {
  if (!UINT.test(text) || text.length > UINT_MAX_CHARS) return undefined;
  return BigInt(/^0[0-7]/.test(text) ? `0o${text.slice(1)}` : text);
}

function uintProblem(text: string, wording: FlagSpec["wording"]): string | undefined {
  const value = parseUint64(text);
  const isNumber = UINT.test(text);
  if (isNumber && value !== undefined && value < 2n ** 64n) return undefined;
  const reason = isNumber ? "value out of range" : "invalid syntax";
  if (wording === "strconv") return `strconv.ParseUint: parsing ${goQuote(text)}: ${reason}`;
  return isNumber ? reason : "parse error";
}

function durationProblem(text: string, wording: FlagSpec["wording"]): string | undefined {
  if (parseDuration(text) !== undefined) return undefined;
  return wording === "strconv" ? durationError(text) : "parse error";
}

function badValue(name: string, value: string, reason: string): RollcallError {
  return new RollcallError(
    "config/invalid",
    `invalid value ${goQuote(value)} for flag -${name}: ${reason}`,
  );
}
