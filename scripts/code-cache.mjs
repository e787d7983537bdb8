/**
 * Records the bytecode of the bundled command, for bin/launch.cjs: runs an agent for a moment, asks it for what agents
 * are asked for, and writes down what V8 has compiled by then. Whoever starts that agent compiles nothing of it again.
 */
import { createSocket } from "node:dgram";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { join } from "node:path";

const { CACHE_DIR, DIR, load, loaded } = createRequire(import.meta.url)("../bin/launch.cjs");

const HOST = "127.0.0.1";
const DEADLINE_MS = 20_000;

/** Ports that were free a moment ago, all different. */
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, HOST));
  await Promise.all(servers.map((server) => new Promise((done) => server.once("listening", done))));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

const [httpPort, dnsPort, ...others] = await freePorts(5);
const connections = new Agent({ keepAlive: true });

function ask(method, path, body) {
  return new Promise((resolve, reject) => {
    const options = { host: HOST, port: httpPort, method, path: `/v1/${path}`, agent: connections };
    const asked = request(options, (answer) => {
      answer.resume().on("end", () => resolve(answer.statusCode));
    });
    asked.on("error", reject).end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** A question of DNS about the service `web`: header, name, type, class IN. */
function askDns(type) {
  const labels = ["web", "service", "consul", ""];
  const name = labels.map((label) => String.fromCharCode(label.length) + label).join("");
  const head = Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  const question = Buffer.concat([head, Buffer.from(name, "latin1"), Buffer.from([0, type, 0, 1])]);
  const socket = createSocket("udp4");
  return new Promise((resolve) => {
    socket.once("message", () => socket.close(resolve));
    socket.send(question, dnsPort, HOST);
  });
}

async function untilAnswers() {
  const endMs = Date.now() + DEADLINE_MS;
  while ((await ask("GET", "status/leader").catch(() => 0)) !== 200) {
    if (Date.now() > endMs) throw new Error("the agent does not answer");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const ROUNDS = 3;
const service = (port) => ({ Name: "web", Port: port, Tags: ["v1"], Meta: { version: "1" } });

async function use(round) {
  const held = ask("GET", "kv/a/key?index=1&wait=1s");
  await ask("PUT", "kv/a/key", round);
  await held;
  for (const query of ["a/key", "a/key?raw", "a/key?consistent", "a/?recurse", "a/?keys", "none"]) {
    await ask("GET", `kv/${query}`);
  }
  await ask("PUT", "agent/service/register", {
    ...service(round),
    Check: { TTL: "30s", Status: "passing" },
  });
  await ask("PUT", "agent/check/pass/service:web", undefined);
  await ask("PUT", "catalog/register", {
    Node: "n",
    Address: HOST,
    Service: service(round),
    Check: { Name: "c", Status: "passing", ServiceID: "web" },
  });
  for (const path of [
    "agent/services",
    "agent/checks",
    "catalog/nodes",
    "catalog/services",
    "catalog/service/web",
    "catalog/node/n",
    "health/service/web?passing",
    "health/service/web?index=1&wait=1s",
    "health/node/n",
    "session/list",
  ]) {
    await ask("GET", path);
  }
  for (const type of [1, 33]) await askDns(type);
  const KV = { Verb: "set", Key: "a/txn", Value: "eA==" };
  await ask("PUT", "txn", [{ KV }]);
  await ask("PUT", "txn", [{ KV: { Verb: "get", Key: "a/txn" } }]);
  await ask("PUT", "session/create", { Name: "s", TTL: "10s" });
  await ask("PUT", "agent/service/deregister/web", undefined);
  await ask("PUT", "catalog/deregister", { Node: "n" });
  await ask("DELETE", "kv/a/?recurse", undefined);
}

const flags = [`-http-port=${httpPort}`, `-dns-port=${dnsPort}`];
for (const [i, name] of ["server", "serf-lan", "serf-wan"].entries()) {
  flags.push(`-${name}-port=${others[i]}`);
}
process.argv.splice(1, Infinity, "rollcall", "agent", "-dev", "-log-level=warn", ...flags);
load("rollcall.cjs");
await untilAnswers();
for (let round = 1; round <= ROUNDS; round++) await use(round);
// The other commands: what runs when they are loaded.
for (const name of readdirSync(DIR)) if (name.endsWith(".cjs")) load(name);
mkdirSync(CACHE_DIR, { recursive: true });
for (const [name, { script }] of loaded) {
  writeFileSync(join(CACHE_DIR, name), script.createCachedData());
}
process.exit(0);
