/**
 * `src/gossip` alone against real Serf agents: a node of ours, with a layer above that does no more than it must,
 * is a member like any other. It is found, probed, suspected and declared failed, and does the same to them.
 */
import { afterEach, expect, test } from "vitest";
import {
  Keyring,
  LOCAL_PROFILE,
  startGossip,
  type Gossip,
  type GossipMember,
} from "../src/gossip/index.ts";
import { noLogger } from "../src/platform/index.ts";
import { nodePlatform } from "../src/platform/node/index.ts";
import { encodeSerfMessage, encodeTags } from "../src/wire/index.ts";
import { eventually, Program, run } from "./programs.ts";

const PORT = 7946;
const VSN = Uint8Array.of(1, 5, 2, 2, 5, 4);
const KEY = Buffer.from("0123456789abcdef0123456789ABCDEF");
const SERF_A = "127.0.50.11";
const SERF_B = "127.0.50.12";
const OURS = "127.0.50.13";
const signal = new AbortController().signal;

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one[Symbol.asyncDispose]();
});

async function serf(name: string, address: string, ...argv: readonly string[]): Promise<Program> {
  const rpc = `-rpc-addr=${address}:7373`;
  const bind = `-bind=${address}:${PORT}`;
  const program = new Program([
    "serf",
    "agent",
    "-profile=local",
    `-node=${name}`,
    bind,
    rpc,
    ...argv,
  ]);
  open.push(program);
  await eventually(
    "the agent answers",
    () => membersOf(address),
    (members) => members.length > 0,
  );
  return program;
}

/** `name status`, as the agent at `address` sees them. */
async function membersOf(address: string): Promise<string[]> {
  const { stdout, stderr, code } = await run(["serf", "members", `-rpc-addr=${address}:7373`]);
  if (code !== 0) throw new Error(stderr);
  return stdout
    .split("\n")
    .map((line) => line.split(/\s+/))
    .flatMap(([name, , status]) => (name ? [`${name} ${status}`] : []))
    .toSorted();
}

interface Ours {
  readonly gossip: Gossip;
  readonly told: readonly string[];
  /** How often we were pinged, and how often our own pings were answered. */
  readonly pings: { received: number; answered: number };
}

async function ours(keyring?: Keyring): Promise<Ours> {
  const told: string[] = [];
  const pings = { received: 0, answered: 0 };
  const note = (what: string) => (member: GossipMember) =>
    void told.push(`${what} ${member.name} ${member.state}`);
  const state = {
    LTime: 1,
    StatusLTimes: { ours: 1 },
    LeftMembers: [],
    EventLTime: 1,
    Events: [],
    QueryLTime: 1,
  };
  const gossip = await startGossip({
    platform: nodePlatform(),
    logger: noLogger,
    name: "ours",
    bind: { host: OURS, port: PORT },
    vsn: VSN,
    profile: LOCAL_PROFILE,
    ...(keyring && { keyring }),
    delegate: {
      meta: () => encodeTags({ role: "test" }),
      onUserMessage: () => {},
      broadcasts: () => [],
      localState: () => encodeSerfMessage({ kind: "pushPull", body: state }),
      mergeRemoteState: () => {},
      onJoin: note("join"),
      onLeave: note("leave"),
      onUpdate: note("update"),
      onConflict: note("conflict"),
      checkMerge: () => {},
      checkAlive: () => {},
      ackPayload: () => {
        pings.received += 1;
        return undefined;
      },
      onPingAnswered: () => {
        pings.answered += 1;
      },
    },
  });
  open.push(gossip);
  return { gossip, told, pings };
}

const sees = (...members: readonly string[]) => {
  const wanted = JSON.stringify(members.toSorted());
  return (seen: readonly string[]): boolean => JSON.stringify(seen) === wanted;
};

test.each([
  ["plain", [], undefined],
  ["encrypted", [`-encrypt=${KEY.toString("base64")}`], KEY],
] as const)("alive among Serf agents, then failed when it stops: %s", async (_dress, argv, key) => {
  await serf("a", SERF_A, ...argv);
  await serf("b", SERF_B, ...argv);
  const { gossip, told, pings } = await ours(key && new Keyring([key]));
  expect(await gossip.join([SERF_A], { signal })).toBe(1);
  await run(["serf", "join", `-rpc-addr=${SERF_B}:7373`, `${OURS}:${PORT}`]);

  const all = sees("a alive", "b alive", "ours alive");
  for (const address of [SERF_A, SERF_B]) {
    await eventually("all three are alive", () => membersOf(address), all);
  }
  await eventually(
    "we see all three",
    async () => gossip.aliveCount,
    (count) => count === 3,
  );
  const enough = () => Promise.resolve(pings.received >= 4 && pings.answered >= 4);
  await eventually("both sides have probed", enough, (isSo) => isSo);
  expect(await membersOf(SERF_B)).toEqual(["a alive", "b alive", "ours alive"]);
  expect(told.filter((line) => line.startsWith("leave"))).toEqual([]);

  await gossip[Symbol.asyncDispose]();
  for (const address of [SERF_A, SERF_B]) {
    const failed = sees("a alive", "b alive", "ours failed");
    await eventually("it is found to have failed", () => membersOf(address), failed, 30_000);
  }
});

test("a Serf agent that is killed is found dead, one that is stopped refutes, one that leaves has left", async () => {
  const a = await serf("a", SERF_A);
  const b = await serf("b", SERF_B);
  const { gossip, told } = await ours();
  await gossip.join([SERF_A, SERF_B], { signal });
  await eventually(
    "we see all three",
    async () => gossip.aliveCount,
    (count) => count === 3,
  );

  b.child.kill("SIGSTOP");
  await eventually(
    "it is suspected",
    async () => gossip.member("b")?.state,
    (state) => state === "suspect",
    30_000,
  );
  b.child.kill("SIGCONT");
  await eventually(
    "it is alive again",
    async () => gossip.member("b")?.state,
    (state) => state === "alive",
    30_000,
  );
  expect(gossip.member("b")?.incarnation).toBeGreaterThan(1);

  await a.end("SIGINT"); // Which is a farewell.
  await eventually(
    "it has left",
    async () => gossip.member("a")?.state,
    (state) => state === "left",
  );
  await b.end("SIGKILL");
  await eventually(
    "it is dead",
    async () => gossip.member("b")?.state,
    (state) => state === "dead",
    30_000,
  );
  expect(told.filter((line) => line.startsWith("leave"))).toEqual(["leave a left", "leave b dead"]);
});

test("a farewell without Serf's own is a failure to Serf, at once", async () => {
  await serf("a", SERF_A);
  const { gossip } = await ours();
  await gossip.join([SERF_A], { signal });
  await eventually("both are alive", () => membersOf(SERF_A), sees("a alive", "ours alive"));
  await gossip.leave({ timeoutMs: 5000 });
  // What tells the two apart is a leave intent, which is for the layer above to send.
  await eventually("it is gone", () => membersOf(SERF_A), sees("a alive", "ours failed"), 2000);
});
