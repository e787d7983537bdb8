/** What a read's answer says of itself in its headers, and how reads are made. */
import type {
  Answer,
  Delegate,
  MethodName,
  Methods,
  QueryMeta,
  QueryOptions,
} from "../rpc/index.ts";
import type { Call } from "./call.ts";

type ReadName = {
  [M in MethodName]: Methods[M]["reply"] extends Answer<infer _> ? M : never;
}[MethodName];

export const LEVELS = { default: "leader", stale: "stale", consistent: "consistent" } as const;

export function indexHeaders(meta: QueryMeta): string[] {
  return [
    "X-Consul-Index",
    // An index of 0 would make a client's next blocking query return at once, for ever.
    String(meta.Index > 0 ? meta.Index : 1),
    "X-Consul-Knownleader",
    meta.KnownLeader ? "true" : "false",
    "X-Consul-Lastcontact",
    String(Math.floor(meta.LastContactMs)),
  ];
}

/** Catalog and health reads also say how consistent they were. */
export function discoveryHeaders(meta: QueryMeta, options: QueryOptions): string[] {
  return [...indexHeaders(meta), "X-Consul-Effective-Consistency", LEVELS[options.Consistency]];
}

export const FAILED_READ = indexHeaders({ Index: 1, KnownLeader: false, LastContactMs: 0 });

/** A catalog, health or session read: if it fails, its error has index headers all the same. */
export async function read<M extends ReadName>(
  call: Call,
  method: M,
  args: Methods[M]["args"] & QueryOptions,
): Promise<Methods[M]["reply"]> {
  try {
    return await ask(call, method, args);
  } catch (error) {
    call.errorHeaders = FAILED_READ;
    throw error;
  }
}

/** The client's leaving ends the wait of a blocking read; others are too short to be worth a signal. */
export function ask<M extends ReadName>(
  call: Call,
  method: M,
  args: Methods[M]["args"] & QueryOptions,
): Promise<Methods[M]["reply"]> {
  const { delegate }: { readonly delegate: Delegate } = call.needs;
  return args.MinQueryIndex > 0
    ? delegate.call(method, args, { signal: call.signal })
    : delegate.call(method, args);
}
