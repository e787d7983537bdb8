/**
 * Three datacenters in one WAN pool, one of them a real Consul's: what is asked of one with `?dc=` is answered by the
 * other, each way; the loss of one leaves the others whole.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { oneLeader, ServerFleet, type Make } from "./clusters.ts";
import { eventually, http, run } from "./testkit.ts";

interface Place {
  readonly server: string;
  readonly make: Make;
}
const PLACES: Readonly<Record<string, Place>> = {
  dc1: { server: "127.0.0.181", make: "ours" },
  dc2: { server: "127.0.0.182", make: "ours" },
  dc3: { server: "127.0.0.183", make: "real" },
};
const NAMES = Object.keys(PLACES);
const CLIENT = "127.0.0.184";
const serverOf = (datacenter: string): string => (PLACES[datacenter] as Place).server;

const fleet = new ServerFleet(["-bootstrap-expect=1"]);
afterAll(() => fleet[Symbol.asyncDispose]());

function start(datacenter: string): void {
  const { server, make } = PLACES[datacenter] as Place;
  const joins = NAMES.filter((name) => name !== datacenter).map(
    (name) => `-retry-join-wan=${serverOf(name)}`,
  );
  fleet.start({ name: `s-${datacenter}`, address: server, make }, [
    `-datacenter=${datacenter}`,
    "-retry-interval-wan=1s",
    ...joins,
  ]);
}

const put = (agent: string, path: string, body: unknown): ReturnType<typeof http> =>
  http(agent, path, {
    method: "PUT",
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

beforeAll(async () => {
  for (const datacenter of NAMES) start(datacenter);
  fleet.startClient({ name: "c-dc1", address: CLIENT, make: "ours" }, [
    "-datacenter=dc1",
    `-retry-join=${serverOf("dc1")}`,
  ]);
  await Promise.all(NAMES.map((name) => oneLeader([serverOf(name)], 60_000)));
  for (const agent of [...NAMES.map(serverOf), CLIENT]) {
    await eventually(
      `${agent} knows all datacenters`,
      async () => (await http(agent, "/v1/catalog/datacenters")).body,
      (body) => NAMES.every((name) => body.includes(`"${name}"`)),
      60_000,
    );
  }
  for (const name of NAMES) {
    const service = { Name: "web", ID: `web-${name}`, Port: 80, Meta: { from: name } };
    await put(serverOf(name), "/v1/agent/service/register", service);
    await put(serverOf(name), "/v1/kv/where", name);
  }
}, 120_000);

const AGENTS = [...NAMES.map(serverOf), CLIENT];
const PAIRS = AGENTS.flatMap((agent) => NAMES.map((name) => [agent, name] as const));

describe("asked at any agent, about any datacenter", () => {
  test.each(PAIRS)("%s about %s", async (agent, datacenter) => {
    const about = `dc=${datacenter}`;
    expect((await http(agent, `/v1/kv/where?raw&${about}`)).body).toBe(datacenter);
    expect((await http(agent, `/v1/kv/where?raw&consistent&${about}`)).body).toBe(datacenter);
    const { body } = await http(agent, `/v1/health/service/web?passing&${about}`);
    expect(body).toContain(`"web-${datacenter}"`);
    expect((await http(agent, `/v1/catalog/nodes?${about}`)).body).toContain(`s-${datacenter}`);
    expect((await http(agent, `/v1/status/leader?${about}`)).body).toContain(serverOf(datacenter));
    const key = `from/${agent}`;
    expect((await put(agent, `/v1/kv/${key}?${about}`, "x")).body.trim()).toBe("true");
    expect((await http(serverOf(datacenter), `/v1/kv/${key}?raw`)).body).toBe("x");
    const question = `web.service.${datacenter}.consul`;
    const { stdout } = await run([
      "dig",
      "+short",
      "+tries=1",
      `@${agent}`,
      "-p",
      "8600",
      question,
    ]);
    expect(stdout.trim()).toBe(serverOf(datacenter));
  });
});

test.each(AGENTS)(
  "%s says that there is no path to a datacenter that nobody knows",
  async (agent) => {
    const { status, body } = await http(agent, "/v1/kv/where?dc=nowhere");
    expect(status).toBe(500);
  // A client has it from its server, and says so.
  expect(body).toMatch(/^(rpc error making call: )?No path to datacenter$/);
  },
);

test.each(NAMES)("an event that is fired in %s from elsewhere is heard there", async (name) => {
  const from = NAMES.find((other) => other !== name) as string;
  const event = `deploy-${name}`;
  expect((await put(serverOf(from), `/v1/event/fire/${event}?dc=${name}`, "now")).status).toBe(200);
  await eventually(
    "it is heard",
    () => http(serverOf(name), `/v1/event/list?name=${event}`),
    ({ body }) => body.includes(event),
  );
});

test("a blocking query about another datacenter wakes when something changes there", async () => {
  const { headers } = await http(CLIENT, "/v1/kv/awaited?dc=dc3");
  const held = http(
    CLIENT,
    `/v1/kv/awaited?dc=dc3&wait=20s&index=${String(headers["x-consul-index"])}`,
  );
  await put(serverOf("dc3"), "/v1/kv/awaited", "here");
  expect((await held).body).toContain(Buffer.from("here").toString("base64"));
});

describe("a prepared query fails over", () => {
  test.each(NAMES)("from %s to a datacenter that has the service", async (name) => {
    const others = NAMES.filter((other) => other !== name);
    const [first = "", second = ""] = others;
    const query = {
      Name: `q-${name}`,
      Service: { Service: "late", Failover: { Datacenters: others } },
    };
    await put(serverOf(second), "/v1/agent/service/register", { Name: "late", ID: `late-${name}` });
    const created = await http(serverOf(name), "/v1/query", {
      method: "POST",
      body: JSON.stringify(query),
    });
    expect(created.status).toBe(200);
    const { body } = await http(serverOf(name), `/v1/query/q-${name}/execute`);
    expect(JSON.parse(body)).toMatchObject({ Datacenter: second, Failovers: 2 });
    const asked = `q-${name}.query.consul`;
    const dig = ["dig", "+short", "+tries=1", `@${serverOf(name)}`, "-p", "8600", asked];
    expect((await run(dig)).stdout.trim()).toBe(serverOf(second));
    await put(serverOf(second), `/v1/agent/service/deregister/late-${name}`, "");
    expect(first).not.toBe(second);
  });
});

test("the loss of a datacenter leaves the others whole, and it comes back by itself", async () => {
  await fleet.end("s-dc2", "SIGKILL");
  for (const agent of [serverOf("dc1"), serverOf("dc3"), CLIENT]) {
    const refused = await http(agent, "/v1/kv/where?dc=dc2");
    expect(refused.status).toBe(500);
    expect((await http(agent, "/v1/kv/where?raw&dc=dc3")).body).toBe("dc3");
    expect((await http(agent, "/v1/kv/where?raw&dc=dc1")).body).toBe("dc1");
  }
  start("dc2");
  await oneLeader([serverOf("dc2")]);
  for (const agent of AGENTS) {
    await eventually(
      `${agent} reaches dc2 again`,
      () => http(agent, "/v1/kv/where?raw&dc=dc2"),
      ({ body }) => body === "dc2",
      60_000,
    );
  }
}, 150_000);
