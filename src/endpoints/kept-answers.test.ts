/**
 * Kept answers are right: after any history of writes, what is served from kept readings and kept bytes is what a
 * store that kept nothing answers from the same state, value by value, index by index and byte by byte.
 */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { startTestServer, type Handlers, type TestServer } from "../http/testkit.ts";
import { simPlatform } from "../platform/sim/index.ts";
import type { Answer, Delegate, MethodName, Methods } from "../rpc/index.ts";
import { Store } from "../store/index.ts";
import {
  KEYS,
  NODE_IDS,
  NODES,
  QUERIES,
  randomCommand,
  SERVICES,
  SESSIONS,
  STATUSES,
} from "./random-commands.ts";
import { afresh, endpointsUnderTest, query } from "./testkit.ts";

type ReadName = {
  [M in MethodName]: Methods[M]["reply"] extends Answer<object> ? M : never;
}[MethodName];
/** Not those that keep nothing. */
type KeptRead = Exclude<
  ReadName,
  "PreparedQuery.Execute" | "PreparedQuery.ExecuteRemote" | "PreparedQuery.Explain" | "Txn.Read"
>;
type Rows = { readonly [M in KeptRead]: readonly Partial<Methods[M]["args"]>[] };

const RACK = { NodeMetaFilters: { rack: "r1" } };
const PREFIXES = ["", "a", "a/", "a/b", "q"];
const ofNodes = [...NODES, ...NODE_IDS.slice(1), "aa", "ab", "ghost"].map((Node) => ({ Node }));
const ofServices = [...SERVICES, "ghost"].flatMap((ServiceName) => [
  { ServiceName },
  { ServiceName, Near: "n2" },
  { ServiceName, ServiceTags: ["v1"] },
  { ServiceName, ...RACK },
]);

/** A method that is missing here does not compile. */
const ROWS: Rows = {
  "Catalog.ListNodes": [{}, RACK, { Filter: 'Address == "10.0.0.1"' }, { Near: "n2" }],
  "Catalog.ListServices": [{}, RACK],
  "Catalog.ServiceNodes": [...ofServices, { ServiceName: "web", Filter: "ServiceTags is empty" }],
  "Catalog.ConnectNodes": ofServices,
  "Catalog.NodeServices": [...ofNodes, { Node: "n1", Filter: 'Service == "web"' }],
  "Catalog.NodeServiceList": ofNodes,
  "Health.ServiceNodes": ofServices.flatMap((of) => [
    of,
    { ...of, Status: "passing" as const },
    { ...of, Status: "not-critical" as const },
    { ...of, Filter: 'Node.Meta.rack == "r1" or Checks.Status == "warning"' },
  ]),
  "Health.ConnectNodes": ofServices,
  "Health.NodeChecks": ofNodes,
  "Health.ServiceChecks": ofServices,
  "Health.ChecksInState": ["any", ...STATUSES].flatMap((State) => [
    { State },
    { State, ...RACK },
    { State, Near: "n2" },
  ]),
  "KVS.Get": [...KEYS, "ghost"].map((Key) => ({ Key })),
  "KVS.List": PREFIXES.map((Key) => ({ Key })),
  "KVS.ListKeys": PREFIXES.flatMap((Prefix) =>
    ["", "/"].map((Seperator) => ({ Prefix, Seperator })),
  ),
  "Session.Get": SESSIONS.map((SessionID) => ({ SessionID })),
  "Session.List": [{}],
  "Session.NodeSessions": ofNodes,
  "PreparedQuery.Get": QUERIES.map((QueryID) => ({ QueryID })),
  "PreparedQuery.List": [{}],
  "Internal.NodeDump": [{}, { Filter: 'Services.Service == "web"' }],
  "Internal.NodeInfo": ofNodes,
  "Internal.ServiceDump": [{}, { Filter: 'Service.Service == "web"' }],
  "Coordinate.ListNodes": [{}],
  "Coordinate.Node": ofNodes,
};
const DEFAULTS = { NodeMetaFilters: {}, ServiceTags: [], Status: "any" };

interface Read {
  readonly method: KeptRead;
  readonly args: object;
}
const METHODS = Object.keys(ROWS) as KeptRead[];
/** Frozen, as by callers that ask the same again and again; who answers afresh gets copies. */
const READS: readonly Read[] = METHODS.flatMap((method) =>
  ROWS[method].map((args) => ({
    method,
    args: Object.freeze(query({ ...DEFAULTS, ...args })),
  })),
);

/** The index of a prefix is read with its entries. Reaping tombstones may lower it, and wakes nobody. */
const isPrefixRead = ({ method }: Read): boolean =>
  method === "KVS.List" || method === "KVS.ListKeys";

async function answerOf(delegate: Delegate, read: Read) {
  try {
    const { value, meta } = (await delegate.call(
      read.method,
      read.args as never,
    )) as Answer<object>;
    const { highestIndex: _, ...shown } = value as { highestIndex?: number };
    return { value: shown, index: meta.Index };
  } catch (error) {
    return { error };
  }
}

/** Kilobytes that a generation of readings may hold: from one answer to all of them. */
const readingsMax = fc.constantFrom(1, 8, 65_536);

test("every kept reading is what a fresh evaluation gives", async () => {
  let unchanged = 0;
  let changed = 0;
  const history = fc.array(randomCommand, { minLength: 1, maxLength: 25 });
  await fc.assert(
    fc.asyncProperty(history, readingsMax, async (commands, maxWeight) => {
      const kept = endpointsUnderTest(1, new Store(undefined, maxWeight));
      const ask = async (read: Read) => answerOf(kept.delegate, read);
      let before = await Promise.all(READS.map(ask));
      let isReaped = false;
      for (const command of commands) {
        kept.apply(command);
        isReaped ||= command.type === "Tombstone";
        const after = await Promise.all(READS.map(ask));
        const fresh = afresh(kept.store);
        for (const [i, read] of READS.entries()) {
          const expected = await answerOf(fresh, { ...read, args: { ...read.args } });
          const name = `${JSON.stringify(read)} after ${command.type} at ${kept.store.lastIndex}`;
          const known = after[i];
          if (isReaped && isPrefixRead(read)) expect(known?.value, name).toEqual(expected.value);
          else expect(known, name).toEqual(expected);
          if (known?.index === before[i]?.index) unchanged += 1;
          else changed += 1;
        }
        before = after;
      }
    }),
    { numRuns: 12 },
  );
  expect(unchanged).toBeGreaterThan(2000);
  expect(changed).toBeGreaterThan(2000);
});

const escaped = (names: readonly string[]): string[] => names.map(encodeURIComponent);
const TARGETS: readonly string[] = [
  "/v1/catalog/nodes",
  "/v1/catalog/nodes?near=n2",
  "/v1/catalog/nodes?node-meta=rack:r1",
  "/v1/catalog/services",
  ...SERVICES.flatMap((name) => [
    `/v1/catalog/service/${name}`,
    `/v1/catalog/connect/${name}`,
    `/v1/health/service/${name}`,
    `/v1/health/service/${name}?passing`,
    `/v1/health/service/${name}?explain`,
    `/v1/health/service/${name}?explain=dns`,
    `/v1/health/connect/${name}`,
    `/v1/health/checks/${name}`,
  ]),
  ...NODES.flatMap((name) => [
    `/v1/catalog/node/${name}`,
    `/v1/catalog/node-services/${name}`,
    `/v1/health/node/${name}`,
    `/v1/session/node/${name}`,
  ]),
  ...["any", ...STATUSES].map((state) => `/v1/health/state/${state}`),
  ...escaped(KEYS).flatMap((key) => [`/v1/kv/${key}`, `/v1/kv/${key}?raw`]),
  ...escaped(PREFIXES).flatMap((prefix) => [
    `/v1/kv/${prefix}?recurse`,
    `/v1/kv/${prefix}?keys`,
    `/v1/kv/${prefix}?keys&separator=/`,
  ]),
  "/v1/session/list",
  ...SESSIONS.map((id) => `/v1/session/info/${id}`),
  "/v1/query",
  ...QUERIES.map((id) => `/v1/query/${id}`),
];
const MANNERS = ["plain", "pretty", "gzip"] as const;

interface Asked {
  readonly target: string;
  readonly manner: (typeof MANNERS)[number];
}
const asked: fc.Arbitrary<Asked> = fc.record({
  target: fc.constantFrom(...TARGETS),
  manner: fc.constantFrom(...MANNERS),
});

/** An HTTP server over whatever `delegate` gives at the moment of the request. */
function serverOver(delegate: () => Delegate): Promise<TestServer> {
  const handlers = Object.fromEntries(
    METHODS.map((method) => [
      method,
      (args: object, signal?: AbortSignal) =>
        delegate().call(method, args as never, signal === undefined ? {} : { signal }),
    ]),
  ) as Handlers;
  return startTestServer({ platform: simPlatform({ seed: 1 }), handlers });
}

/** All that comes over the wire but the time; the index, too, is left out where it may differ. */
async function bytesOf(server: TestServer, { target, manner }: Asked, withIndex: boolean) {
  const pretty = manner === "pretty" ? `${target.includes("?") ? "&" : "?"}pretty` : "";
  const headers = manner === "gzip" ? "Accept-Encoding: gzip\r\n" : "";
  const request = `GET ${target}${pretty} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n${headers}\r\n`;
  const answer = (await server.exchange(request)).replace(/\r\nDate: [^\r]*/, "");
  return withIndex ? answer : answer.replace(/\r\nX-Consul-Index: \d+/, "");
}

test("every kept body is what a fresh encoding of a fresh evaluation gives", async () => {
  let bodies = 0;
  const step = fc.record({
    command: randomCommand,
    questions: fc.array(asked, { minLength: 12, maxLength: 12 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 25 }),
      readingsMax,
      async (steps, maxWeight) => {
        const kept = endpointsUnderTest(1, new Store(undefined, maxWeight));
        let fresh = afresh(kept.store);
        await using keeping = await serverOver(() => kept.delegate);
        await using forgetting = await serverOver(() => fresh);
        let isReaped = false;
        for (const { command, questions } of steps) {
          kept.apply(command);
          isReaped ||= command.type === "Tombstone";
          fresh = afresh(kept.store);
          for (const question of questions) {
            const withIndex = !isReaped || !question.target.startsWith("/v1/kv/");
            const [first, again, expected] = [
              await bytesOf(keeping, question, withIndex),
              await bytesOf(keeping, question, withIndex),
              await bytesOf(forgetting, question, withIndex),
            ];
            const name = `${question.manner} ${question.target} after ${command.type}`;
            expect(first, name).toBe(expected);
            expect(again, name).toBe(expected);
            expect(first, name).toMatch(/^HTTP\/1\.1 (200|404) /);
            if (first.startsWith("HTTP/1.1 200")) bodies += 1;
          }
        }
      },
    ),
    { numRuns: 12 },
  );
  expect(bodies).toBeGreaterThan(500);
});
