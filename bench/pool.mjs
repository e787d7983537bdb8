/**
 * Many agents on one machine in one gossip pool: how long until all see all, what they cost while nothing happens,
 * and how long until all see one that was killed. The same for Rollcall and for Consul, one after the other.
 *
 *     node bench/pool.mjs [--agents 50] [--kills 3] [--only rollcall|consul] [--consul PATH]
 *
 * Agents take 127.9.0.1, 127.9.0.2 and so on, with the LAN's timing; every agent joins the first. Consul's run as
 * clients, Rollcall's as servers that nobody asks: gossip is the same for both.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    agents: { type: "string", default: "50" },
    kills: { type: "string", default: "3" },
    only: { type: "string" },
    consul: { type: "string", default: "consul" },
  },
});
const AGENTS = Number(values.agents);
const KILLS = Number(values.kills);
const POLL_MS = 100;
const IDLE_MS = 10_000;
const LIMIT_MS = 120_000;
const ALIVE = 1;
const FAILED = 4;
const TICKS_PER_S = 100;
const LAN = JSON.stringify({
  gossip_lan: {
    gossip_interval: "200ms",
    probe_interval: "1s",
    probe_timeout: "500ms",
    suspicion_mult: 4,
  },
});

const rollcall = fileURLToPath(new URL("../bin/rollcall", import.meta.url));
const address = (i) => `127.9.0.${i + 1}`;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const PROGRAMS = {
  rollcall: () => [rollcall, "agent", "-dev"],
  consul: (directory, i) => [values.consul, "agent", `-data-dir=${join(directory, String(i))}`],
};

function members(host) {
  return new Promise((resolve, reject) => {
    const sent = request({ host, port: 8500, path: "/v1/agent/members", timeout: 5000 }, (answer) => {
      let text = "";
      answer.on("data", (chunk) => (text += chunk));
      answer.on("end", () => resolve(JSON.parse(text)));
      answer.on("error", reject);
    });
    sent.on("error", reject);
    sent.on("timeout", () => sent.destroy(new Error("timeout")));
    sent.end();
  });
}

async function until(what, isTrue) {
  const end = performance.now() + LIMIT_MS;
  while (performance.now() < end) {
    if (await isTrue()) return;
    await sleep(POLL_MS);
  }
  throw new Error(`never: ${what}`);
}

const countOf = (list, status) => list.filter(({ Status }) => Status === status).length;
const cpuSeconds = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
};

async function measure(name) {
  const directory = mkdtempSync(join(tmpdir(), "pool-"));
  const agents = [];
  try {
    const startedAt = performance.now();
    for (let i = 0; i < AGENTS; i += 1) {
      const [command, ...argv] = PROGRAMS[name](directory, i);
      const joins = i === 0 ? [] : [`-retry-join=${address(0)}`, "-retry-interval=1s"];
      const child = spawn(
        command,
        [
          ...argv,
          ...[`-bind=${address(i)}`, `-client=${address(i)}`, `-node=agent-${i}`],
          ...["-log-level=err", "-disable-host-node-id", `-hcl=${LAN}`, ...joins],
        ],
        { stdio: "ignore" },
      );
      agents.push({ child, host: address(i), name: `agent-${i}` });
    }
    const all = async (list, isTrue) => {
      for (const { host } of list) {
        const seen = await members(host).catch(() => []);
        if (!isTrue(seen)) return false;
      }
      return true;
    };
    await until("all answer", () => all(agents, (seen) => seen.length > 0));
    const answered = performance.now();
    await until("all see all", () => all(agents, (seen) => countOf(seen, ALIVE) === AGENTS));
    const formed = performance.now();
    console.log(`${name}: ${AGENTS} agents answer after ${ms(answered - startedAt)}`);
    console.log(`${name}: one pool after ${ms(formed - startedAt)}, ${ms(formed - answered)} after the last answered`);

    const before = agents.map(({ child }) => cpuSeconds(child.pid));
    await sleep(IDLE_MS);
    const used = agents.map(({ child }, i) => cpuSeconds(child.pid) - before[i]);
    const percent = used.map((seconds) => (seconds / (IDLE_MS / 1000)) * 100).sort((a, b) => a - b);
    const mean = percent.reduce((sum, each) => sum + each, 0) / percent.length;
    console.log(`${name}: idle, each ${mean.toFixed(2)} % of a core, at most ${percent.at(-1).toFixed(2)} %`);

    for (let kill = 1; kill <= KILLS; kill += 1) {
      const victim = agents.pop();
      const killedAt = performance.now();
      victim.child.kill("SIGKILL");
      let first = 0;
      let falseFailures = 0;
      await until("all see it failed", async () => {
        let seenBy = 0;
        for (const { host } of agents) {
          const seen = await members(host);
          falseFailures += countOf(seen, FAILED) > kill ? 1 : 0;
          if (seen.find(({ Name }) => Name === victim.name)?.Status === FAILED) seenBy += 1;
        }
        if (seenBy > 0 && first === 0) first = performance.now();
        return seenBy === agents.length;
      });
      const done = performance.now();
      console.log(
        `${name}: kill -9 ${kill}: first sees it failed after ${ms(first - killedAt)}, all after ${ms(done - killedAt)}, false failures ${falseFailures}`,
      );
    }
  } finally {
    for (const { child } of agents) child.kill("SIGKILL");
    rmSync(directory, { recursive: true });
  }
}

const ms = (duration) => `${Math.round(duration)} ms`;
for (const name of values.only === undefined ? ["consul", "rollcall"] : [values.only]) await measure(name);
