/**
 * Filter expressions, compiled for one kind of record (Consul docs: "Filtering").
 *
 * Everything that can be wrong with an expression is found while compiling. After that a filter fails only if
 * its regular expressions would keep the agent busy for too long (`regex-budget.ts`). Three rules of go-bexpr surprise, and hold here as well:
 *
 *   1. A selector through a list asks whether any element satisfies the operator, also for `!=` and `not`
 *      operators: `Checks.Status != passing` means that some check is not passing.
 *   2. A key that a map lacks satisfies `!=`, `not in` and, what is more, `matches` and `not matches`.
 *   3. A selector is checked even where the records at hand would never need it.
 */
import { RollcallError } from "../errors/index.ts";
import {
  fieldKind,
  goQuote,
  parseBool,
  parseInt64,
  valuesOf,
  type FieldSchema,
  type Parsed,
  type TSchema,
} from "../model/index.ts";
import type { Expression, Match, MatchOperator } from "./expression.ts";
import { parseExpression } from "./parse-expression.ts";
import { compileRegex } from "./re2-program.ts";
import { RegexBudget } from "./regex-budget.ts";
import { operatorsOf, selectableField } from "./selectors.ts";

/** What Consul puts before every fault of an expression, except on `/v1/agent/checks`. */
export const FILTER_ERROR_PREFIX = "Failed to create boolean expression evaluator: ";

/** Says whether a value, somewhere within a record, satisfies the filter. */
type Test = (value: unknown) => boolean;

/**
 * @param expression empty keeps everything
 * @param schema of the records that the filter will be asked about
 * @returns whether a record is kept; throws {RollcallError} `request/refused` when that takes too long
 * @throws {RollcallError} `request/refused`
 */
export function compileFilter(expression: string, schema: TSchema): (record: object) => boolean {
  if (expression === "") return () => true;
  try {
    const budget = new RegexBudget();
    const test = compile(parseExpression(expression), schema, budget);
    return (record) => {
      budget.nextRecord();
      return test(record);
    };
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    throw new RollcallError("request/refused", FILTER_ERROR_PREFIX + error.message);
  }
}

function compile(expression: Expression, schema: FieldSchema, budget: RegexBudget): Test {
  switch (expression.kind) {
    case "match":
      return descend(expression, 0, schema, budget);
    case "not": {
      const operand = compile(expression.operand, schema, budget);
      return (record) => !operand(record);
    }
    case "and": {
      const operands = expression.operands.map((operand) => compile(operand, schema, budget));
      return (record) => operands.every((operand) => operand(record));
    }
    case "or": {
      const operands = expression.operands.map((operand) => compile(operand, schema, budget));
      return (record) => operands.some((operand) => operand(record));
    }
  }
}

/** Follows the selector from its step `depth` on, into a value that `schema` describes. */
function descend(match: Match, depth: number, schema: FieldSchema, budget: RegexBudget): Test {
  const step = match.selector[depth];
  if (step === undefined) return leaf(match, schema, budget);
  const kind = fieldKind(schema);
  if (kind === "struct") return intoField(match, depth, step, schema, budget);
  if (kind === "map") return intoKey(match, depth, step, schema, budget);
  if (kind !== "list") throw invalidSelector(match, depth);
  const test = descend(match, depth, schema.items ?? {}, budget);
  return (list) => list !== null && (list as readonly unknown[]).some((item) => test(item));
}

function intoField(
  match: Match,
  depth: number,
  name: string,
  schema: FieldSchema,
  budget: RegexBudget,
): Test {
  const field = selectableField(schema, name);
  if (field === undefined) throw invalidSelector(match, depth);
  const test = descend(match, depth + 1, field, budget);
  return (record) => record !== null && test((record as Readonly<Record<string, unknown>>)[name]);
}

const UNSATISFIED_BY_NOTHING: ReadonlySet<MatchOperator> = new Set(["Equal", "In", "Is Not Empty"]);

function intoKey(
  match: Match,
  depth: number,
  key: string,
  schema: FieldSchema,
  budget: RegexBudget,
): Test {
  const test = descend(match, depth + 1, valuesOf(schema), budget);
  const ifAbsent = !UNSATISFIED_BY_NOTHING.has(match.operator);
  return (map) =>
    map !== null && Object.hasOwn(map as object, key)
      ? test((map as Readonly<Record<string, unknown>>)[key])
      : ifAbsent;
}

/** Go names the part of the selector up to where it leads nowhere. */
function invalidSelector(match: Match, depth: number): RollcallError {
  const part = match.selector.slice(0, depth + 1).join(".");
  return new RollcallError("request/refused", `Selector ${goQuote(part)} is not valid`);
}

function leaf(match: Match, schema: FieldSchema, budget: RegexBudget): Test {
  const { operator } = match;
  if (!operatorsOf(schema).includes(operator)) {
    throw new RollcallError(
      "request/refused",
      `Invalid match operator ${goQuote(operator)} for selector ${goQuote(match.selector.join("."))}`,
    );
  }
  switch (operator) {
    case "Equal":
      return equals(match, schema);
    case "Not Equal":
      return negated(equals(match, schema));
    case "In":
      return contains(match.value, schema);
    case "Not In":
      return negated(contains(match.value, schema));
    case "Is Empty":
      return isEmpty;
    case "Is Not Empty":
      return negated(isEmpty);
    case "Matches":
      return matches(match.value, budget);
    case "Not Matches":
      return negated(matches(match.value, budget));
  }
}

function negated(test: Test): Test {
  return (value) => !test(value);
}

function equals(match: Match, schema: FieldSchema): Test {
  const wanted = coerce(match, schema);
  return (value) => value === wanted;
}

/** The text to compare with, as a value of the field's kind. */
function coerce(match: Match, schema: FieldSchema): string | boolean | number {
  const kind = fieldKind(schema);
  if (kind === "bool") return coerced(match, parseBool(match.value));
  return kind === "int" ? Number(coerced(match, parseInt64(match.value))) : match.value;
}

function coerced<T>({ value, selector }: Match, parsed: Parsed<T>): T {
  if (parsed.error === undefined) return parsed.value;
  const text = `Failed to coerce value ${goQuote(value)} for selector ${goQuote(selector.join("."))}`;
  throw new RollcallError("request/refused", `${text}: ${parsed.error}`);
}

function contains(wanted: string, schema: FieldSchema): Test {
  const kind = fieldKind(schema);
  if (kind === "map") return (map) => map !== null && Object.hasOwn(map as object, wanted);
  if (kind === "list") {
    return (list) => list !== null && (list as readonly unknown[]).includes(wanted);
  }
  return (text) => (text as string).includes(wanted);
}

function isEmpty(value: unknown): boolean {
  if (value === null) return true;
  return Array.isArray(value) ? value.length === 0 : Object.keys(value as object).length === 0;
}

function matches(pattern: string, budget: RegexBudget): Test {
  const test = regex(pattern, budget);
  return (text) => test(text as string);
}

function regex(pattern: string, budget: RegexBudget): (text: string) => boolean {
  try {
    return compileRegex(pattern, budget);
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    throw new RollcallError(
      "request/refused",
      `Failed to compile regular expression ${goQuote(pattern)}: ${error.message}`,
    );
  }
}
