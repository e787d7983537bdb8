/** Our calls to a real Consul server: what it is asked it understands, and what it answers we do. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DirEntry, KvsOp, PreparedQuery, RegisterRequest, TxnOp } from "../src/model/index.ts";
import { BLANK_QUERY } from "../src/model/index.ts";
import { noLogger } from "../src/platform/index.ts";
import { nodePlatform } from "../src/platform/node/index.ts";
import { DEFAULT_QUERY, RpcPool, type CallOptions, type RemoteMethods } from "../src/rpc/index.ts";
import { isUnanswered } from "../src/rpc/failure.ts";
import { encodeConsulUserEvent, USER_EVENT_VERSION } from "../src/wire/index.ts";
import { eventually, Program } from "./programs.ts";

const ADDRESS = "127.0.32.20";
const SERVER = { name: "real", address: `${ADDRESS}:8300` };
const UNKNOWN_ID = "9deca294-5e69-a973-5ed4-6211cf0527fb";

const directory = mkdtempSync(join(tmpdir(), "rollcall-rpc-"));
const { clock, network } = nodePlatform();
let dials = 0;
const pool = new RpcPool({
  clock,
  logger: noLogger,
  datacenter: "dc1",
  dial: (_, signal) => {
    dials += 1;
    return network.connect({ host: ADDRESS, port: 8300 }, { signal });
  },
});
let consul: Program;

type Args<M extends keyof RemoteMethods> = RemoteMethods[M]["args"];
const call = <M extends keyof RemoteMethods>(method: M, args: Args<M>, options?: CallOptions) =>
  pool.call(SERVER, method, args, options);
const errorOf = (failing: Promise<unknown>): Promise<unknown> =>
  failing.then(
    () => "no error",
    (error: unknown) => error,
  );

beforeAll(async () => {
  const place = [`-bind=${ADDRESS}`, `-client=${ADDRESS}`, `-data-dir=${directory}`];
  consul = new Program([
    "consul",
    "agent",
    "-server",
    "-bootstrap-expect=1",
    "-node=real",
    ...place,
  ]);
  await eventually(
    "the server leads",
    () => call("Status.Leader", { Datacenter: "" }),
    (leader) => leader === SERVER.address,
  );
  await eventually(
    "the server is in its own catalog",
    () => call("Health.NodeChecks", { ...DEFAULT_QUERY, Node: "real" }),
    ({ value }) => value.HealthChecks.length === 1,
  );
});
afterAll(async () => {
  await pool[Symbol.asyncDispose]();
  await consul[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

test("Status", async () => {
  expect(await call("Status.Ping", {})).toBeUndefined();
  expect(await call("Status.Leader", { Datacenter: "dc1" })).toBe(SERVER.address);
  expect(await call("Status.Peers", { Datacenter: "" })).toEqual([SERVER.address]);
  const stats = await call("Status.RaftStats", {});
  expect(stats).toMatchObject({ LastContact: "0", LastTerm: 2 });
  expect(stats.LastIndex).toBeGreaterThan(4);
});

const entry = (Key: string, of: Partial<DirEntry> = {}): DirEntry => ({
  Key,
  Value: Buffer.from("value"),
  Flags: 0n,
  LockIndex: 0,
  Session: "",
  CreateIndex: 0,
  ModifyIndex: 0,
  ...of,
});
const write = (Op: KvsOp, DirEnt: DirEntry): Promise<boolean> =>
  call("KVS.Apply", { Datacenter: "", Op, DirEnt });
const get = async (Key: string): Promise<DirEntry | undefined> =>
  (await call("KVS.Get", { ...DEFAULT_QUERY, Key })).value.Entries[0];

describe("KVS", () => {
  test("what is written is read, to the last bit", async () => {
    const Value = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    expect(await write("set", entry("kv/a", { Value, Flags: 0xffff_ffff_ffff_ffffn }))).toBe(true);
    const got = await call("KVS.Get", { ...DEFAULT_QUERY, Key: "kv/a" });
    const [found] = got.value.Entries;
    expect(found).toMatchObject({ Key: "kv/a", Flags: 0xffff_ffff_ffff_ffffn });
    expect(Value.equals(found?.Value ?? Buffer.of())).toBe(true);
    expect(got.meta).toEqual({ Index: found?.ModifyIndex, KnownLeader: true, LastContactMs: 0 });
    expect(await get("kv/none")).toBeUndefined();
  });

  test("conditions hold, or do not", async () => {
    await write("set", entry("kv/cas"));
    const ModifyIndex = (await get("kv/cas"))?.ModifyIndex ?? 0;
    expect(await write("cas", entry("kv/cas", { ModifyIndex: ModifyIndex - 1 }))).toBe(false);
    const Value = Buffer.from("another");
    expect(await write("cas", entry("kv/cas", { Value, ModifyIndex }))).toBe(true);
    expect(await write("delete-cas", entry("kv/cas", { ModifyIndex }))).toBe(false);
    expect(await write("delete", entry("kv/cas"))).toBe(true);
  });

  test("trees are listed, with their keys alone too", async () => {
    for (const key of ["tree/a", "tree/b/c", "tree/b/d"]) await write("set", entry(key));
    const list = await call("KVS.List", { ...DEFAULT_QUERY, Key: "tree/" });
    expect(list.value.Entries.map(({ Key }) => Key)).toEqual(["tree/a", "tree/b/c", "tree/b/d"]);
    const query = { ...DEFAULT_QUERY, Prefix: "tree/", Seperator: "/" };
    expect((await call("KVS.ListKeys", query)).value.Keys).toEqual(["tree/a", "tree/b/"]);
    expect(await write("delete-tree", entry("tree/"))).toBe(true);
    expect((await call("KVS.ListKeys", query)).value.Keys).toEqual([]);
  });

  test("a value is larger than a window, and a list than many", async () => {
    const Value = Buffer.alloc(500_000, "0123456789");
    for (let i = 0; i < 8; i += 1) await write("set", entry(`large/${i}`, { Value }));
    const { value } = await call("KVS.List", { ...DEFAULT_QUERY, Key: "large/" });
    expect(value.Entries.map((found) => Value.equals(found.Value ?? Buffer.of()))).toEqual(
      Array.from({ length: 8 }, () => true),
    );
    await write("delete-tree", entry("large/"));
  });

  test("a blocking query is answered by the write that it waits for, and no sooner", async () => {
    await write("set", entry("kv/held"));
    const { meta } = await call("KVS.Get", { ...DEFAULT_QUERY, Key: "kv/held" });
    const query = { ...DEFAULT_QUERY, Key: "kv/held", MinQueryIndex: meta.Index };
    let isAnswered = false;
    const held = call("KVS.Get", query).finally(() => (isAnswered = true));
    await write("set", entry("kv/other"));
    expect(isAnswered).toBe(false);
    await write("set", entry("kv/held", { Value: Buffer.from("new") }));
    expect(Buffer.from((await held).value.Entries[0]?.Value ?? []).toString()).toBe("new");
    expect((await held).meta.Index).toBeGreaterThan(meta.Index);
  });

  test("a blocking query ends when its time is up, or when it is given up", async () => {
    await write("set", entry("kv/held"));
    const { meta } = await call("KVS.Get", { ...DEFAULT_QUERY, Key: "kv/held" });
    const query = { ...DEFAULT_QUERY, Key: "kv/held", MinQueryIndex: meta.Index };
    const unchanged = await call("KVS.Get", { ...query, MaxQueryTimeMs: 100 });
    expect(unchanged.meta.Index).toBe(meta.Index);
    const giveUp = new AbortController();
    const held = errorOf(call("KVS.Get", query, { signal: giveUp.signal }));
    giveUp.abort(new Error("not any more"));
    expect(await held).toMatchObject({ message: "not any more" });
    const late = await errorOf(call("KVS.Get", query, { timeoutMs: 100 }));
    expect(isUnanswered(late)).toBe("unknown");
    expect(await get("kv/held")).toBeDefined();
  });
});

const service = (ID: string): NonNullable<RegisterRequest["Service"]> => ({
  Kind: "",
  ID,
  Service: "web",
  Tags: ["blue", ID],
  Address: "10.0.0.7",
  TaggedAddresses: { wan: { Address: "1.2.3.4", Port: 80 } },
  Meta: { version: "2" },
  Port: 8080,
  Weights: { Passing: 3, Warning: 1 },
  EnableTagOverride: true,
  Proxy: {
    DestinationServiceName: "",
    DestinationServiceID: "",
    LocalServiceAddress: "",
    LocalServicePort: 0,
    Config: null,
    Upstreams: null,
    MeshGateway: { Mode: "" },
    Expose: { Checks: false, Paths: null },
  },
  Connect: { Native: ID === "web-2" },
  CreateIndex: 0,
  ModifyIndex: 0,
});
const check = (ID: string, Status: string): NonNullable<RegisterRequest["Check"]> => ({
  Node: "n1",
  CheckID: `check-${ID}`,
  Name: "alive",
  Status,
  Notes: "",
  Output: "as it was",
  ServiceID: ID,
  ServiceName: "web",
  ServiceTags: null,
  Type: "",
  Definition: {
    Interval: 10_000_000_000,
    OutputMaxSize: 0,
    Timeout: 0,
    DeregisterCriticalServiceAfter: 0,
    HTTP: "http://x/",
    Header: { Accept: ["*/*"] },
    Method: "",
    Body: "",
    TLSSkipVerify: false,
    TCP: "",
    ScriptArgs: null,
    DockerContainerID: "",
    Shell: "",
    GRPC: "",
    GRPCUseTLS: false,
    AliasNode: "",
    AliasService: "",
    TTL: 0,
  },
  CreateIndex: 0,
  ModifyIndex: 0,
});
const registration: RegisterRequest = {
  Datacenter: "",
  ID: "",
  Node: "n1",
  Address: "10.0.0.7",
  TaggedAddresses: { lan: "10.0.0.7" },
  NodeMeta: { rack: "r1" },
  Service: null,
  Check: null,
  Checks: null,
  SkipNodeUpdate: false,
};
const ofService = (ServiceName: string, ...ServiceTags: string[]) => ({
  ...DEFAULT_QUERY,
  ServiceName,
  ServiceTags,
  NodeMetaFilters: {},
});

describe("Catalog and Health", () => {
  beforeAll(async () => {
    const states = { "web-1": "passing", "web-2": "warning", "web-3": "critical" };
    for (const [ID, status] of Object.entries(states)) {
      const Check = check(ID, status);
      await call("Catalog.Register", { ...registration, Service: service(ID), Check });
    }
  });

  test("nodes and services are listed", async () => {
    const nodes = await call("Catalog.ListNodes", {
      ...DEFAULT_QUERY,
      NodeMetaFilters: { rack: "r1" },
    });
    expect(nodes.value.Nodes).toMatchObject([{ Node: "n1", TaggedAddresses: { lan: "10.0.0.7" } }]);
    const services = await call("Catalog.ListServices", { ...DEFAULT_QUERY, NodeMetaFilters: {} });
    expect(services.value.Services["consul"]).toEqual([]);
    expect(services.value.Services["web"]?.toSorted()).toEqual(["blue", "web-1", "web-2", "web-3"]);
    expect(await call("Catalog.ListDatacenters", {})).toEqual(["dc1"]);
  });

  test("instances come with all that was said of them", async () => {
    const { value } = await call("Catalog.ServiceNodes", ofService("web", "WEB-1", "blue"));
    expect(value.ServiceNodes).toMatchObject([
      {
        ServiceID: "web-1",
        ServiceTags: ["blue", "web-1"],
        ServiceWeights: { Passing: 3, Warning: 1 },
        ServiceTaggedAddresses: { wan: { Address: "1.2.3.4", Port: 80 } },
        ServiceMeta: { version: "2" },
        ServiceEnableTagOverride: true,
      },
    ]);
    const mesh = await call("Catalog.ConnectNodes", ofService("web"));
    expect(mesh.value.ServiceNodes.map(({ ServiceID }) => ServiceID)).toEqual(["web-2"]);
  });

  test("a node's services are listed in two forms", async () => {
    const node = { ...DEFAULT_QUERY, Node: "n1" };
    const services = await call("Catalog.NodeServices", node);
    expect(services.value.NodeServices?.Node.Node).toBe("n1");
    expect(services.value.NodeServices?.Services?.["web-1"]).toMatchObject({ Port: 8080 });
    const list = await call("Catalog.NodeServiceList", node);
    expect(list.value.NodeServices.Services).toHaveLength(3);
    const none = { ...DEFAULT_QUERY, Node: "nobody" };
    expect((await call("Catalog.NodeServices", none)).value.NodeServices).toBeNull();
    expect((await call("Catalog.NodeServiceList", none)).value.NodeServices.Services).toBeNull();
  });

  test("instances are told apart by their checks, which Consul's server does not do", async () => {
    const ask = (Status: "any" | "not-critical" | "passing") =>
      call("Health.ServiceNodes", { ...ofService("web"), Status });
    const ids = async (status: "any" | "not-critical" | "passing"): Promise<string[]> =>
      (await ask(status)).value.Nodes.map(({ Service }) => Service.ID).toSorted();
    expect(await ids("any")).toEqual(["web-1", "web-2", "web-3"]);
    expect(await ids("not-critical")).toEqual(["web-1", "web-2"]);
    expect(await ids("passing")).toEqual(["web-1"]);
    const { Excluded } = (await ask("not-critical")).value;
    expect(Excluded).toEqual([
      {
        Node: "n1",
        ServiceID: "web-3",
        Reasons: [
          { Kind: "check", CheckID: "check-web-3", Status: "critical", Output: "as it was" },
        ],
      },
    ]);
    const mesh = await call("Health.ConnectNodes", { ...ofService("web"), Status: "any" });
    expect(mesh.value.Nodes.map(({ Service }) => Service.ID)).toEqual(["web-2"]);
  });

  test("filters are the server's", async () => {
    const Filter = 'Service.ID == "web-2"';
    const query = { ...ofService("web"), Status: "any", Filter } as const;
    const { value } = await call("Health.ServiceNodes", query);
    expect(value.Nodes.map(({ Service }) => Service.ID)).toEqual(["web-2"]);
  });

  test("checks are listed by node, by service and by state", async () => {
    const ofNode = await call("Health.NodeChecks", { ...DEFAULT_QUERY, Node: "n1" });
    expect(ofNode.value.HealthChecks).toHaveLength(3);
    const ofWeb = await call("Health.ServiceChecks", ofService("web"));
    const [found] = ofWeb.value.HealthChecks.filter(({ CheckID }) => CheckID === "check-web-1");
    expect(found?.Definition).toMatchObject({
      HTTP: "http://x/",
      Interval: 10_000_000_000,
      Header: { Accept: ["*/*"] },
    });
    const critical = { ...DEFAULT_QUERY, NodeMetaFilters: {}, State: "critical" };
    const { HealthChecks } = (await call("Health.ChecksInState", critical)).value;
    expect(HealthChecks.map(({ CheckID }) => CheckID)).toEqual(["check-web-3"]);
  });

  test("what is deregistered is gone", async () => {
    const gone = { Datacenter: "", Node: "n1", ServiceID: "web-3", CheckID: "" };
    await call("Catalog.Deregister", gone);
    const { value } = await call("Catalog.ServiceNodes", ofService("web"));
    expect(value.ServiceNodes.map(({ ServiceID }) => ServiceID)).toEqual(["web-1", "web-2"]);
  });

  test("the web interface's views", async () => {
    const info = await call("Internal.NodeInfo", { ...DEFAULT_QUERY, Node: "n1" });
    expect(info.value.Dump).toMatchObject([{ Node: "n1", Services: [{ ID: "web-1" }, {}] }]);
    const dump = await call("Internal.NodeDump", DEFAULT_QUERY);
    expect(dump.value.Dump.map(({ Node }) => Node).toSorted()).toEqual(["n1", "real"]);
    const services = await call("Internal.ServiceDump", DEFAULT_QUERY);
    expect(services.value.Nodes.map(({ Service }) => Service.ID).toSorted()).toEqual([
      "consul",
      "web-1",
      "web-2",
    ]);
  });
});

const session = {
  ID: "",
  Name: "mine",
  Node: "real",
  LockDelay: 1_000_000_000,
  Behavior: "delete",
  TTL: "30s",
  NodeChecks: ["serfHealth"],
  ServiceChecks: null,
  Checks: null,
  CreateIndex: 0,
  ModifyIndex: 0,
};

test("Session", async () => {
  const create = { Datacenter: "", Op: "create", Session: session } as const;
  const ID = await call("Session.Apply", create);
  const got = await call("Session.Get", { ...DEFAULT_QUERY, SessionID: ID });
  expect(got.value.Sessions).toMatchObject([
    { ID, Name: "mine", LockDelay: 1_000_000_000, TTL: "30s", NodeChecks: ["serfHealth"] },
  ]);
  const renewed = await call("Session.Renew", { Datacenter: "", SessionID: ID });
  expect(renewed).toEqual({ Sessions: got.value.Sessions, Index: got.meta.Index });
  const unknown = await call("Session.Renew", { Datacenter: "", SessionID: UNKNOWN_ID });
  expect(unknown).toEqual({ Sessions: [], Index: got.meta.Index });
  expect((await call("Session.List", DEFAULT_QUERY)).value).toEqual(got.value);
  const ofNode = { ...DEFAULT_QUERY, Node: "real" };
  expect((await call("Session.NodeSessions", ofNode)).value).toEqual(got.value);
  await write("set", entry("locked"));
  expect(await write("lock", entry("locked", { Session: ID }))).toBe(true);
  expect(await get("locked")).toMatchObject({ Session: ID, LockIndex: 1 });
  expect(await write("unlock", entry("locked", { Session: ID }))).toBe(true);
  await call("Session.Apply", { ...create, Op: "destroy", Session: { ...session, ID } });
  expect((await call("Session.List", DEFAULT_QUERY)).value.Sessions).toEqual([]);
});

describe("PreparedQuery", () => {
  const definition: PreparedQuery = {
    ...BLANK_QUERY,
    Name: "find-consul",
    Service: { ...BLANK_QUERY.Service, Service: "consul", OnlyPassing: true },
    DNS: { TTL: "7s" },
  };
  const apply = (Op: "create" | "update" | "delete", Query: PreparedQuery): Promise<string> =>
    call("PreparedQuery.Apply", { Datacenter: "", Op, Query });

  test("is written, listed, explained and run", async () => {
    const ID = await apply("create", definition);
    const got = await call("PreparedQuery.Get", { ...DEFAULT_QUERY, QueryID: ID });
    const [found] = got.value.Queries;
    const { CreateIndex = 0, ModifyIndex } = found ?? {};
    expect(found).toEqual({ ...definition, ID, CreateIndex, ModifyIndex });
    expect(CreateIndex).toBeGreaterThan(0);
    expect((await call("PreparedQuery.List", DEFAULT_QUERY)).value.Queries).toEqual([found]);
    const named = { ...DEFAULT_QUERY, QueryIDOrName: "find-consul" };
    expect((await call("PreparedQuery.Explain", named)).value.Query).toEqual(found);
    const place = { Source: { Node: "_agent", Ip: "" }, Agent: { Node: "real" } };
    const run = { ...named, ...place, Limit: 0, Connect: false };
    const result = await call("PreparedQuery.Execute", run);
    expect(result).toMatchObject({
      value: { Service: "consul", Datacenter: "dc1", DNS: { TTL: "7s" }, Failovers: 0 },
      meta: { Index: 1, KnownLeader: true },
    });
    expect(result.value.Nodes.map(({ Node }) => Node.Node)).toEqual(["real"]);
    const remote = { ...DEFAULT_QUERY, Query: definition, Limit: 5, Connect: false };
    expect((await call("PreparedQuery.ExecuteRemote", remote)).value.Nodes).toHaveLength(1);
    await apply("delete", { ...BLANK_QUERY, ID });
  });

  test("that is not there is told by its error", async () => {
    const message = "rpc error making call: Query not found";
    const notFound = { code: "request/not-found", message };
    const getting = call("PreparedQuery.Get", { ...DEFAULT_QUERY, QueryID: UNKNOWN_ID });
    expect(await errorOf(getting)).toMatchObject(notFound);
    const named = { ...DEFAULT_QUERY, QueryIDOrName: "nothing" };
    expect(await errorOf(call("PreparedQuery.Explain", named))).toMatchObject(notFound);
  });
});

test("Txn", async () => {
  const op = (Verb: string, DirEnt: DirEntry): TxnOp => ({
    KV: { Verb, DirEnt },
    Node: null,
    Service: null,
    Check: null,
  });
  const done = await call("Txn.Apply", {
    Datacenter: "",
    Ops: [op("set", entry("txn/a")), op("get", entry("txn/a"))],
  });
  expect(done.Errors).toBeNull();
  expect(done.Results).toMatchObject([
    { KV: { Key: "txn/a", Value: null }, Node: null },
    { KV: { Key: "txn/a" } },
  ]);
  const stale = [op("cas", entry("txn/a", { ModifyIndex: 1 }))];
  expect(await call("Txn.Apply", { Datacenter: "", Ops: stale })).toEqual({
    Results: null,
    Errors: [{ OpIndex: 0, What: 'failed to set key "txn/a", index is stale' }],
  });
  const read = await call("Txn.Read", { ...DEFAULT_QUERY, Ops: [op("get-tree", entry("txn/"))] });
  expect(read.value.Results).toHaveLength(1);
});

test("Coordinate", async () => {
  const Coord = {
    Vec: Array.from({ length: 8 }, () => 0.001),
    Error: 0.2,
    Adjustment: 0,
    Height: 0.01,
  };
  await call("Coordinate.Update", { Datacenter: "", Node: "real", Segment: "", Coord });
  const listed = await eventually(
    "the leader has written it",
    () => call("Coordinate.ListNodes", DEFAULT_QUERY),
    ({ value }) => value.Coordinates.length > 0,
    30_000,
  );
  expect(listed.value.Coordinates[0]).toMatchObject({ Node: "real", Segment: "" });
  const node = { ...DEFAULT_QUERY, Node: "real" };
  expect((await call("Coordinate.Node", node)).value.Coordinates).toHaveLength(1);
  const [map] = await call("Coordinate.ListDatacenters", {});
  expect(map).toMatchObject({ Datacenter: "dc1", AreaID: "wan" });
});

describe("Operator", () => {
  test("the servers are learned from Consul's two methods", async () => {
    const servers = await eventually(
      "autopilot has looked",
      () => call("Operator.Servers", { Datacenter: "" }),
      ([first]) => first?.Healthy === true,
    );
    expect(servers).toMatchObject([
      {
        Name: "real",
        Address: SERVER.address,
        SerfStatus: "alive",
        Version: "1.8.7",
        Leader: true,
        Voter: true,
        RaftProtocol: "3",
      },
    ]);
    const ageMs = clock.wallMs() - (servers[0]?.StableSinceMs ?? 0);
    expect(ageMs).toBeGreaterThan(-1000);
    expect(ageMs).toBeLessThan(300_000);
  });

  test("a server that is not there cannot be removed", async () => {
    const by = { Datacenter: "", ID: "", Address: "" };
    const address = { ...by, Address: "10.9.9.9:8300" };
    expect(await errorOf(call("Operator.RaftRemovePeer", address))).toMatchObject({
      message:
        'rpc error making call: address "10.9.9.9:8300" was not found in the Raft configuration',
    });
    expect(await errorOf(call("Operator.RaftRemovePeer", { ...by, ID: "x" }))).toMatchObject({
      message: 'rpc error making call: id "x" was not found in the Raft configuration',
    });
  });

  test("autopilot's configuration is read and written", async () => {
    const Config = await call("Operator.AutopilotGetConfiguration", { Datacenter: "" });
    expect(Config).toMatchObject({ CleanupDeadServers: true, MaxTrailingLogs: 250n });
    const set = (CAS: boolean, ModifyIndex: number): Promise<boolean> =>
      call("Operator.AutopilotSetConfiguration", {
        Datacenter: "",
        Config: { ...Config, MaxTrailingLogs: 300n, ModifyIndex },
        CAS,
      });
    expect(await set(true, Config.ModifyIndex - 1)).toBe(false);
    expect(await set(true, Config.ModifyIndex)).toBe(true);
    expect(await set(false, 0)).toBe(true);
  });
});

test("an event is fired, and keys are listed", async () => {
  const Payload = encodeConsulUserEvent({
    ID: "86961077-8f96-4d80-f07a-6805a50aeb58",
    Name: "deploy",
    Payload: Buffer.from("now"),
    NodeFilter: "",
    ServiceFilter: "",
    TagFilter: "",
    Version: USER_EVENT_VERSION,
  });
  await call("Internal.EventFire", { ...DEFAULT_QUERY, Name: "deploy", Payload });
  await eventually(
    "the server has it",
    async () => (await fetch(`http://${ADDRESS}:8500/v1/event/list`)).text(),
    (events) => events.includes('"deploy"') && events.includes('"bm93"'),
  );
  const rings = await call("Internal.KeyringOperation", {
    ...DEFAULT_QUERY,
    Operation: "list",
    Key: "",
    Forwarded: false,
    LocalOnly: true,
    RelayFactor: 0,
  });
  expect(rings).toMatchObject([{ WAN: false, NumNodes: 1, Error: "1/1 nodes reported failure" }]);
});

test("another datacenter is refused", async () => {
  const failing = call("KVS.Get", { ...DEFAULT_QUERY, Datacenter: "dc9", Key: "x" });
  const message = "rpc error making call: No path to datacenter";
  expect(await errorOf(failing)).toMatchObject({ code: "dc/unknown", message });
});

test("300 calls at once, among them failing ones, need one connection", async () => {
  const before = dials;
  const answers = await Promise.all(
    Array.from({ length: 300 }, (_, i) =>
      i % 3 === 0
        ? errorOf(call("KVS.Get", { ...DEFAULT_QUERY, Key: "" }))
        : call("Catalog.ListNodes", { ...DEFAULT_QUERY, NodeMetaFilters: {} }),
    ),
  );
  expect(answers).toHaveLength(300);
  expect(dials).toBe(before);
});
