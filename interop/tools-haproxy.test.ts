/**
 * HAProxy fills its backends from our DNS (`resolvers`, `server-template`): instances that come and go, by SRV and by
 * address, over UDP and over TCP. Its stats socket tells which it has, and its frontend that they can be reached.
 */
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Agent } from "../src/agent/index.ts";
import { Program, agentAt, eventually, http } from "./testkit.ts";

const AGENT = "127.0.0.133";
const HAPROXY = "127.0.0.134";
const FRONTEND_PORT = 18_134;
const FIRST = { ID: "web-1", Address: "127.0.0.135", Port: 18_135 };
const SECOND = { ID: "web-2", Address: "127.0.0.136", Port: 18_136 };
const API_PORT = 18_137;
/** At addresses of their own: HAProxy takes two instances at one address, whatever their ports. */
const SIXTY = 60;

const directory = mkdtempSync(join(tmpdir(), "rollcall-haproxy-"));
const statsSocket = join(directory, "stats");
let agent: Agent;
let haproxy: Program;
const servers: Server[] = [];

const resolvers = (name: string, nameserver: string): string => `
resolvers ${name}
  nameserver agent ${nameserver}
  accepted_payload_size 8192
  timeout resolve 200ms
  timeout retry 200ms
  hold valid 200ms
  hold nx 200ms
  hold obsolete 200ms
`;
const CONFIG = `
global
  stats socket ${statsSocket} mode 600 level admin
defaults
  mode http
  timeout connect 2s
  timeout client 5s
  timeout server 5s
  default-server init-addr none resolve-prefer ipv4
${resolvers("udp", `${AGENT}:8600`)}
${resolvers("tcp", `tcp@${AGENT}:8600`)}
frontend front
  bind ${HAPROXY}:${FRONTEND_PORT}
  default_backend by_srv
backend by_srv
  balance roundrobin
  server-template web 4 _web._tcp.service.consul resolvers udp
backend by_address
  server-template api 4 api.service.consul:${API_PORT} resolvers udp
backend by_tcp
  server-template many ${SIXTY} _many._tcp.service.consul resolvers tcp
`;

/** `address:port` of the backend's servers that are up, sorted. */
async function up(backend: string): Promise<readonly string[]> {
  const socket = connect(statsSocket);
  socket.write("show stat\n");
  const [header = "", ...lines] = (await text(socket)).replace(/^# /, "").trim().split("\n");
  const names = header.split(",");
  const rows = lines.map((line) => {
    const fields = line.split(",");
    return (name: string): string => fields[names.indexOf(name)] ?? "";
  });
  return rows
    .filter((field) => field("pxname") === backend && field("svname") !== "BACKEND")
    .filter((field) => !field("status").startsWith("MAINT"))
    .map((field) => field("addr"))
    .sort();
}
const becomes = (backend: string, wanted: readonly string[]): Promise<readonly string[]> =>
  eventually(
    `${backend} is ${wanted.join(" ")}`,
    () => up(backend),
    (found) => found.join(" ") === wanted.join(" "),
    10_000,
  );
const addressOf = ({ Address, Port }: { Address: string; Port: number }): string =>
  `${Address}:${Port}`;

const put = async (path: string, body: object | string = ""): Promise<void> => {
  const sent = typeof body === "string" ? body : JSON.stringify(body);
  expect((await http(AGENT, path, { method: "PUT", body: sent })).status).toBe(200);
};
const register = (Name: string, instance: { ID: string; Address: string; Port: number }) =>
  put("/v1/agent/service/register", {
    Name,
    ...instance,
    Check: { CheckID: instance.ID, TTL: "60s", Status: "passing" },
  });

/** Who answers through the frontend. */
async function answering(): Promise<string> {
  const answer = await fetch(`http://${HAPROXY}:${FRONTEND_PORT}/`);
  return answer.status === 200 ? answer.text() : String(answer.status);
}

beforeAll(async () => {
  agent = await agentAt(AGENT, ["-node=here"]);
  for (const { ID, Address, Port } of [FIRST, SECOND]) {
    const server = createServer((_request, response) => response.end(ID));
    server.listen(Port, Address);
    await once(server, "listening");
    servers.push(server);
  }
  writeFileSync(join(directory, "haproxy.cfg"), CONFIG);
  haproxy = new Program(["haproxy", "-db", "-f", join(directory, "haproxy.cfg")]);
  await eventually(
    "HAProxy answers",
    () => up("by_srv"),
    () => true,
  );
});
afterAll(async () => {
  await haproxy[Symbol.asyncDispose]();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await agent[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

test("instances come and go by SRV, and requests reach those that are there", async () => {
  expect(await up("by_srv")).toEqual([]);
  expect(await answering()).toBe("503");

  await register("web", FIRST);
  await becomes("by_srv", [addressOf(FIRST)]);
  expect(await answering()).toBe(FIRST.ID);

  await register("web", SECOND);
  await becomes("by_srv", [addressOf(FIRST), addressOf(SECOND)]);
  const both = [await answering(), await answering()];
  expect(both.sort()).toEqual([FIRST.ID, SECOND.ID]);

  await put(`/v1/agent/check/fail/${FIRST.ID}`);
  await becomes("by_srv", [addressOf(SECOND)]);
  expect([await answering(), await answering()]).toEqual([SECOND.ID, SECOND.ID]);

  await put(`/v1/agent/check/pass/${FIRST.ID}`);
  await becomes("by_srv", [addressOf(FIRST), addressOf(SECOND)]);

  await put(`/v1/agent/service/deregister/${SECOND.ID}`);
  await becomes("by_srv", [addressOf(FIRST)]);
  await put(`/v1/agent/service/deregister/${FIRST.ID}`);
  await becomes("by_srv", []);
});

test("instances come and go by address", async () => {
  const [one, two] = ["127.0.0.137", "127.0.0.138"].map((Address, i) => ({
    ID: `api-${i}`,
    Address,
    Port: API_PORT,
  })) as [typeof FIRST, typeof FIRST];
  await register("api", one);
  await register("api", two);
  // Slots beyond the instances share addresses with them.
  await eventually(
    "both addresses are used",
    () => up("by_address"),
    (found) => new Set(found).size === 2 && [one, two].every((it) => found.includes(addressOf(it))),
  );
  await put(`/v1/agent/service/deregister/${one.ID}`);
  await eventually(
    "one address is left",
    () => up("by_address"),
    (found) => found.length > 0 && found.every((address) => address === addressOf(two)),
  );
  await put(`/v1/agent/service/deregister/${two.ID}`);
  await becomes("by_address", []);
});

test("sixty instances come and go over TCP", async () => {
  const instances = Array.from({ length: SIXTY }, (_, i) => ({
    ID: `many-${i}`,
    Address: `10.9.0.${i}`,
    Port: 80,
  }));
  for (const instance of instances) await register("many", instance);
  await becomes("by_tcp", instances.map(addressOf).sort());
  for (const { ID } of instances.slice(1)) await put(`/v1/agent/service/deregister/${ID}`);
  await becomes("by_tcp", instances.slice(0, 1).map(addressOf));
});
