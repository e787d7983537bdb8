/** JSON bodies: read, decoded, and refused in Consul's words. */
import { RollcallError } from "../errors/index.ts";
import {
  decodeKeyText,
  jsonDecoder,
  type DecodeOptions,
  type Static,
  type TSchema,
} from "../model/index.ts";
import type { Call } from "./call.ts";
import { bad } from "./query-options.ts";
import { DEFAULT_BODY_LIMIT } from "./request-body.ts";

/** @returns a reader of bodies; it returns no promise where the body is there already */
export function jsonRequest<T extends TSchema>(
  schema: T,
  options: DecodeOptions<T>,
): (call: Call) => Static<T> | Promise<Static<T>> {
  const parse = jsonDecoder(schema, options);
  return (call) => {
    const body = call.readBody(DEFAULT_BODY_LIMIT);
    if (body instanceof Promise) return body.then((bytes) => decodeRequest(bytes, parse));
    return decodeRequest(body, parse);
  };
}

/** @throws {RollcallError} `request/bad`, `Request decode failed: …` */
export function decodeRequest<R>(bytes: Uint8Array, parse: (text: string) => R): R {
  try {
    return parse(decodeKeyText(bytes));
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    throw bad(`Request decode failed: ${error.message}`);
  }
}
