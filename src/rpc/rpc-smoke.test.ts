// Calls over connections: a pool on one side, the first byte and a server on the other, on the real network.
import { afterEach, expect, test } from "vitest";
import { RollcallError } from "../errors/index.ts";
import { noLogger, DisposableScope } from "../platform/index.ts";
import { nodePlatform } from "../platform/node/index.ts";
import {
  DEFAULT_QUERY,
  FirstBytes,
  isUnanswered,
  RpcPool,
  RpcServer,
  type CallServer,
} from "./index.ts";

const platform = nodePlatform();
const { clock, network } = platform;
let scope = new DisposableScope();
afterEach(async () => {
  await scope[Symbol.asyncDispose]();
  scope = new DisposableScope();
});

async function pair(call: (method: string, args: any, options: any) => Promise<any>) {
  const logger = noLogger;
  const called = { call, hooks: {} } as unknown as CallServer;
  const server = scope.use(new RpcServer({ clock, logger, called }));
  const first = scope.use(
    new FirstBytes({
      clock,
      logger,
      handshakeTimeoutMs: 5000,
      connectionsPerClientMax: 100,
      rpc: (stream, kind) => server.serve(stream, kind),
      raft: (s) => s.destroy(),
      snapshot: (s) => s.destroy(),
    }),
  );
  const listener = scope.use(
    await network.listen({ host: "127.0.32.1", port: 0 }, (s, p) => first.accept(s, p)),
  );
  const pool = scope.use(
    new RpcPool({
      clock,
      logger,
      datacenter: "dc1",
      dial: (_a, signal) => network.connect(listener.address as any, { signal }),
    }),
  );
  return { pool, first, listener };
}
const there = { name: "s1", address: "s1:8300" };

test("a reply, an error, and 300 calls at once", async () => {
  const { pool } = await pair(async (method, args) => {
    if (args.Key === "bad") throw new RollcallError("raft/no-leader");
    return { value: { Entries: [] }, meta: { Index: 7, KnownLeader: true, LastContactMs: 0 } };
  });
  const got = await pool.call(there, "KVS.Get", { ...DEFAULT_QUERY, Key: "k" });
  expect(got.meta.Index).toBe(7);
  const error = await pool.call(there, "KVS.Get", { ...DEFAULT_QUERY, Key: "bad" }).catch((e) => e);
  expect(error).toMatchObject({
    code: "raft/no-leader",
    message: "rpc error making call: No cluster leader",
  });
  const many = await Promise.all(
    Array.from({ length: 300 }, () => pool.call(there, "KVS.Get", { ...DEFAULT_QUERY, Key: "k" })),
  );
  expect(many.length).toBe(300);
});

test("a large request and a large reply", async () => {
  const { pool } = await pair(async (method, args) =>
    method === "KVS.Apply"
      ? true
      : {
          value: {
            Entries: [
              {
                Key: "k",
                Value: new Uint8Array(5_000_000),
                Flags: 0n,
                LockIndex: 0,
                Session: "",
                CreateIndex: 1,
                ModifyIndex: 1,
              },
            ],
          },
          meta: { Index: 7, KnownLeader: true, LastContactMs: 0 },
        },
  );
  const got = await pool.call(there, "KVS.Get", { ...DEFAULT_QUERY, Key: "k" });
  expect(got.value.Entries[0]?.Value?.length).toBe(5_000_000);
  const DirEnt = { ...got.value.Entries[0]! };
  expect(await pool.call(there, "KVS.Apply", { Datacenter: "dc1", Op: "set", DirEnt })).toBe(true);
});

test("abort of a blocking call ends it on the server; the connection goes on", async () => {
  let ended = 0;
  const { pool } = await pair((method, args, { signal }) =>
    args.MinQueryIndex === 0
      ? Promise.resolve({
          value: { Entries: [] },
          meta: { Index: 7, KnownLeader: true, LastContactMs: 0 },
        })
      : new Promise((_r, reject) =>
          signal.addEventListener("abort", () => {
            ended += 1;
            reject(signal.reason);
          }),
        ),
  );
  const abort = new AbortController();
  const held = pool.call(
    there,
    "KVS.Get",
    { ...DEFAULT_QUERY, Key: "k", MinQueryIndex: 9 },
    { signal: abort.signal },
  );
  await pool.call(there, "KVS.Get", { ...DEFAULT_QUERY, Key: "k" });
  const reason = new RollcallError("request/aborted");
  abort.abort(reason);
  expect(await held.catch((e) => e)).toBe(reason);
  await expect.poll(() => ended).toBe(1);
  await pool.call(there, "KVS.Get", { ...DEFAULT_QUERY, Key: "k" });
  const late = await pool
    .call(there, "KVS.Get", { ...DEFAULT_QUERY, Key: "k", MinQueryIndex: 9 }, { timeoutMs: 50 })
    .catch((e) => e);
  expect(isUnanswered(late)).toBe("unknown");
});

test("nobody there: not sent; a connection lost meanwhile: unknown", async () => {
  const { pool, first } = await pair(() => new Promise(() => {}));
  const held = pool.call(there, "KVS.Get", { ...DEFAULT_QUERY, Key: "k" }).catch((e) => e);
  await expect.poll(() => [...(first as any).constructor.name].length).toBeGreaterThan(0);
  await new Promise((r) => setTimeout(r, 100));
  first[Symbol.dispose]();
  expect(isUnanswered(await held)).toBe("unknown");
  const refused = new RpcPool({
    clock,
    datacenter: "dc1",
    logger: noLogger,
    dial: (_a, signal) => network.connect({ host: "127.0.32.1", port: 1 }, { signal }),
  });
  expect(
    isUnanswered(
      await refused.call(there, "KVS.Get", { ...DEFAULT_QUERY, Key: "k" }).catch((e) => e),
    ),
  ).toBe("not sent");
  await refused[Symbol.asyncDispose]();
});
