/** What each endpoint makes of its parameters, and what it makes of the answers. Texts are Consul 1.8.7's. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { RollcallError } from "../errors/index.ts";
import { nodePlatform } from "../platform/node/index.ts";
import {
  aCheck,
  aNode,
  anEntry,
  aService,
  fakeAgent,
  headerOf,
  META,
  startTestServer,
  type TestServer,
  type WireRequest,
} from "./testkit.ts";

const platform = nodePlatform();
const session = {
  ID: "s",
  Name: "",
  Node: "node-a",
  LockDelay: 15e9,
  Behavior: "release",
  TTL: "",
  NodeChecks: ["serfHealth"],
  ServiceChecks: null,
  Checks: null,
  CreateIndex: 3,
  ModifyIndex: 3,
};
const checks = { value: { HealthChecks: [aCheck] }, meta: META };
const sessions = { value: { Sessions: [session] }, meta: META };
const instance = { Node: aNode, Service: aService, Checks: [aCheck] };

let server: TestServer;
const agent = fakeAgent({
  members: (pool) =>
    pool === "wan"
      ? []
      : [
          {
            Name: "node-a",
            Addr: "127.0.0.1",
            Port: 8301,
            Tags: { role: "consul", dc: "dc1" },
            Status: 1,
            ProtocolMin: 1,
            ProtocolMax: 5,
            ProtocolCur: 2,
            DelegateMin: 2,
            DelegateMax: 5,
            DelegateCur: 4,
          },
        ],
});
beforeAll(async () => {
  server = await startTestServer({
    platform,
    agent,
    handlers: {
      "KVS.Get": () => ({ value: { Entries: [anEntry("k", "")] }, meta: META }),
      "KVS.List": () => ({ value: { Entries: [anEntry("<k>", "v")] }, meta: META }),
      "KVS.ListKeys": () => ({ value: { Keys: [] }, meta: META }),
      "KVS.Apply": ({ Op }) => Op === "delete",
      "Session.Apply": ({ Op }) => (Op === "create" ? "new-id" : "old-id"),
      "Session.Get": ({ SessionID }) => {
        if (SessionID === "nope") throw new RollcallError("request/refused", "no UUID");
        return sessions;
      },
      "Session.List": () => sessions,
      "Session.NodeSessions": () => sessions,
      "Session.Renew": ({ SessionID }) => ({
        Sessions: SessionID === "s" ? [session] : [],
        Index: 1,
      }),
      "Catalog.Register": () => undefined,
      "Catalog.Deregister": () => undefined,
      "Catalog.ListDatacenters": () => ["dc1", "dc2"],
      "Catalog.ListNodes": () => ({ value: { Nodes: [aNode] }, meta: META }),
      "Catalog.ListServices": () => ({ value: { Services: { web: ["a"], api: [] } }, meta: META }),
      "Catalog.NodeServices": ({ Node }) => ({
        value: {
          NodeServices: Node === "ghost" ? null : { Node: aNode, Services: { web1: aService } },
        },
        meta: META,
      }),
      "Catalog.NodeServiceList": ({ Node }) => ({
        value: {
          NodeServices:
            Node === "ghost"
              ? { Node: null, Services: null }
              : { Node: aNode, Services: [aService] },
        },
        meta: META,
      }),
      "Health.ServiceNodes": () => ({
        value: {
          Nodes: [instance],
          Excluded: [
            {
              Node: "node-b",
              ServiceID: "web2",
              Reasons: [{ Kind: "check", CheckID: "c", Status: "critical", Output: "down" }],
            },
          ],
        },
        meta: META,
      }),
      "Health.NodeChecks": () => checks,
      "Health.ServiceChecks": () => checks,
      "Health.ChecksInState": () => checks,
      "Status.Leader": () => "",
      "Status.Peers": () => ["127.0.0.1:8300"],
    },
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});
beforeEach(() => {
  server.delegate.calls.length = 0;
  agent.log.length = 0;
  agent.localServices.clear();
  agent.localChecks.clear();
});

async function answer(request: WireRequest): Promise<string> {
  const { status, body } = await server.send(request);
  return `${status} ${body}`;
}
const put = (path: string, body?: string): WireRequest => ({
  method: "PUT",
  path,
  ...(body === undefined ? {} : { body }),
});

// Order matters: of several faults the first is told.
test.each([
  [
    "/v1/kv/a?stale&consistent",
    "400 Cannot specify ?stale with ?consistent, conflicting semantics.",
  ],
  [
    "/v1/kv/a?cached&consistent",
    "400 Cannot specify ?cached with ?consistent, conflicting semantics.",
  ],
  [
    "/v1/kv/a?stale&consistent&cached&index=x&wait=y&max_stale=z",
    '400 Invalid max_stale value "z"',
  ],
  ['/v1/kv/a?max_stale="x', '400 Invalid max_stale value "\\"x"'],
  ["/v1/kv/a?index=x&wait=y", "400 Invalid wait time"],
  ["/v1/kv/a?index=abc", "400 Invalid index"],
  ["/v1/kv/a?index=-1", "400 Invalid index"],
  ["/v1/kv/a?index=18446744073709551616", "400 Invalid index"],
  ["/v1/kv/?ns=x", "400 Missing key name"],
  ["/v1/catalog/service/?index=a", "400 Invalid index"],
  ["/v1/catalog/service/", "400 Missing service name"],
  ["/v1/catalog/node/", "400 Missing node name"],
  ["/v1/catalog/node-services/", "400 Missing node name"],
  [
    "/v1/catalog/datacenters?stale&consistent",
    "400 Cannot specify ?stale with ?consistent, conflicting semantics.",
  ],
  ["/v1/catalog/datacenters?index=abc&ns=x", '200 ["dc1","dc2"]'],
  ["/v1/health/service/?passing=b", "400 Missing service name"],
  ["/v1/health/service/x?passing=maybe", "400 Invalid value for ?passing"],
  ["/v1/health/node/", "400 Missing node name"],
  ["/v1/health/checks/", "400 Missing service name"],
  ["/v1/health/state/", "400 Missing check state"],
  ["/v1/session/info/", "400 Missing session"],
  ["/v1/session/info/nope", "500 no UUID"],
  ["/v1/session/node/", "400 Missing node name"],
  ["/v1/status/leader?index=a", "400 Invalid index"],
  ["/v1/status/leader?ns=a", '200 ""'],
  ["/v1/agent/service/x?wait=a", "400 Invalid wait time"],
  ["/v1/agent/service/ghost", "404 unknown service ID: ghost"],
  [
    "/v1/agent/members?segment=x",
    "500 Network segments are not supported in this version of Consul",
  ],
  ["/v1/agent/members?wan=1&segment=x", "400 Cannot provide a segment with wan=true"],
  ["/v1/agent/members?wan=1", "200 []"],
  ["/v1/agent/health/service/id/?ns=a", "500 Bad request: Missing serviceID"],
  ["/v1/agent/health/service/name/", "500 Bad request: Missing service Name"],
  ["/v1/kv/?keys", "200 []"],
  ["/v1/kv/x?keys", "404 "],
  [
    "/v1/kv/k",
    '200 [{"LockIndex":0,"Key":"k","Flags":0,"Value":null,"CreateIndex":7,"ModifyIndex":7}]',
  ],
  [
    "/v1/kv/?recurse",
    '200 [{"LockIndex":0,"Key":"\\u003ck\\u003e","Flags":0,"Value":"dg==","CreateIndex":7,"ModifyIndex":7}]',
  ],
  ["/v1/catalog/services", '200 {"api":[],"web":["a"]}'],
  ["/v1/catalog/node/ghost", "200 null"],
  ["/v1/catalog/node-services/ghost", '200 {"Node":null,"Services":null}'],
  ["/v1/agent/self", '200 {"Config":{"NodeName":"node-a"},"Coord":null}'],
])("GET %s: %s", async (path, expected) => {
  expect(await answer({ path })).toBe(expected);
});

test.each([
  ["max-age=x", 400],
  ['max-age="5"', 400],
  ["max-age", 200],
  ["must-revalidate, MAX-AGE=3", 200],
  ["stale-if-error=5x", 400],
  ["foo=x", 200],
])("Cache-Control: %s is answered with %i", async (header, status) => {
  const response = await server.send({ path: "/v1/kv/a", headers: { "Cache-Control": header } });
  expect(response.status).toBe(status);
});

test.each<[string, WireRequest, string]>([
  ["flags", put("/v1/kv/x?flags=-1", "v"), '500 strconv.ParseUint: parsing "-1": invalid syntax'],
  ["cas", put("/v1/kv/x?cas", "v"), '500 strconv.ParseUint: parsing "": invalid syntax'],
  [
    "flags first",
    put("/v1/kv/x?cas=b&flags=a", "v"),
    '500 strconv.ParseUint: parsing "a": invalid syntax',
  ],
  [
    "conflict",
    put("/v1/kv/x?cas=1&release=a%20b*~", "v"),
    "400 Conflicting flags: cas=1&release=a+b%2A~",
  ],
  ["no key before conflict", put("/v1/kv/?cas=1&release=a", "v"), "400 Missing key name"],
  [
    "delete conflict",
    { method: "DELETE", path: "/v1/kv/?recurse&cas=abc" },
    "400 Conflicting flags: cas=abc&recurse=",
  ],
  ["delete without key", { method: "DELETE", path: "/v1/kv/?cas=abc" }, "400 Missing key name"],
  ["bad index", put("/v1/kv/x?index=abc", "v"), "400 Invalid index"],
  ["set is true", put("/v1/kv/x", "v"), "200 true"],
  ["cas tells", put("/v1/kv/x?cas=0", "v"), "200 false"],
  ["delete is true", { method: "DELETE", path: "/v1/kv/x" }, "200 true"],
  ["delete cas tells", { method: "DELETE", path: "/v1/kv/x?cas=3" }, "200 false"],
  ["register", put("/v1/catalog/register", "{}"), "200 true"],
  ["register nothing", put("/v1/catalog/register"), "400 Request decode failed: EOF"],
  ["register half", put("/v1/catalog/register", "{"), "400 Request decode failed: unexpected EOF"],
  [
    "register what",
    put("/v1/catalog/register", '{"Nodee":"x"}'),
    '400 Request decode failed: json: unknown field "Nodee"',
  ],
  [
    "register type",
    put("/v1/catalog/register", '{"Node":5}'),
    "400 Request decode failed: json: cannot unmarshal number into Go struct field RegisterRequest.Node of type string",
  ],
  ["deregister", put("/v1/catalog/deregister", '{"Node":"x"}'), "200 true"],
  ["session", put("/v1/session/create"), '200 {"ID":"new-id"}'],
  [
    "session bad",
    put("/v1/session/create", "{bad"),
    "400 Request decode failed: invalid character 'b' looking for beginning of object key string",
  ],
  ["destroy", put("/v1/session/destroy/s"), "200 true"],
  ["destroy none", put("/v1/session/destroy/"), "400 Missing session"],
  ["renew none", put("/v1/session/renew/"), "400 Missing session"],
  ["renew unknown", put("/v1/session/renew/x"), "404 Session id 'x' not found"],
  ["service", put("/v1/agent/service/register", '{"name":"x"}'), "200 "],
  ["service unnamed", put("/v1/agent/service/register", '{"ID":"x"}'), "400 Missing service name"],
  [
    "service bogus",
    put("/v1/agent/service/register", '{"Name":"x","Bogus":1}'),
    '400 Request decode failed: json: unknown field "Bogus"',
  ],
  [
    "service duration",
    put("/v1/agent/service/register", '{"Name":"x","Check":{"TTL":"abc"}}'),
    '400 Request decode failed: time: invalid duration "abc"',
  ],
  ["service none", put("/v1/agent/service/deregister/"), "500 ServiceID missing"],
  [
    "maintenance of what",
    put("/v1/agent/service/maintenance/?enable=true"),
    "400 Missing service ID",
  ],
  ["maintenance how", put("/v1/agent/service/maintenance/x"), "400 Missing value for enable"],
  [
    "maintenance what",
    put('/v1/agent/maintenance?enable=a"b'),
    '400 Invalid value for enable: "a\\"b"',
  ],
  ["check unnamed", put("/v1/agent/check/register", '{"TTL":"15s"}'), "400 Missing check name"],
  [
    "check status",
    put("/v1/agent/check/register", '{"Name":"x","Status":"nope"}'),
    "400 Bad check status",
  ],
  ["check none", put("/v1/agent/check/deregister/"), "500 CheckID missing"],
  ["update nothing", put("/v1/agent/check/update/c"), "400 Request decode failed: EOF"],
  [
    "update to what",
    put("/v1/agent/check/update/c?ns=x", '{"Status":"nope"}'),
    "400 Invalid check status: 'nope'",
  ],
  ["update null", put("/v1/agent/check/update/c", "null"), "400 Invalid check status: ''"],
  [
    "update type",
    put("/v1/agent/check/update/c", '{"Status":5}'),
    "400 Request decode failed: json: cannot unmarshal number into Go struct field checkUpdate.Status of type string",
  ],
])("%s", async (_, request, expected) => {
  expect(await answer(request)).toBe(expected);
});

describe("arguments", () => {
  const lastArgs = () => (server.delegate.calls.at(-1) as [string, object] | undefined)?.[1];

  test.each<[string, object]>([
    ["/v1/kv/a?dc=x&token=t", { Datacenter: "x", Token: "t", Key: "a", Consistency: "default" }],
    ["/v1/kv/a?index=5&wait=10s", { MinQueryIndex: 5, MaxQueryTimeMs: 10_000 }],
    ["/v1/kv/a?index=1&wait=1ns", { MaxQueryTimeMs: 1 }],
    ["/v1/kv/a?index=1&wait=-1s", { MaxQueryTimeMs: 0 }],
    ["/v1/kv/a?index=18446744073709551615", { MinQueryIndex: Number.MAX_SAFE_INTEGER }],
    ["/v1/kv/a?stale=false", { Consistency: "stale", MaxStaleMs: undefined }],
    ["/v1/kv/a?max_stale=5s", { Consistency: "stale", MaxStaleMs: 5000 }],
    ["/v1/kv/a?max_stale=0s", { Consistency: "default" }],
    ["/v1/kv/a?consistent", { Consistency: "consistent" }],
    ["/v1/kv/p?keys&separator=/", { Prefix: "p", Seperator: "/" }],
    ["/v1/kv/p?keys&seperator=-&separator=/", { Seperator: "-" }],
    [
      "/v1/catalog/nodes?node-meta=a:b:c&node-meta=d&filter=x",
      { NodeMetaFilters: { a: "b:c", d: "" }, Filter: "x" },
    ],
    [
      "/v1/health/service/a%2Fb?tag=x&tag=Y&passing",
      { ServiceName: "a/b", ServiceTags: ["x", "Y"], Status: "passing" },
    ],
    ["/v1/health/service/a?passing=f", { Status: "any" }],
    ["/v1/health/checks/a?tag=x", { ServiceTags: [] }],
    ["/v1/health/state/any", { State: "any" }],
    ["/v1/session/info/s", { SessionID: "s" }],
  ])("of %s", async (path, expected) => {
    await server.send({ path });
    expect(lastArgs()).toMatchObject(expected);
  });

  test.each([
    [{ "X-Consul-Token": "h", Authorization: "Bearer b" }, "h"],
    [{ Authorization: "bEARER b c" }, "b"],
    [{ Authorization: "Basic b" }, ""],
    [{}, ""],
  ])("tokens come from headers: %o", async (headers, Token) => {
    await server.send({ path: "/v1/kv/a", headers });
    expect(lastArgs()).toMatchObject({ Token });
  });

  test("of a write with everything", async () => {
    await server.send(put("/v1/kv/a?flags=18446744073709551615&acquire=s&dc=d", "é"));
    expect(lastArgs()).toMatchObject({
      Datacenter: "d",
      Op: "lock",
      DirEnt: { Key: "a", Flags: 18446744073709551615n, Session: "s" },
    });
    const { DirEnt } = lastArgs() as { DirEnt: { Value: Uint8Array } };
    expect(Buffer.from(DirEnt.Value).toString()).toBe("é");
    await server.send(put("/v1/kv/a?release=s"));
    expect(lastArgs()).toMatchObject({ Op: "unlock", DirEnt: { Value: null, Session: "s" } });
    await server.send({ method: "DELETE", path: "/v1/kv/?recurse" });
    expect(lastArgs()).toMatchObject({ Op: "delete-tree", DirEnt: { Key: "" } });
  });

  test.each([
    [
      undefined,
      {
        Node: "node-a",
        NodeChecks: ["serfHealth"],
        Checks: null,
        LockDelay: 15e9,
        Behavior: "release",
      },
    ],
    ["{}", { Node: "node-a" }],
    ['{"Node":""}', { Node: "" }],
    ['{"node":"b","lockdelay":"5s"}', { Node: "b", LockDelay: 5e9 }],
    ['{"LockDelay":7}', { LockDelay: 7e9 }],
    ['{"LockDelay":"500ns"}', { LockDelay: 500e9 }],
    ['{"Checks":[]}', { NodeChecks: [], Checks: null }],
    ['{"Checks":["x"]}', { NodeChecks: ["serfHealth"], Checks: ["x"] }],
    ['{"NodeChecks":[]}', { NodeChecks: [], Checks: null }],
    ['{"NodeChecks":["a"]}', { NodeChecks: ["a"], Checks: null }],
    ['{"Namespace":"x","Nope":1}', { Node: "node-a" }],
  ])("of a session made of %s", async (body, expected) => {
    await server.send(put("/v1/session/create", body));
    expect(lastArgs()).toMatchObject({ Op: "create", Session: expected });
  });

  test.each<[WireRequest, unknown[]]>([
    [
      put("/v1/agent/service/register?replace-existing-checks", '{"Name":"x"}'),
      [
        "registerService",
        expect.objectContaining({ Name: "x" }),
        { replaceExistingChecks: true, source: "remote" },
      ],
    ],
    [
      put("/v1/agent/service/register?replace-existing-checks=1", '{"Name":"x"}'),
      ["registerService", expect.anything(), { replaceExistingChecks: false, source: "remote" }],
    ],
    [put("/v1/agent/service/deregister/a/b"), ["deregisterService", "a/b"]],
    [
      put("/v1/agent/service/maintenance/x?enable=T&reason=r"),
      ["setServiceMaintenance", "x", true, "r"],
    ],
    [put("/v1/agent/maintenance?enable=false"), ["setNodeMaintenance", false, ""]],
    [
      put("/v1/agent/check/register", '{"ID":"i","Name":"n","TTL":"15s"}'),
      ["registerCheck", expect.objectContaining({ CheckID: "i", TTL: 15e9 }), { source: "remote" }],
    ],
    [put("/v1/agent/check/deregister/c"), ["deregisterCheck", "c"]],
    [put("/v1/agent/check/pass/c?note=n"), ["updateTtl", "c", "passing", "n"]],
    [put("/v1/agent/check/warn/c"), ["updateTtl", "c", "warning", ""]],
    [put("/v1/agent/check/fail/c"), ["updateTtl", "c", "critical", ""]],
    [
      put("/v1/agent/check/update/c", '{"Status":"warning","Output":"o"}'),
      ["updateTtl", "c", "warning", "o"],
    ],
    [put("/v1/agent/reload"), ["reload"]],
    [put("/v1/agent/leave"), ["leave"]],
  ])("to the agent: %o", async (request, expected) => {
    const response = await server.send(request);
    expect(response).toMatchObject({ status: 200, body: "" });
    expect(headerOf(response, "Content-Type")).toBeUndefined();
    expect(agent.log).toEqual([expected]);
  });
});

describe("lists that are null in the catalog are [] in answers", () => {
  test("of instances and checks", async () => {
    const { body } = await server.send({ path: "/v1/health/service/web" });
    expect(JSON.parse(body)).toMatchObject([
      { Service: { Tags: [] }, Checks: [{ ServiceTags: [] }] },
    ]);
    expect(aCheck.ServiceTags).toBeNull();
  });
  test("of a node's services", async () => {
    for (const path of ["/v1/catalog/node/node-a", "/v1/catalog/node-services/node-a"]) {
      expect((await server.send({ path })).body).toContain('"Tags":[]');
    }
  });
});

test("explain tells why instances were left out", async () => {
  const { body } = await server.send({ path: "/v1/health/service/web?passing&explain" });
  expect(JSON.parse(body)).toMatchObject({
    Instances: [{ Node: { Node: "node-a" } }],
    Excluded: [
      {
        Node: "node-b",
        ServiceID: "web2",
        Reasons: [{ Kind: "check", CheckID: "c", Status: "critical", Output: "down" }],
      },
    ],
  });
});

test.each([
  ["?explain=dns", "not-critical"],
  ["?explain=dns&passing", "passing"],
  ["?explain", "any"],
])("%s asks for instances that are %s", async (query, Status) => {
  await server.send({ path: `/v1/health/service/web${query}` });
  expect(server.delegate.calls.at(-1)).toMatchObject(["Health.ServiceNodes", { Status }]);
});

test("explain=dns tells what DNS would answer", async () => {
  const { body } = await server.send({ path: "/v1/health/service/web?explain=dns" });
  expect(JSON.parse(body)).toMatchObject({
    Instances: [{ Node: { Node: "node-a" } }],
    Excluded: [{ ServiceID: "web2" }],
    Limit: "all",
  });
});

describe("cached reads", () => {
  const cache = async (path: string, headers = {}): Promise<Array<string | undefined>> => {
    const answer = await server.send({ path, headers });
    return [headerOf(answer, "X-Cache"), headerOf(answer, "Age")];
  };
  const MISS = ["MISS", undefined];
  const HIT = ["HIT", "0"];
  test("miss once and hit then, whatever they wait for", async () => {
    const path = "/v1/health/service/web?cached";
    expect(await cache(path)).toEqual(MISS);
    expect(await cache(`${path}&index=1&wait=1s&stale`)).toEqual(HIT);
    expect(await cache(`${path}&passing`)).toEqual(HIT);
    expect(await cache("/v1/health/service/web")).toEqual([undefined, undefined]);
  });
  test.each(["tag=a", "node-meta=a:b", "dc=dc2", "token=t"])("ask anew with %s", async (more) => {
    const path = `/v1/health/service/api?cached&${more}`;
    expect(await cache(path)).toEqual(MISS);
    expect(await cache(path)).toEqual(HIT);
  });
  test("datacenters can be fetched anew", async () => {
    const path = "/v1/catalog/datacenters?cached";
    expect(await cache(path)).toEqual(MISS);
    expect(await cache(path)).toEqual(HIT);
    for (const wish of ["max-age=0", "must-revalidate"]) {
      expect(await cache(path, { "Cache-Control": wish })).toEqual(MISS);
    }
    expect(await cache(path, { "Cache-Control": "max-age=05" })).toEqual(HIT);
  });
  test("are no such thing elsewhere", async () => {
    expect(await cache("/v1/catalog/nodes?cached")).toEqual([undefined, undefined]);
  });
});

describe("services of the agent", () => {
  beforeEach(() => {
    agent.localServices.set("web1", { service: aService, contentHash: "00112233445566aa" });
    agent.localServices.set("web2", {
      service: { ...aService, ID: "web2", Connect: { Native: true }, Tags: ["t"] },
      contentHash: "ff",
    });
  });
  const web1 =
    '"ID":"web1","Service":"web","Tags":[],"Meta":{},"Port":80,"Address":"","Weights":{"Passing":1,"Warning":1},"EnableTagOverride":false';

  test("one, with its hash", async () => {
    const response = await server.send({ path: "/v1/agent/service/web1" });
    expect(response.body).toBe(`{${web1},"ContentHash":"00112233445566aa"}`);
    expect(headerOf(response, "X-Consul-Contenthash")).toBe("00112233445566aa");
    expect(agent.log).toEqual([]);
  });

  test("one, held while the hash is this", async () => {
    await server.send({ path: "/v1/agent/service/web1?hash=00112233445566aa&wait=16s" });
    const [name, id, hash, waitMs] = agent.log[0] as [string, string, string, number];
    expect([name, id, hash]).toEqual(["serviceChanged", "web1", "00112233445566aa"]);
    expect(waitMs).toBeGreaterThanOrEqual(16_000);
    expect(waitMs).toBeLessThanOrEqual(17_000);
    agent.log.length = 0;
    await server.send({ path: "/v1/agent/service/web1?hash=other" });
    expect(agent.log).toEqual([]);
  });

  test("all, or those that match", async () => {
    expect(await answer({ path: "/v1/agent/services?filter=ID==web1" })).toBe(
      `200 {"web1":{${web1}}}`,
    );
    expect(await answer({ path: "/v1/agent/services" })).toContain('"Connect":{"Native":true}');
    expect(await answer({ path: "/v1/agent/services?filter=Nope==1" })).toBe(
      '500 Failed to create boolean expression evaluator: Selector "Nope" is not valid',
    );
  });

  test("checks of the agent say less of a bad filter", async () => {
    agent.localChecks.set("alive", aCheck);
    expect(await answer({ path: "/v1/agent/checks" })).toContain('{"alive":{"Node":"node-a"');
    expect(await answer({ path: "/v1/agent/checks?filter=Nope==1" })).toBe(
      '500 Selector "Nope" is not valid',
    );
  });

  test.each([
    ["passing", "web1", 200, "passing"],
    ["warning", "web1", 429, "warning"],
    ["critical", "web1", 503, "critical"],
    ["critical", "other", 200, "passing"],
    ["critical", "", 503, "critical"],
  ])("health: a %s check of %s", async (Status, ServiceID, status, word) => {
    agent.localChecks.set("c", { ...aCheck, CheckID: "c", Status, ServiceID });
    agent.localChecks.set("alive", aCheck);
    for (const path of ["id/web1", "name/web"]) {
      const response = await server.send({ path: `/v1/agent/health/service/${path}` });
      expect(response.status).toBe(status);
      expect(headerOf(response, "X-Consul-Reason")).toBe(word);
      expect(response.body).toContain(`"AggregatedStatus":"${word}"`);
      const text = await server.send({ path: `/v1/agent/health/service/${path}?format=text` });
      expect(text).toMatchObject({ status, body: word });
      expect(headerOf(text, "Content-Type")).toBe("text/plain");
    }
  });

  test("health: maintenance is worse than critical", async () => {
    agent.localChecks.set("m", {
      ...aCheck,
      CheckID: "_service_maintenance:web1",
      Status: "critical",
      ServiceID: "web1",
    });
    agent.localChecks.set("n", { ...aCheck, CheckID: "n", Status: "critical" });
    const accept = { Accept: "text/plain" };
    expect(
      await server.send({ path: "/v1/agent/health/service/id/web1", headers: accept }),
    ).toMatchObject({ status: 503, body: "maintenance" });
  });

  test("health: what is not here", async () => {
    const byId = await server.send({ path: "/v1/agent/health/service/id/gh%C3%A9st" });
    expect(byId).toMatchObject({
      status: 404,
      body: '{"AggregatedStatus":"critical","Service":null,"Checks":null}',
    });
    expect(headerOf(byId, "X-Consul-Reason")).toBe("ServiceId gh\xc3\xa9st not found");
    const text = await server.send({ path: "/v1/agent/health/service/id/x?format=text" });
    expect(text).toMatchObject({ status: 404, body: '"ServiceId x not found"' });
    expect(headerOf(text, "Content-Type")).toBe("application/json");
    expect(await answer({ path: "/v1/agent/health/service/name/x" })).toBe("404 []");
    expect(await answer({ path: "/v1/agent/health/service/name/x?format=text" })).toBe(
      "404 ServiceName x Not Found",
    );
  });
});
