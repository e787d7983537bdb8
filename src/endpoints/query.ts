/**
 * How every read is answered: evaluated once for all who ask the same, kept while it holds, and for a
 * blocking query held until its index passes the caller's (Consul HTTP API, "Blocking queries").
 */
import { RollcallError } from "../errors/index.ts";
import type { Answer, QueryOptions } from "../rpc/index.ts";
import { keyPart } from "../store/index.ts";
import type { EndpointContext } from "./context.ts";
import type { Deadlines } from "./deadlines.ts";
import { evaluate, toAnswer, type Query } from "./evaluation.ts";
import { hold } from "./hold.ts";

export { metaOf, type Query } from "./evaluation.ts";

/** Joins the parts of a question: others never give the same. */
export const questionOf = (...parts: readonly string[]): string => parts.map(keyPart).join("\0");

export function requireDatacenter(context: EndpointContext, datacenter: string): void {
  if (datacenter !== "" && datacenter !== context.datacenter) {
    throw new RollcallError("dc/unknown");
  }
}

/** What reads need besides what all endpoints work on. */
export interface ReadContext extends EndpointContext {
  readonly deadlines: Deadlines;
}

/** @returns no promise where there is nothing to wait for */
export function answer<T extends object>(
  context: ReadContext,
  options: QueryOptions,
  query: Query<T>,
  signal: AbortSignal | undefined,
): Answer<T> | Promise<Answer<T>> {
  requireDatacenter(context, options.Datacenter);
  const first = evaluate(context, query);
  if (options.MinQueryIndex === 0 || first.index > options.MinQueryIndex) {
    return toAnswer(context, first);
  }
  return hold(context, context.deadlines, { options, query, first, signal });
}
