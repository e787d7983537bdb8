/**
 * An agent whose event loop stands still for five seconds, in one pool with real Consul and with one of our own at
 * the LAN's timing: on waking it accuses nobody, and nobody has given it up.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { lineLogger } from "../src/platform/index.ts";
import { nodePlatform } from "../src/platform/node/index.ts";
import { agentWith, eventually, http, Program, ROLLCALL } from "./testkit.ts";

const BLOCKED_MS = 5000;
const ADDRESSES = { real: "127.0.0.146", other: "127.0.0.147", blocked: "127.0.0.148" };
const ALIVE = 1;

const directory = mkdtempSync(join(tmpdir(), "rollcall-blocked-"));
afterAll(() => rmSync(directory, { recursive: true }));

const flags = (name: keyof typeof ADDRESSES): readonly string[] => [
  `-node=${name}`,
  `-bind=${ADDRESSES[name]}`,
  `-client=${ADDRESSES[name]}`,
  `-data-dir=${join(directory, name)}`,
  "-log-level=debug",
];
const server = ["-server", "-bootstrap-expect=1"];

async function aliveAt(address: string): Promise<readonly string[]> {
  const members = (await http(address, "/v1/agent/members")).json() as readonly {
    readonly Name: string;
    readonly Status: number;
  }[];
  return members.flatMap(({ Name, Status }) => (Status === ALIVE ? [Name] : [])).toSorted();
}

const everybodySeesAll = async (): Promise<void> => {
  for (const address of Object.values(ADDRESSES)) {
    await eventually(
      `${address} sees all`,
      () => aliveAt(address),
      (alive) => alive.length === Object.keys(ADDRESSES).length,
      60_000,
    );
  }
};

test("five seconds without a turn of the loop cost nobody his place", async () => {
  await using real = new Program(["consul", "agent", ...flags("real")]);
  const join = `-retry-join=${ADDRESSES.real}`;
  const retry = ["-retry-interval=1s", join];
  await using other = new Program([ROLLCALL, "agent", ...server, ...flags("other"), ...retry]);
  const lines: string[] = [];
  const platform = nodePlatform();
  const logger = lineLogger({
    level: "debug",
    json: false,
    write: (line) => lines.push(line),
    clock: platform.clock,
  });
  const argv = [...server, ...flags("blocked"), ...retry];
  await using _blocked = await agentWith(argv, { platform, logger });
  await everybodySeesAll();

  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BLOCKED_MS);
  const wokeAt = performance.now();
  // As long as a probe of ours that was under way takes to come to its verdict, and a suspicion to its end.
  await eventually(
    "the others have probed it again",
    async () => performance.now() - wokeAt,
    (sinceMs) => sinceMs > 8000,
  );
  await everybodySeesAll();

  const accusations = lines.filter((line) => /Suspect .* has failed|as failed/.test(line));
  expect(accusations).toEqual([]);
  for (const { output } of [real, other]) expect(output).not.toMatch(/EventMemberFailed/);
}, 120_000);
