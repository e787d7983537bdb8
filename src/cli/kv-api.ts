/** Consul HTTP API, "KV Store", as the commands of the `kv` group use it. */
import { RollcallError } from "../errors/index.ts";
import { DirEntry, jsonDecoder, list, text } from "../model/index.ts";
import type { ApiClient, ApiRequest } from "./api-client.ts";
import type { Query } from "./go-url.ts";

const decodeEntries = jsonDecoder(list(DirEntry), { unknown: "ignore" });
const decodeKeys = jsonDecoder(list(text()), { unknown: "ignore" });

/** Conditions and flags of a write. Without any it is unconditional. */
export interface Write {
  readonly flags?: bigint;
  readonly cas?: bigint;
  readonly acquire?: string;
  readonly release?: string;
}

/**
 * @returns whether it was written; only a condition can prevent it
 * @throws {RollcallError}
 */
export async function putKey(
  api: ApiClient,
  key: string,
  value: Uint8Array,
  write: Write = {},
): Promise<boolean> {
  if (key.startsWith("/")) {
    throw new RollcallError("request/bad", `Invalid key. Key must not begin with a '/': ${key}`);
  }
  const query: [string, string][] = [];
  if (write.flags !== undefined && write.flags !== 0n) query.push(["flags", String(write.flags)]);
  if (write.cas !== undefined) query.push(["cas", String(write.cas)]);
  if (write.acquire !== undefined) query.push(["acquire", write.acquire]);
  if (write.release !== undefined) query.push(["release", write.release]);
  const answer = await api.ok({ method: "PUT", path: keyPath(key), query, body: value });
  return answer.includes("true");
}

/** The entry with this key; undefined if there is none. */
export async function getKey(api: ApiClient, key: string): Promise<DirEntry | undefined> {
  const body = await read(api, key, []);
  return body === undefined ? undefined : decodeEntries(body)?.[0];
}

export async function listEntries(api: ApiClient, prefix: string): Promise<readonly DirEntry[]> {
  const body = await read(api, prefix, [["recurse", ""]]);
  return body === undefined ? [] : (decodeEntries(body) ?? []);
}

export async function listKeys(
  api: ApiClient,
  prefix: string,
  separator: string,
): Promise<readonly string[]> {
  const body = await read(api, prefix, [
    ["keys", ""],
    ...(separator === "" ? [] : ([["separator", separator]] as const)),
  ]);
  return body === undefined ? [] : (decodeKeys(body) ?? []);
}

export async function deleteKeys(
  api: ApiClient,
  key: string,
  how: { readonly cas?: bigint; readonly recurse?: boolean },
): Promise<boolean> {
  const query: [string, string][] = [];
  if (how.cas !== undefined) query.push(["cas", String(how.cas)]);
  if (how.recurse === true) query.push(["recurse", ""]);
  const answer = await api.ok({ method: "DELETE", path: keyPath(key), query });
  return answer.includes("true");
}

/** A read that may wait for a change. */
export interface Wait {
  readonly since?: bigint;
  readonly waitMs?: number;
  readonly consistent?: boolean;
  readonly signal?: AbortSignal;
}

export async function readKey(
  api: ApiClient,
  key: string,
  wait: Wait,
): Promise<{ readonly entry: DirEntry | undefined; readonly index: bigint }> {
  const { status, body, index } = await api.send(waiting(key, [], wait));
  return { entry: status === 404 ? undefined : decodeEntries(okBody(status, body))?.[0], index };
}

export async function readPrefix(
  api: ApiClient,
  prefix: string,
  wait: Wait,
): Promise<{ readonly entries: readonly DirEntry[]; readonly index: bigint }> {
  const { status, body, index } = await api.send(waiting(prefix, [["recurse", ""]], wait));
  return { entries: status === 404 ? [] : (decodeEntries(okBody(status, body)) ?? []), index };
}

function waiting(
  key: string,
  query: Query,
  { since = 0n, waitMs, consistent = false, signal }: Wait,
): ApiRequest {
  return {
    method: "GET",
    path: keyPath(key),
    query: [
      ...query,
      ...(consistent ? ([["consistent", ""]] as const) : []),
      ...(since === 0n ? [] : ([["index", String(since)]] as const)),
      ...(waitMs === undefined ? [] : ([["wait", `${waitMs}ms`]] as const)),
    ],
    ...(signal === undefined ? {} : { signal }),
  };
}

async function read(api: ApiClient, key: string, query: Query): Promise<string | undefined> {
  const { status, body } = await api.send({ method: "GET", path: keyPath(key), query });
  return status === 404 ? undefined : okBody(status, body);
}

/** Consul's client says no more than the status when a read fails. */
function okBody(status: number, body: string): string {
  if (status === 200) return body;
  throw new RollcallError("request/refused", `Unexpected response code: ${status}`);
}

const keyPath = (key: string): string => `/v1/kv/${key}`;

/** Keys are written without a slash in front; that one is forgiven where nothing is written. */
export function withoutLeadingSlash(key: string): string {
  return key.startsWith("/") ? key.slice(1) : key;
}
