/**
 * Endpoints as data. One declaration says what an endpoint is called, which methods and parameters it has, what it
 * answers and how: the router, the 405 and OPTIONS answers and `/v1/openapi.json` all come from it.
 */
import type { TSchema } from "../model/index.ts";
import type { Call } from "./call.ts";
import type { Reply } from "./reply.ts";

export interface Parameter {
  readonly description: string;
  /** "flag": it counts by being there, whatever its value. */
  readonly type: "flag" | "text" | "integer" | "duration";
  readonly repeatable?: boolean;
}
export type Parameters = Readonly<Record<string, Parameter>>;

export interface AnswerDoc {
  readonly description: string;
  /** Left out where the body is empty. */
  readonly schema?: TSchema;
  /** Where the shape depends on parameters. */
  readonly alternatives?: readonly TSchema[];
  /** application/json where not given. */
  readonly contentType?: string;
  /** Content type of an answer that is asked for as text, instead. */
  readonly orText?: string;
}

export interface RequestBodyDoc {
  readonly description: string;
  /** Left out for bodies that are no JSON. */
  readonly schema?: TSchema;
  readonly contentType?: string;
}

export interface Operation {
  readonly summary: string;
  readonly description?: string;
  readonly query: Parameters;
  readonly requestBody?: RequestBodyDoc;
  /** Which of the answer headers it has: those of blocking reads, with or without the consistency. */
  readonly answerHeaders: "none" | "index" | "index and consistency";
  readonly answers: Readonly<Record<number, AnswerDoc>>;
  /** Counted under this name, and how it went. */
  readonly counter?: string;
  readonly handle: (call: Call) => Reply | Promise<Reply>;
}

export interface Route {
  /** `/v1/status/leader`, or with `:name` at the end: everything that follows, slashes too. */
  readonly path: string;
  readonly tag: string;
  /** In the order of the Allow header. */
  readonly operations: ReadonlyMap<string, Operation>;
  /** Up to the `:name`, with its slash; `path` itself for an exact endpoint. */
  readonly prefix: string;
  readonly parameter: string | undefined;
  /** Value of the Allow header. */
  readonly allow: string;
  /** By method, the name under which its time is measured. */
  readonly timers: ReadonlyMap<string, string>;
  /** What OPTIONS and wrong methods are answered with, where that is not what all endpoints say. */
  readonly otherMethods: OtherMethods | undefined;
}
export type OtherMethods = (method: string, path: string) => Reply;

export function defineRoute(
  path: string,
  tag: string,
  operations: Readonly<Partial<Record<"GET" | "PUT" | "POST" | "DELETE", Operation>>>,
  otherMethods?: OtherMethods,
): Route {
  const colon = path.indexOf(":");
  const methods = new Map(Object.entries(operations));
  const name = path.slice(1).replace(/:.*/, "_").replaceAll("/", ".");
  return {
    path,
    tag,
    operations: methods,
    prefix: colon === -1 ? path : path.slice(0, colon),
    parameter: colon === -1 ? undefined : path.slice(colon + 1),
    allow: ["OPTIONS", ...methods.keys()].join(","),
    timers: new Map([...methods.keys()].map((method) => [method, `http.${method}.${name}`])),
    otherMethods,
  };
}
