/**
 * Bodies and their variants. A reply's value stays the same object for as long as it has not changed (rpc/methods.ts),
 * so the bytes made of it are kept under it in a WeakMap: a hot answer is encoded once, whatever asks for it.
 */
import { promisify } from "node:util";
import { gzip, gzipSync } from "node:zlib";
import {
  jsonEncoder,
  prettyJson,
  type JsonStyle,
  type Static,
  type TSchema,
} from "../model/index.ts";
import { GZIP, PRETTY, type Body, type Encoded, type Variant } from "./reply.ts";

/** Up to here a body that is ASCII goes out in the same write as the head. */
const TEXT_MAX_BYTES = 4096;
/** From here on another thread compresses. */
const GZIP_ASYNC_MIN_BYTES = 32_768;
const gzipInThread = promisify(gzip);
const ASCII = /^[\0-\x7f]*$/;

const JSON_TYPE = "application/json";
/** What Go's sniffing makes of an error text. */
export const TEXT_TYPE = "text/plain; charset=utf-8";

export function encodeText(text: string): Encoded {
  if (text.length <= TEXT_MAX_BYTES && ASCII.test(text)) {
    return { data: text, sizeBytes: text.length };
  }
  const data = Buffer.from(text, "utf8");
  return { data, sizeBytes: data.length };
}

/** The text in a style. */
type Json = (style: JsonStyle) => string;

function encodeVariant(json: Json, variant: Variant): Encoded | Promise<Encoded> {
  const text = (variant & PRETTY) === 0 ? json("compact") : `${json("pretty")}\n`;
  return (variant & GZIP) === 0 ? encodeText(text) : compress(Buffer.from(text, "utf8"));
}

function compress(bytes: Uint8Array): Encoded | Promise<Encoded> {
  if (bytes.length < GZIP_ASYNC_MIN_BYTES) return encodedBytes(gzipSync(bytes));
  return gzipInThread(bytes).then(encodedBytes);
}

function encodedBytes(data: Uint8Array): Encoded {
  return { data, sizeBytes: data.length };
}

/** Never indented; compressed on request. */
export function bytesBody(bytes: Uint8Array, contentType: string): Body {
  return {
    contentType,
    encode: (variant) => ((variant & GZIP) === 0 ? encodedBytes(bytes) : compress(bytes)),
  };
}
export function textBody(text: string, contentType = TEXT_TYPE): Body {
  return {
    contentType,
    encode: (variant) =>
      (variant & GZIP) === 0 ? encodeText(text) : compress(Buffer.from(text, "utf8")),
  };
}

/** JSON that is made anew for each answer. */
export function jsonBody<T extends TSchema>(schema: T): (value: Static<T>) => Body {
  const encode = styledEncoder(schema);
  return (value) => rawJsonBody((style) => encode(value, style));
}
function rawJsonBody(json: Json): Body {
  return { contentType: JSON_TYPE, encode: (variant) => encodeVariant(json, variant) };
}

/** An agent uses one of the styles mostly: each is compiled when it is first asked for. */
function styledEncoder<T extends TSchema>(
  schema: T,
): (value: Static<T>, style: JsonStyle) => string {
  const encoders: { [S in JsonStyle]?: (value: Static<T>) => string } = {};
  return (value, style) => (encoders[style] ??= jsonEncoder(schema, style))(value);
}

const GO_ESCAPES = /[<>&\u2028\u2029]/g;

/** Plain JSON values, keys in the order they have. Outside of strings JSON has none of the characters escaped here. */
export function plainJsonBody(value: Readonly<Record<string, unknown>>): Body {
  return rawJsonBody((style) => {
    const text = JSON.stringify(value).replace(
      GO_ESCAPES,
      (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
    return style === "pretty" ? prettyJson(text) : text;
  });
}

/**
 * JSON whose bytes are kept for as long as `value` lives.
 *
 * @param select what of the value the body shows; it must depend on nothing else
 */
export function cachedJsonBody<V extends object, T extends TSchema>(
  schema: T,
  select: (value: V) => Static<T>,
): (value: V) => Body {
  const encode = styledEncoder(schema);
  const bodies = new WeakMap<V, Body>();
  return (value) => {
    const known = bodies.get(value);
    if (known !== undefined) return known;
    const body = cachedBody((style) => encode(select(value), style));
    bodies.set(value, body);
    return body;
  };
}

/** The JSON text itself is not kept: mostly one variant is asked for. */
function cachedBody(json: Json): Body {
  const variants: Array<Encoded | Promise<Encoded> | undefined> = [
    undefined,
    undefined,
    undefined,
    undefined,
  ];
  return {
    contentType: JSON_TYPE,
    encode: (variant) => (variants[variant] ??= encodeVariant(json, variant)),
  };
}
