/**
 * Values of the expressions in prepared query templates, and arithmetic on them: Go's int64 and float64, and texts. The
 * first operand that is a number says which of the two a calculation is made in.
 */
import { RollcallError } from "../errors/index.ts";

export type Value =
  | Readonly<{ kind: "int"; value: bigint }>
  | Readonly<{ kind: "float"; value: number }>
  | Readonly<{ kind: "text"; value: string }>;
type NumberKind = "int" | "float";
export type Operator = "+" | "-" | "*" | "/" | "%";

const INT_MIN = -(2n ** 63n);
const INT_MAX = 2n ** 63n - 1n;
const refuse = (text: string): RollcallError => new RollcallError("request/refused", text);

/**
 * @param place of the calculation, for the error
 * @throws {RollcallError} `request/refused` for a text that is no number, and for what cannot be calculated
 */
export function calculate(operator: Operator, left: Value, right: Value, place: string): Value {
  const kind = numberKind(left) ?? numberKind(right) ?? "int";
  const a = convert(left, kind).value;
  const b = convert(right, kind).value;
  if (typeof a === "bigint" && typeof b === "bigint") {
    if (b === 0n && (operator === "/" || operator === "%"))
      throw refuse(`${place}: divide by zero`);
    return { kind: "int", value: BigInt.asIntN(64, INTS[operator](a, b)) };
  }
  if (operator === "%") throw refuse(`${place}: modulo cannot be used with floats`);
  return { kind: "float", value: FLOATS[operator](Number(a), Number(b)) };
}

const numberKind = ({ kind }: Value): NumberKind | undefined =>
  kind === "text" ? undefined : kind;

/** Both truncate towards zero, as Go does. */
const INTS: Readonly<Record<Operator, (a: bigint, b: bigint) => bigint>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "%": (a, b) => a % b,
};
const FLOATS: Readonly<Record<Exclude<Operator, "%">, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
};

/** @throws {RollcallError} `request/refused` for a text that is no such number, in Go's words */
export function convert(value: Value, kind: NumberKind): Exclude<Value, { kind: "text" }> {
  if (value.kind === "text") return parsed(value.value, kind);
  if (value.kind === "int") {
    return kind === "int" ? value : { kind, value: Number(value.value) };
  }
  return kind === "float" ? value : { kind, value: truncated(value.value) };
}

function parsed(text: string, kind: NumberKind): Exclude<Value, { kind: "text" }> {
  const value = kind === "int" ? intOf(text) : floatOf(text);
  if (value === undefined) {
    const [name, parse] =
      kind === "int" ? ["StringToInt", "ParseInt"] : ["StringToFloat", "ParseFloat"];
    throw refuse(
      `__builtin_${name}: strconv.${parse}: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  }
  return typeof value === "bigint" ? { kind: "int", value } : { kind: "float", value };
}

/** @returns undefined for what is none, or does not fit 64 bits; a leading zero makes it octal */
export function intOf(text: string): bigint | undefined {
  const [, sign, octal, decimal] = /^([+-]?)(?:0([0-7]*)|([1-9][0-9]*))$/.exec(text) ?? [];
  if (sign === undefined) return undefined;
  const size = decimal === undefined ? BigInt(`0o${octal || "0"}`) : BigInt(decimal);
  const value = sign === "-" ? -size : size;
  return value < INT_MIN || value > INT_MAX ? undefined : value;
}

function floatOf(text: string): number | undefined {
  if (/^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(text)) return Number(text);
  const [, sign, word] = /^([+-]?)(inf|infinity|nan)$/i.exec(text) ?? [];
  if (word === undefined) return undefined;
  if (word.toLowerCase() === "nan") return NaN;
  return sign === "-" ? -Infinity : Infinity;
}

/** What does not fit becomes the least there is, as the processors do it that Consul mostly runs on. */
function truncated(value: number): bigint {
  if (!Number.isFinite(value)) return INT_MIN;
  const whole = BigInt(Math.trunc(value));
  return whole < INT_MIN || whole > INT_MAX ? INT_MIN : whole;
}

export function textOf(value: Value): string {
  return value.kind === "float" ? floatText(value.value) : String(value.value);
}

/** The shortest digits, as Go's 'g' prints them: with an exponent below 1e-4, and from 1e6 on. */
function floatText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (Object.is(value, -0)) return "-0";
  const [mantissa = "", exponentText = "0"] = value.toExponential().split("e");
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 6) return String(value);
  const size = String(Math.abs(exponent)).padStart(2, "0");
  return `${mantissa}e${exponent < 0 ? "-" : "+"}${size}`;
}
