/** An agent that stops leaves nothing behind: no socket, no timer, no child. */
import { expect, test } from "vitest";
import { agentAt, eventually, http } from "./testkit.ts";

const ADDRESS = "127.0.0.61";
const ROUNDS = 50;

const resources = (): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
};

/** Of this process when nothing that the first agent opened is left: its closed sockets take a turn to go. */
const settledResources = (): Promise<Record<string, number>> =>
  eventually(
    "no socket and no timer is left",
    async () => resources(),
    (now) => Object.keys(now).every((name) => name === "PipeWrap" || name === "Timeout"),
    5000,
  );

test(`an agent started and stopped ${ROUNDS} times in one process leaves no handle`, async () => {
  await using first = await agentAt(ADDRESS);
  await first[Symbol.asyncDispose]();
  const before = await settledResources();
  for (let round = 0; round < ROUNDS; round++) {
    const agent = await agentAt(ADDRESS, ["-enable-script-checks"]);
    const body = JSON.stringify({
      Name: "web",
      Checks: [
        { HTTP: `http://${ADDRESS}:8500/v1/status/leader`, Interval: "1s" },
        { Args: ["sleep", "5"], Interval: "1s" },
        { TTL: "30s" },
      ],
    });
    const registered = await http(ADDRESS, "/v1/agent/service/register", { method: "PUT", body });
    expect(registered.status).toBe(200);
    // A blocking query that is under way when the agent stops.
    const held = http(ADDRESS, "/v1/kv/never?index=1&wait=60s").catch(() => undefined);
    await http(ADDRESS, "/v1/session/create", { method: "PUT", body: '{"TTL":"10s"}' });
    await agent[Symbol.asyncDispose]();
    await held;
  }
  await eventually(
    "no more resources than before",
    async () => resources(),
    (now) => Object.entries(now).every(([name, count]) => count <= (before[name] ?? 0)),
    5000,
  );
}, 120_000);
