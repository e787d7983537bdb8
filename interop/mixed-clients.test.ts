/**
 * A real client agent in a datacenter of our servers, and one of ours in a datacenter of real ones: whatever an agent can
 * be asked, it answers through servers of the other make.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { oneLeader, ServerFleet, type Make } from "./clusters.ts";
import { writeEverything } from "./every-write.ts";
import { sameAnswers, snapshotOf } from "./same-state.ts";
import { eventually, http, run, type HttpAnswer } from "./testkit.ts";

interface Datacenter {
  readonly about: string;
  readonly serverMake: Make;
  readonly clientMake: Make;
  readonly servers: readonly string[];
  readonly client: string;
}
const DATACENTERS: readonly Datacenter[] = [
  {
    about: "a real client of our servers",
    serverMake: "ours",
    clientMake: "real",
    servers: ["127.0.34.21", "127.0.34.22", "127.0.34.23"],
    client: "127.0.34.24",
  },
  {
    about: "our client of real servers",
    serverMake: "real",
    clientMake: "ours",
    servers: ["127.0.34.31", "127.0.34.32", "127.0.34.33"],
    client: "127.0.34.34",
  },
];

const put = (at: string, path: string, body: unknown = ""): Promise<HttpAnswer> =>
  http(at, path, {
    method: "PUT",
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

async function dig(at: string, ...question: readonly string[]): Promise<string> {
  const argv = ["dig", "+short", "+tries=1", "+time=5", `@${at}`, "-p", "8600", ...question];
  return (await run(argv)).stdout.trim();
}

/** How the instances of a service are, as that agent knows; "" for none. */
async function statusAt(at: string, service: string): Promise<string> {
  const { body } = await http(at, `/v1/health/checks/${service}`);
  return (JSON.parse(body) as { readonly Status: string }[]).map(({ Status }) => Status).join();
}

describe.each(DATACENTERS)("$about", ({ serverMake, clientMake, servers, client }) => {
  const joins = servers.map((address) => `-retry-join=${address}`);
  const fleet = new ServerFleet([
    "-bootstrap-expect=3",
    "-hcl=limits { kv_max_value_size = 4000000 }",
    ...joins,
  ]);
  afterAll(() => fleet[Symbol.asyncDispose]());

  const all = [...servers, client];
  const [server = ""] = servers;
  const nameOf = (address: string): string =>
    address === client ? "client" : `s${servers.indexOf(address) + 1}`;
  const start = (address: string): void => {
    fleet.start({ name: nameOf(address), address, make: serverMake });
  };

  const everywhere = (what: string, ask: (at: string) => Promise<string>, wanted: string) =>
    eventually(
      `${what} is ${wanted} at all agents`,
      () => Promise.all(all.map(ask)),
      (answers) => answers.every((answer) => answer === wanted),
    );

  const startClient = (): void => {
    const flags = ["-hcl=limits { kv_max_value_size = 4000000 }", ...joins];
    fleet.startClient({ name: nameOf(client), address: client, make: clientMake }, flags);
  };
  const clientIsHealthy = (): Promise<unknown> =>
    everywhere(
      "the client's node",
      async (at) => {
        const { body } = await http(at, "/v1/health/node/client");
        return (JSON.parse(body) as { Status: string }[]).map(({ Status }) => Status).join();
      },
      "passing",
    );

  beforeAll(async () => {
    for (const address of servers) start(address);
    startClient();
    await oneLeader(all);
    await clientIsHealthy();
  }, 60_000);

  test("`members` and the catalog are the same at all agents", async () => {
    const tables = await Promise.all(
      all.map((at) => run(["consul", "members", `-http-addr=${at}:8500`])),
    );
    for (const { stdout } of tables) expect(stdout).toBe(tables[0]?.stdout);
    expect(tables[0]?.stdout).toMatch(
      /^client +127\.0\.34\.\d4:8301 +alive +client +1\.8\.7 +2 +dc1 +<default>$/m,
    );
    await sameAnswers(all);
  });

  test("its service is found by HTTP and DNS at all agents, as long as its check passes", async () => {
    const Check = { CheckID: "web-ttl", TTL: "1h", Status: "passing" };
    const service = { Name: "web", ID: "web1", Port: 8080, Tags: ["v1"], Meta: { a: "b" }, Check };
    expect((await put(client, "/v1/agent/service/register", service)).status).toBe(200);
    for (const [verb, status, place] of [
      ["pass", "passing", client],
      ["warn", "warning", client],
      ["fail", "critical", ""],
      ["pass", "passing", client],
    ] as const) {
      await put(client, `/v1/agent/check/${verb}/web-ttl`);
      await everywhere("the check", (at) => statusAt(at, "web"), status);
      await everywhere("its address", (at) => dig(at, "web.service.consul"), place);
      await everywhere("its tag's address", (at) => dig(at, "v1.web.service.consul"), place);
    }
    await everywhere(
      "its SRV record",
      (at) => dig(at, "web.service.consul", "SRV"),
      "1 1 8080 client.node.dc1.consul.",
    );
    await everywhere("its node", (at) => dig(at, "client.node.consul"), client);
    const reverse = `${client.split(".").reverse().join(".")}.in-addr.arpa`;
    await everywhere("its name", (at) => dig(at, reverse, "PTR"), "client.node.dc1.consul.");
  });

  test("an HTTP check that it makes comes to the catalog", async () => {
    const HTTP = `http://${server}:8500/v1/status/leader`;
    const check = { Name: "asks", ID: "asks", HTTP, Interval: "1s", Timeout: "5s" };
    expect((await put(client, "/v1/agent/check/register", check)).status).toBe(200);
    await everywhere(
      "the check of its node",
      async (at) => {
        const { body } = await http(at, "/v1/health/node/client");
        const checks = JSON.parse(body) as { CheckID: string; Status: string }[];
        return checks.find(({ CheckID }) => CheckID === "asks")?.Status ?? "none";
      },
      "passing",
    );
    await put(client, "/v1/agent/check/deregister/asks");
  });

  test.each([
    ["at the client", client, server],
    ["at a server", server, client],
  ])("a blocking query %s wakes when something is written elsewhere", async (_, at, writer) => {
    for (const [path, key] of [
      ["/v1/kv/awaited", "/v1/kv/awaited"],
      ["/v1/kv/tree/?recurse", "/v1/kv/tree/of"],
      ["/v1/kv/tree/?keys", "/v1/kv/tree/other"],
    ] as const) {
      const separator = path.includes("?") ? "&" : "?";
      const { headers } = await http(at, path);
      const index = String(headers["x-consul-index"]);
      const began = performance.now();
      const held = http(at, `${path}${separator}index=${index}&wait=30s`);
      await put(writer, key, at);
      const { status, headers: after } = await held;
      expect([status, Number(after["x-consul-index"]) > Number(index)]).toEqual([200, true]);
      expect(performance.now() - began).toBeLessThan(10_000);
    }
  });

  test("a blocking query that nothing happens to returns at its time, with the index as it was", async () => {
    const { headers } = await http(client, "/v1/kv/awaited");
    const index = String(headers["x-consul-index"]);
    const { status, headers: after } = await http(client, `/v1/kv/awaited?index=${index}&wait=1s`);
    expect([status, after["x-consul-index"]]).toEqual([200, index]);
  });

  test("a session of its node holds a lock against everybody", async () => {
    const sessionAt = async (at: string): Promise<string> => {
      const { body } = await put(at, "/v1/session/create", { LockDelay: "0s", TTL: "60s" });
      return (JSON.parse(body) as { readonly ID: string }).ID;
    };
    const [own, other] = [await sessionAt(client), await sessionAt(server)];
    const acquire = async (at: string, id: string): Promise<string> =>
      (await put(at, `/v1/kv/lock?acquire=${id}`, at)).body.trim();
    expect(await acquire(client, own)).toBe("true");
    expect(await acquire(server, other)).toBe("false");
    expect((await put(client, `/v1/session/renew/${own}`)).status).toBe(200);
    const info = (await http(server, `/v1/session/info/${own}`)).json();
    expect(info).toMatchObject([{ ID: own, Node: "client", TTL: "60s" }]);
    expect((await put(client, `/v1/session/destroy/${own}`)).body.trim()).toBe("true");
    await eventually(
      "the other one has the lock",
      () => acquire(server, other),
      (taken) => taken === "true",
    );
    expect((await http(client, "/v1/kv/lock?raw")).body).toBe(server);
  });

  test("events go both ways", async () => {
    for (const from of [client, server]) {
      const name = `from-${nameOf(from)}`;
      expect((await put(from, `/v1/event/fire/${name}`, "now")).status).toBe(200);
      await everywhere(
        name,
        async (at) => {
          const { body } = await http(at, `/v1/event/list?name=${name}`);
          return (JSON.parse(body) as { Payload: string }[]).map(({ Payload }) => Payload).join();
        },
        Buffer.from("now").toString("base64"),
      );
    }
  });

  test("everything can be written through it, and is read alike from all agents", async () => {
    await writeEverything({ address: client, round: "by-client" }, "withoutMesh");
    await sameAnswers(all);
    for (const consistency of ["", "&consistent", "&stale"]) {
      const read = await http(client, `/v1/kv/every/by-client/cas?raw${consistency}`);
      expect([read.status, read.body]).toEqual([200, "second"]);
    }
    await everywhere(
      "a prepared query",
      async (at) => {
        const { body } = await http(at, "/v1/query/find-by-client/execute");
        const { Nodes } = JSON.parse(body) as { Nodes: { Node: { Node: string } }[] };
        return Nodes.map(({ Node }) => Node.Node).join();
      },
      "",
    );
  });

  test("a snapshot of all state can be taken through it", async () => {
    const own = await snapshotOf(server, "default");
    for (const consistency of ["default", "stale"] as const) {
      expect((await snapshotOf(client, consistency)).tables.kv.size).toBe(own.tables.kv.size);
    }
  });

  test("a client that leaves is no node any more, until it comes back", async () => {
    await put(client, "/v1/agent/leave");
    await eventually(
      "its node is gone",
      () => http(server, "/v1/catalog/nodes"),
      (answer) => answer.status === 200 && !answer.body.includes('"client"'),
    );
    await fleet.end(nameOf(client), "SIGKILL");
    startClient();
    await clientIsHealthy();
  });

  test("when any server dies, it goes on with the others", async () => {
    for (const address of servers) {
      await fleet.end(nameOf(address), "SIGKILL");
      await eventually(
        `it writes without ${nameOf(address)}`,
        () => put(client, `/v1/kv/without/${address}`, "x"),
        ({ body }) => body.trim() === "true",
      );
      start(address);
      await oneLeader(all);
    }
    const { body } = await http(client, "/v1/kv/without/?keys");
    expect(JSON.parse(body)).toHaveLength(servers.length);
  }, 90_000);
});
