/**
 * Free-form values: what an interface{} of Go holds. Integers are bigints and floats are numbers, so that what
 * was read is written again in the same way; a raw is text, which `go-text.ts` keeps without loss.
 */
import { malformed } from "./malformed.ts";
import { isBin, isRaw, unexpected, type MsgpackReader } from "./msgpack-reader.ts";
import type { AnyValue } from "./msgpack-schema.ts";
import type { MsgpackWriter } from "./msgpack-writer.ts";

/** @throws {RollcallError} `wire/malformed`, also for maps whose keys are not text, and for extensions */
export function readAny(from: MsgpackReader): AnyValue {
  if (from.takeNil()) return null;
  const lead = from.peek();
  if (isRaw(lead)) return from.text();
  if (isBin(lead)) return from.rawCopy();
  if (from.isList()) return from.descend(() => readAnyList(from));
  if (from.isMap()) return from.descend(() => readAnyMap(from));
  switch (lead) {
    case 0xc2:
    case 0xc3:
      return from.bool();
    case 0xca:
    case 0xcb:
      return from.float();
    default:
      if (lead >= 0x80 && lead < 0xe0 && (lead < 0xcc || lead > 0xd3)) {
        throw unexpected("a value", lead);
      }
      return from.wideInteger();
  }
}

export function writeAny(into: MsgpackWriter, value: AnyValue): void {
  if (value === null) into.nil();
  else if (typeof value === "boolean") into.bool(value);
  else if (typeof value === "number") into.float64(value);
  else if (typeof value === "bigint") into.wideInteger(value);
  else if (typeof value === "string") into.text(value);
  else if (value instanceof Uint8Array) into.raw(value);
  else if (isListValue(value)) {
    into.listHeader(value.length);
    for (const element of value) writeAny(into, element);
  } else {
    const entries = Object.entries(value);
    into.mapHeader(entries.length);
    for (const [key, element] of entries) {
      into.text(key);
      writeAny(into, element);
    }
  }
}

function readAnyList(from: MsgpackReader): AnyValue {
  return Array.from({ length: from.listHeader() }, () => readAny(from));
}

function readAnyMap(from: MsgpackReader): AnyValue {
  const values = Object.create(null) as Record<string, AnyValue>;
  for (let left = from.mapHeader(); left > 0; left -= 1) {
    if (!isRaw(from.peek())) throw malformed("a key that is not text");
    const key = from.text();
    values[key] = readAny(from);
  }
  return values;
}

function isListValue(value: AnyValue): value is readonly AnyValue[] {
  return Array.isArray(value);
}
