/**
 * The flags of commands. The config room parses them by Go's rules; here are the two kinds of value that only
 * commands have, with the texts of Consul's own command line.
 */
import { parseFlags, type Flags, type FlagSpec } from "../config/index.ts";
import { RollcallError } from "../errors/index.ts";
import { goQuote } from "../model/index.ts";

export interface CommandFlag extends Omit<FlagSpec, "kind"> {
  /** "uint" has 64 bits; "pairs" are repeated `key=value`. */
  readonly kind: "bool" | "text" | "int" | "list" | "uint" | "pairs";
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
  for (const { name, kind } of table) {
    for (const value of kind === "uint" && flags.given(name) ? [flags.text(name)] : []) {
      const reason = uintProblem(value);
      if (reason !== undefined) throw badValue(name, value, reason);
    }
    for (const value of kind === "pairs" ? flags.list(name) : []) {
      if (!value.includes("=")) {
        throw badValue(name, value, `Missing "=" value in argument: ${value}`);
      }
    }
  }
  return { flags, args: parsed.rest };
}

const STANDS_FOR = { uint: "text", pairs: "list" } as const;

function asConfigFlag({ name, kind, help, wording }: CommandFlag): FlagSpec {
  return {
    name,
    kind: kind === "uint" || kind === "pairs" ? STANDS_FOR[kind] : kind,
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

function uintProblem(text: string): string | undefined {
  if (!UINT.test(text)) return "parse error";
  const value = parseUint64(text);
  return value === undefined || value >= 2n ** 64n ? "value out of range" : undefined;
}

function badValue(name: string, value: string, reason: string): RollcallError {
  return new RollcallError(
    "config/invalid",
    `invalid value ${goQuote(value)} for flag -${name}: ${reason}`,
  );
}
