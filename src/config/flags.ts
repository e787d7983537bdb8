/**
 * Command-line flags by Go's rules, driven by a table: `-name=v`, `-name v`, `--name`, bare booleans
 * (`-x`, `-x=false`; never `-x false`). Flags end at `--` or at the first argument that is not one.
 *
 *     const flags = parseFlags([{ name: "server", kind: "bool" }, { name: "join", kind: "list" }], argv);
 *     flags.bool("server"); flags.list("join"); flags.rest;
 */
import { RollcallError } from "../errors/index.ts";
import { atoi, goQuote, parseBool, parseDuration, parseInt64 } from "../model/index.ts";

export interface FlagSpec {
  readonly name: string;
  /** "duration" gives nanoseconds, "pairs" a map from repeated `key<separator>value`. */
  readonly kind: "bool" | "text" | "int" | "duration" | "list" | "pairs";
  readonly help?: string;
  /** Between key and value of "pairs". With "=" it must be there, with ":" the value may be missing. */
  readonly separator?: ":" | "=";
  /** Whose list the values join, so that the order across several flags is kept. */
  readonly joins?: string;
  /** "strconv": bad values are told in the words of Go's strconv, as Consul's agent flags do. */
  readonly wording?: "strconv";
}

export type FlagValue = boolean | number | string | readonly string[] | ReadonlyMap<string, string>;

/** What was given. A getter answers undefined, or an empty list or map, for a flag that was not. */
export class Flags {
  readonly #values: ReadonlyMap<string, FlagValue>;
  /** `-h`, `-help` or `--help` was given, and the table has no such flag. */
  readonly help: boolean;
  /** The arguments after the flags. */
  readonly rest: readonly string[];

  constructor(values: ReadonlyMap<string, FlagValue>, rest: readonly string[], help: boolean) {
    this.#values = values;
    this.rest = rest;
    this.help = help;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }
  get(name: string): FlagValue | undefined {
    return this.#values.get(name);
  }
  bool(name: string): boolean | undefined {
    const value = this.#values.get(name);
    return typeof value === "boolean" ? value : undefined;
  }
  text(name: string): string | undefined {
    const value = this.#values.get(name);
    return typeof value === "string" ? value : undefined;
  }
  int(name: string): number | undefined {
    const value = this.#values.get(name);
    return typeof value === "number" ? value : undefined;
  }
  /** Nanoseconds. */
  duration(name: string): number | undefined {
    return this.int(name);
  }
  list(name: string): readonly string[] {
    const value = this.#values.get(name);
    return Array.isArray(value) ? (value as readonly string[]) : [];
  }
  pairs(name: string): ReadonlyMap<string, string> {
    const value = this.#values.get(name);
    return value instanceof Map ? value : new Map();
  }
}

/** @throws {RollcallError} `config/invalid`: `flag provided but not defined: -foo` and the like */
export function parseFlags(table: readonly FlagSpec[], argv: readonly string[]): Flags {
  const specs = new Map(table.map((spec) => [spec.name, spec]));
  const values = new Map<string, FlagValue>();
  let i = 0;
  while (i < argv.length) {
    const argument = argv[i] ?? "";
    if (argument.length < 2 || !argument.startsWith("-")) break;
    i++;
    if (argument === "--") break;
    const name = argument.replace(/^--?/, "");
    if (name === "" || name.startsWith("-") || name.startsWith("=")) {
      throw invalid(`bad flag syntax: ${argument}`);
    }
    const equals = name.indexOf("=");
    const flag = equals < 0 ? name : name.slice(0, equals);
    let given = equals < 0 ? undefined : name.slice(equals + 1);
    const spec = specs.get(flag);
    if (spec === undefined) {
      if (flag === "h" || flag === "help") return new Flags(values, argv.slice(i), true);
      throw invalid(`flag provided but not defined: -${flag}`);
    }
    if (given === undefined && spec.kind === "bool") given = "true";
    if (given === undefined) {
      if (i >= argv.length) throw invalid(`flag needs an argument: -${flag}`);
      given = argv[i] ?? "";
      i++;
    }
    store(values, spec, given);
  }
  return new Flags(values, argv.slice(i), false);
}

function store(values: Map<string, FlagValue>, spec: FlagSpec, given: string): void {
  const name = spec.joins ?? spec.name;
  const old = values.get(name);
  switch (spec.kind) {
    case "text":
      values.set(name, given);
      return;
    case "bool":
      values.set(name, readBool(spec, given));
      return;
    case "int":
      values.set(name, readInt(spec, given));
      return;
    case "duration": {
      const nanoseconds = parseDuration(given);
      if (nanoseconds === undefined) throw badValue(spec, given, "parse error");
      values.set(name, nanoseconds);
      return;
    }
    case "list":
      values.set(name, [...(Array.isArray(old) ? (old as readonly string[]) : []), given]);
      return;
    case "pairs":
      values.set(name, withPair(old instanceof Map ? old : new Map(), spec, given));
  }
}

function readBool(spec: FlagSpec, given: string): boolean {
  const { value, error } = parseBool(given);
  if (value !== undefined) return value;
  const reason = spec.wording === "strconv" ? error : "parse error";
  throw invalid(`invalid boolean value ${goQuote(given)} for -${spec.name}: ${reason}`);
}

/** Go's own flags take any base, the agent's only decimals. */
function readInt(spec: FlagSpec, given: string): number {
  const { value, error } = spec.wording === "strconv" ? atoi(given) : parseInt64(given);
  if (value !== undefined) return Number(value);
  if (spec.wording === "strconv") throw badValue(spec, given, error);
  const reason = error.endsWith("out of range") ? "value out of range" : "parse error";
  throw badValue(spec, given, reason);
}

function withPair(
  old: ReadonlyMap<string, string>,
  spec: FlagSpec,
  given: string,
): ReadonlyMap<string, string> {
  const separator = spec.separator ?? "=";
  const cut = given.indexOf(separator);
  if (cut < 0 && separator === "=") {
    throw badValue(spec, given, `missing "=" value in argument: ${goQuote(given)}`);
  }
  const key = cut < 0 ? given : given.slice(0, cut);
  const value = cut < 0 ? "" : given.slice(cut + 1);
  return new Map([...old, [key, value]]);
}

function badValue(spec: FlagSpec, given: string, reason: string): RollcallError {
  return invalid(`invalid value ${goQuote(given)} for flag -${spec.name}: ${reason}`);
}

const invalid = (text: string): RollcallError => new RollcallError("config/invalid", text);
