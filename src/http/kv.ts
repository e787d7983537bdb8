/** `/v1/kv` (Consul HTTP API, "KV Store"). */
import { RollcallError } from "../errors/index.ts";
import { bool, DirEntry, list, parseUint, text, type KvsOp } from "../model/index.ts";
import type { QueryOptions } from "../rpc/index.ts";
import { ask, indexHeaders } from "./answer-headers.ts";
import { bytesBody, cachedJsonBody, jsonBody } from "./body.ts";
import type { Call } from "./call.ts";
import {
  bad,
  DC_PARAMETERS,
  queryOptions,
  READ_PARAMETERS,
  refuseNamespace,
  requiredTail,
} from "./query-options.ts";
import { emptyReply, reply, type Reply } from "./reply.ts";
import { defineRoute, type Parameters } from "./route.ts";

const ENTRIES = list(DirEntry);
const KEYS = list(text());
type Entries = { readonly Entries: readonly DirEntry[] };

const entriesBody = cachedJsonBody(ENTRIES, ({ Entries }: Entries) => Entries);
const keysBody = cachedJsonBody(KEYS, ({ Keys }: { readonly Keys: readonly string[] }) => Keys);
const resultBody = jsonBody(bool());

async function get(call: Call): Promise<Reply> {
  const options = queryOptions(call);
  if (call.query.has("keys")) return listKeys(call, options);
  const recurse = call.query.has("recurse");
  if (!recurse) requireKey(call);
  refuseNamespace(call);
  const args = { ...options, Key: call.tail };
  const { value, meta } = await ask(call, recurse ? "KVS.List" : "KVS.Get", args);
  const headers = indexHeaders(meta);
  const [entry] = value.Entries;
  if (entry === undefined) return emptyReply(404, headers);
  if (recurse || !call.query.has("raw")) return reply(entriesBody(value), headers);
  // The value is anybody's: a browser must neither guess its type nor run it.
  headers.push("X-Content-Type-Options", "nosniff", "Content-Security-Policy", "sandbox");
  return reply(bytesBody(entry.Value ?? new Uint8Array(), "text/plain"), headers);
}

async function listKeys(call: Call, options: QueryOptions): Promise<Reply> {
  refuseNamespace(call);
  const { query, tail } = call;
  // The first Consul had it misspelt; both have been accepted since.
  const separator = query.get("seperator") || query.get("separator");
  const args = { ...options, Prefix: tail, Seperator: separator };
  const { value, meta } = await ask(call, "KVS.ListKeys", args);
  const headers = indexHeaders(meta);
  if (value.Keys.length === 0 && tail !== "") return emptyReply(404, headers);
  return reply(keysBody(value), headers);
}

async function put(call: Call): Promise<Reply> {
  const { query } = call;
  const options = queryOptions(call);
  const key = requireKey(call);
  refuseNamespace(call);
  refuseTogether(call, ["cas", "acquire", "release"]);
  const flags = query.has("flags") ? unsigned(query.get("flags")) : 0n;
  const cas = query.has("cas") ? unsigned(query.get("cas")) : 0n;
  const op: KvsOp = query.has("release")
    ? "unlock"
    : query.has("acquire")
      ? "lock"
      : query.has("cas")
        ? "cas"
        : "set";
  const session = query.get(op === "lock" ? "acquire" : op === "unlock" ? "release" : "");
  const value = await readValue(call);
  const done = await apply(call, options, op, {
    LockIndex: 0,
    Key: key,
    Flags: flags,
    Value: value.length === 0 ? null : value,
    Session: session,
    CreateIndex: 0,
    ModifyIndex: Number(cas),
  });
  return reply(resultBody(op === "set" || done));
}

async function remove(call: Call): Promise<Reply> {
  const { query } = call;
  const options = queryOptions(call);
  refuseNamespace(call);
  refuseTogether(call, ["recurse", "cas"]);
  const key = query.has("recurse") ? call.tail : requireKey(call);
  const cas = query.has("cas") ? unsigned(query.get("cas")) : 0n;
  const op = query.has("recurse") ? "delete-tree" : query.has("cas") ? "delete-cas" : "delete";
  const done = await apply(call, options, op, {
    LockIndex: 0,
    Key: key,
    Flags: 0n,
    Value: null,
    Session: "",
    CreateIndex: 0,
    ModifyIndex: Number(cas),
  });
  return reply(resultBody(op !== "delete-cas" || done));
}

function apply(
  call: Call,
  { Datacenter, Token }: QueryOptions,
  Op: KvsOp,
  DirEnt: DirEntry,
): Promise<boolean> {
  return call.needs.delegate.call("KVS.Apply", { Datacenter, Token, Op, DirEnt });
}

function readValue(call: Call): Uint8Array | Promise<Uint8Array> {
  const maxBytes = call.config.limits.kvMaxValueSizeBytes;
  const { contentLength } = call;
  const tooLarge = (): string => {
    const size = contentLength === undefined ? "" : `(${contentLength} bytes)`;
    return (
      `Request body${size} too large, max size: ${maxBytes} bytes. ` +
      "See https://www.consul.io/docs/agent/options.html#kv_max_value_size."
    );
  };
  return call.readBody({ maxBytes, tooLarge });
}

function requireKey(call: Call): string {
  return requiredTail(call, "Missing key name");
}

function refuseTogether({ query }: Call, names: readonly string[]): void {
  if (names.filter((name) => query.has(name)).length < 2) return;
  throw bad(`Conflicting flags: ${query.encode()}`);
}

function unsigned(digits: string): bigint {
  const { value, error } = parseUint(digits);
  if (value === undefined) throw new RollcallError("request/refused", error);
  return value;
}

const CAS: Parameters = {
  cas: {
    description: "Do it only if the key's ModifyIndex is this; 0: only if there is no such key",
    type: "integer",
  },
};

export const kvRoutes = [
  defineRoute("/v1/kv/:key", "KV Store", {
    GET: {
      summary: "Read a key, or all keys with a prefix",
      query: {
        ...READ_PARAMETERS,
        raw: { description: "Answer the value's bytes as they are", type: "flag" },
        recurse: { description: "All keys that begin with the given one", type: "flag" },
        keys: { description: "Only the names of keys that begin with the given one", type: "flag" },
        separator: {
          description: "With keys: cut each name after the first of these",
          type: "text",
        },
        seperator: { description: "As separator", type: "text" },
      },
      answerHeaders: "index",
      answers: {
        200: {
          description:
            "The entries, sorted by key; with keys, the names instead; with raw, only the value",
          alternatives: [ENTRIES, KEYS],
          orText: "text/plain",
        },
        400: { description: "No key given" },
        404: { description: "No such key; the body is empty" },
      },
      handle: get,
    },
    PUT: {
      summary: "Write a key",
      query: {
        ...DC_PARAMETERS,
        flags: { description: "64 bits to store with the key", type: "integer" },
        ...CAS,
        acquire: { description: "Lock the key with this session", type: "text" },
        release: { description: "Unlock the key, if this session holds it", type: "text" },
      },
      requestBody: { description: "The value: any bytes", contentType: "application/octet-stream" },
      answerHeaders: "none",
      answers: {
        200: { description: "Whether it was written", schema: bool() },
        400: { description: "No key, or cas, acquire and release together" },
        413: { description: "The value is larger than limits.kv_max_value_size" },
      },
      handle: put,
    },
    DELETE: {
      summary: "Delete a key, or all keys with a prefix",
      query: {
        ...DC_PARAMETERS,
        ...CAS,
        recurse: { description: "All keys that begin with the given one", type: "flag" },
      },
      answerHeaders: "none",
      answers: {
        200: { description: "false only where cas did not match", schema: bool() },
        400: { description: "No key, or cas and recurse together" },
      },
      handle: remove,
    },
  }),
];
