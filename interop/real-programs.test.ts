/**
 * The main job with real programs: a directory of definitions is loaded, and what dies leaves the answers.
 * DNS is asked with an independent encoder and parser.
 */
import { createSocket } from "node:dgram";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as dnsPacket from "dns-packet";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Program, ROLLCALL, eventually, http } from "./testkit.ts";

const ADDRESS = "127.0.0.62";
const WEB_PORT = 18_080;
const TCP_PORT = 18_081;

const directory = mkdtempSync(join(tmpdir(), "rollcall-real-"));
const flag = join(directory, "healthy");
let agent: Program;

const webServer = (): Program =>
  new Program([
    process.execPath,
    "-e",
    `require("http").createServer((q, r) => r.end("ok")).listen(${WEB_PORT}, "${ADDRESS}")`,
  ]);
const tcpServer = (): Program =>
  new Program([
    process.execPath,
    "-e",
    `require("net").createServer((s) => s.end()).listen(${TCP_PORT}, "${ADDRESS}")`,
  ]);

beforeAll(async () => {
  const config = join(directory, "config");
  mkdirSync(config);
  writeFileSync(
    join(config, "web.hcl"),
    `service {
      name = "web"
      port = ${WEB_PORT}
      address = "${ADDRESS}"
      tags = ["v1"]
      check {
        http     = "http://${ADDRESS}:${WEB_PORT}/"
        interval = "1s"
        timeout  = "500ms"
      }
    }`,
  );
  writeFileSync(
    join(config, "more.json"),
    JSON.stringify({
      services: [
        {
          name: "queue",
          port: TCP_PORT,
          check: { tcp: `${ADDRESS}:${TCP_PORT}`, interval: "1s" },
        },
        { name: "job", check: { args: ["test", "-e", flag], interval: "1s" } },
      ],
    }),
  );
  agent = new Program([
    ROLLCALL,
    "agent",
    "-dev",
    `-bind=${ADDRESS}`,
    `-client=${ADDRESS}`,
    "-node=here",
    "-enable-local-script-checks",
    `-config-dir=${config}`,
  ]);
  await eventually(
    "the agent answers",
    () => http(ADDRESS, "/v1/status/leader"),
    ({ status }) => status === 200,
  );
}, 60_000);

afterAll(async () => {
  const code = await agent.end("SIGTERM");
  rmSync(directory, { recursive: true });
  // A server that is terminated does not leave, and says so with its exit code, as Consul's does.
  expect(code).toBe(1);
});

async function dig(name: string, type: "A" | "SRV" = "A") {
  const socket = createSocket("udp4");
  try {
    return await new Promise<dnsPacket.DecodedMessage>((resolve, reject) => {
      socket.on("message", (bytes) => resolve(dnsPacket.decode(bytes)));
      socket.on("error", reject);
      socket.send(
        dnsPacket.encode({
          type: "query",
          id: 7,
          flags: 0,
          additionals: [],
          questions: [{ name, type, class: "IN" }],
        }),
        8600,
        ADDRESS,
      );
    });
  } finally {
    socket.close();
  }
}
const addresses = async (name: string): Promise<unknown[]> =>
  ((await dig(name)).answers ?? []).map((answer) => ("data" in answer ? answer.data : undefined));

const passing = async (service: string): Promise<{ index: string; count: number }> => {
  const answer = await http(ADDRESS, `/v1/health/service/${service}?passing`);
  return {
    index: String(answer.headers["x-consul-index"]),
    count: (answer.json() as unknown[]).length,
  };
};

test("a service that dies leaves DNS and HTTP within its interval, and comes back", async () => {
  expect(await addresses("web.service.consul")).toEqual([]);
  let web = webServer();
  await eventually(
    "web passes",
    () => passing("web"),
    ({ count }) => count === 1,
  );
  expect(await addresses("web.service.consul")).toEqual([ADDRESS]);
  expect((await dig("_web._v1.service.consul", "SRV")).answers).toMatchObject([
    { data: { port: WEB_PORT } },
  ]);

  const { index } = await passing("web");
  const blocked = http(ADDRESS, `/v1/health/service/web?passing&index=${index}&wait=60s`);
  await web.end("SIGKILL");
  const killed = performance.now();
  const answer = await blocked;
  expect(answer.json()).toEqual([]);
  expect(Number(answer.headers["x-consul-index"])).toBeGreaterThan(Number(index));
  expect(await addresses("web.service.consul")).toEqual([]);
  // One interval, one timeout, and what a busy machine adds.
  expect(performance.now() - killed).toBeLessThan(10_000);

  const explained = await http(ADDRESS, "/v1/health/service/web?passing&explain");
  expect(explained.json()).toMatchObject({
    Instances: [],
    Excluded: [
      {
        Node: "here",
        ServiceID: "web",
        Reasons: [{ Kind: "check", CheckID: "service:web", Status: "critical" }],
      },
    ],
  });

  web = webServer();
  await eventually(
    "web is back",
    () => addresses("web.service.consul"),
    (found) => found.length === 1,
  );
  await web.end("SIGKILL");
});

test("a TCP port and a script decide in the same way", async () => {
  const queue = tcpServer();
  await eventually(
    "queue passes",
    () => passing("queue"),
    ({ count }) => count === 1,
  );
  await queue.end("SIGKILL");
  await eventually(
    "queue fails",
    () => passing("queue"),
    ({ count }) => count === 0,
  );

  expect((await passing("job")).count).toBe(0);
  writeFileSync(flag, "");
  await eventually(
    "job passes",
    () => passing("job"),
    ({ count }) => count === 1,
  );
  rmSync(flag);
  await eventually(
    "job fails",
    () => passing("job"),
    ({ count }) => count === 0,
  );
});

test("an external service registered through the catalog resolves", async () => {
  const body = JSON.stringify({
    Node: "google",
    Address: "8.8.8.8",
    Service: { Service: "search", Port: 80 },
  });
  await http(ADDRESS, "/v1/catalog/register", { method: "PUT", body });
  expect(await addresses("search.service.consul")).toEqual(["8.8.8.8"]);
  expect(await addresses("google.node.consul")).toEqual(["8.8.8.8"]);
});

test("a lock is refused to a second session, and freed when the first one's TTL check fails", async () => {
  const put = (path: string, body = "") => http(ADDRESS, path, { method: "PUT", body });
  await put("/v1/agent/check/register", JSON.stringify({ Name: "alive", TTL: "2s" }));
  await put("/v1/agent/check/pass/alive");
  const create = async (body: object): Promise<string> => {
    const answer = await put("/v1/session/create", JSON.stringify(body));
    return (answer.json() as { ID: string }).ID;
  };
  const first = await create({ NodeChecks: ["serfHealth", "alive"], LockDelay: "0s" });
  const second = await create({});
  expect((await put(`/v1/kv/leader?acquire=${first}`, "first")).body.trim()).toBe("true");
  expect((await put(`/v1/kv/leader?acquire=${second}`, "second")).body.trim()).toBe("false");
  const { headers } = await http(ADDRESS, "/v1/kv/leader");
  const freed = await http(
    ADDRESS,
    `/v1/kv/leader?index=${String(headers["x-consul-index"])}&wait=60s`,
  );
  expect(freed.json()).toMatchObject([{ LockIndex: 1 }]);
  expect(freed.body).not.toContain("Session");
  expect((await put(`/v1/kv/leader?acquire=${second}`, "second")).body.trim()).toBe("true");
  // A check of the node counts for all of its services: what comes after needs them.
  await put("/v1/agent/check/deregister/alive");
});

test("SIGHUP reads the definitions again", async () => {
  writeFileSync(join(directory, "config", "new.hcl"), 'service { name = "new" port = 1 }');
  agent.child.kill("SIGHUP");
  await eventually(
    "the new service",
    () => passing("new"),
    ({ count }) => count === 1,
  );
  rmSync(join(directory, "config", "new.hcl"));
  agent.child.kill("SIGHUP");
  await eventually(
    "it is gone again",
    () => passing("new"),
    ({ count }) => count === 0,
  );
});
