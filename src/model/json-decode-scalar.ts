/** Decoding of everything that is not a struct, a list or a map (see `json-decode.ts`). */
import { RollcallError } from "../errors/index.ts";
import { decodeBase64 } from "./base64.ts";
import { durationError, parseDuration } from "./duration.ts";
import { note, type Context } from "./json-decode-fault.ts";
import { JsonNumber, isJsonObject, type JsonValue } from "./json-parse.ts";
import type { FieldKind } from "./schema.ts";

/** @returns undefined where a fault was noted, or where null changes nothing */
export type Decode = (value: JsonValue, context: Context) => unknown;

export function decodeScalar(
  kind: Exclude<FieldKind, "struct" | "list" | "map">,
  goType: string,
): Decode {
  switch (kind) {
    case "text":
      return (value, context) => (typeof value === "string" ? value : note(context, value, goType));
    case "bool":
      return (value, context) =>
        typeof value === "boolean" ? value : note(context, value, goType);
    case "int":
      return (value, context) => decodeInt(value, context, goType);
    case "uint64":
      return (value, context) => decodeUint64(value, context, goType);
    case "float":
      return decodeFloat;
    case "bytes":
      return decodeBytes;
    case "duration":
      return decodeDuration;
    case "any":
      return decodeAny;
  }
}

const MAX_UINT64 = 2n ** 64n - 1n;
const INTEGER = /^-?[0-9]{1,20}$/;

/** Beyond what a number holds exactly counts as overflow, though Go's int has 64 bits. */
function decodeInt(value: JsonValue, context: Context, goType: string): number | undefined {
  const lowest = goType.startsWith("uint") ? 0 : Number.MIN_SAFE_INTEGER;
  if (typeof value === "number") {
    if (value >= lowest) return value === 0 ? 0 : value;
    return note(context, value, goType, `number ${value}`);
  }
  if (!(value instanceof JsonNumber)) return note(context, value, goType);
  const number = INTEGER.test(value.text) ? Number(value.text) : Number.NaN;
  if (Number.isSafeInteger(number) && number >= lowest) return number;
  return note(context, value, goType, `number ${value.text}`);
}

function decodeUint64(value: JsonValue, context: Context, goType: string): bigint | undefined {
  if (typeof value !== "number" && !(value instanceof JsonNumber)) {
    return note(context, value, goType);
  }
  const text = typeof value === "number" ? String(value) : value.text;
  const number = INTEGER.test(text) ? BigInt(text) : -1n;
  if (number >= 0n && number <= MAX_UINT64) return number;
  return note(context, value, goType, `number ${text}`);
}

function decodeFloat(value: JsonValue, context: Context): number | undefined {
  if (typeof value === "number") return value;
  if (!(value instanceof JsonNumber)) return note(context, value, "float64");
  const number = Number(value.text);
  if (Number.isFinite(number)) return number;
  return note(context, value, "float64", `number ${value.text}`);
}

/** base64, or, as Go has it, a list of small numbers. */
function decodeBytes(value: JsonValue, context: Context): Uint8Array | undefined {
  if (typeof value === "string") return decodeBase64Field(value, context);
  if (!Array.isArray(value)) return note(context, value, "[]uint8");
  const bytes = new Uint8Array(value.length);
  for (const [index, item] of (value as readonly JsonValue[]).entries()) {
    if (item === null) continue;
    const byte = decodeInt(item, context, "uint8");
    if (byte !== undefined && byte > 0xff) note(context, item, "uint8", `number ${byte}`);
    bytes[index] = byte ?? 0;
  }
  return bytes;
}

function decodeBase64Field(text: string, context: Context): Uint8Array | undefined {
  try {
    return decodeBase64(text);
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    context.fault ??= { kind: "text", text: error.message };
    return undefined;
  }
}

/** Go's longest duration. */
const MAX_NANOSECONDS = 2 ** 63;

/** A text or nanoseconds. Consul reads durations as values of any type, and passes over other ones. */
export function decodeDuration(value: JsonValue, context: Context): number | undefined {
  if (typeof value === "string") {
    const nanoseconds = parseDuration(value);
    if (nanoseconds === undefined) {
      context.fault ??= { kind: "text", text: durationError(value) };
    }
    return nanoseconds;
  }
  if (typeof value !== "number" && !(value instanceof JsonNumber)) return undefined;
  const nanoseconds = decodeFloat(value, context);
  if (nanoseconds === undefined) return undefined;
  const whole = Math.trunc(nanoseconds);
  return Math.max(-MAX_NANOSECONDS, Math.min(MAX_NANOSECONDS, whole === 0 ? 0 : whole));
}

/** Values without a schema nest no deeper, so that whoever walks them later may recurse. */
const MAX_ANY_DEPTH = 1_000;

/** Numbers become doubles, as in Go; objects have no prototype. */
function decodeAny(value: JsonValue, context: Context): unknown {
  return plainValue(value, context, 0);
}

function plainValue(value: JsonValue, context: Context, depth: number): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof JsonNumber) return decodeFloat(value, context) ?? null;
  if (depth === MAX_ANY_DEPTH) {
    context.fault ??= { kind: "text", text: "json: exceeded max depth" };
    return null;
  }
  if (!isJsonObject(value)) {
    return value.map((item) => plainValue(item, context, depth + 1));
  }
  const object = Object.create(null) as Record<string, unknown>;
  for (const [key, item] of Object.entries(value)) {
    object[key] = plainValue(item, context, depth + 1);
  }
  return object;
}
