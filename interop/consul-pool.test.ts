/**
 * One encrypted LAN pool of a real Consul server, a real Consul client, and two of our agents: all see the same
 * members, events reach everybody, keys are rotated from either side, and whoever dies, returns or leaves is seen
 * to by all.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, http, Program, ROLLCALL, run } from "./testkit.ts";

const KEY = randomBytes(32).toString("base64");
const NEXT_KEY = randomBytes(16).toString("base64");
const STATUSES = ["none", "alive", "leaving", "left", "failed"];
const REAL = { server: "127.0.0.141", client: "127.0.0.142" };
const OURS = { first: "127.0.0.143", second: "127.0.0.144" };
const ALL = { ...REAL, ...OURS };

const directory = mkdtempSync(join(tmpdir(), "rollcall-pool-"));
const running = new Map<string, Program>();
afterAll(async () => {
  for (const program of running.values()) await program[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

function start(name: keyof typeof ALL): Program {
  const address = ALL[name];
  const shared = [`-node=${name}`, `-bind=${address}`, `-client=${address}`, `-encrypt=${KEY}`];
  const argv: Record<keyof typeof ALL, readonly string[]> = {
    server: ["consul", "agent", "-dev", ...shared],
    client: [
      "consul",
      "agent",
      `-data-dir=${join(directory, "client")}`,
      "-disable-keyring-file",
      `-retry-join=${REAL.server}`,
      "-retry-interval=1s",
      ...shared,
    ],
    first: [ROLLCALL, "agent", "-dev", ...shared, `-retry-join=${REAL.server}`],
    second: [ROLLCALL, "agent", "-dev", ...shared, `-join=${OURS.first}`],
  };
  const program = new Program(argv[name]);
  running.set(name, program);
  return program;
}

async function statuses(at: string): Promise<Record<string, string | undefined>> {
  const members = (await http(at, "/v1/agent/members")).json() as readonly {
    readonly Name: string;
    readonly Status: number;
  }[];
  return Object.fromEntries(members.map(({ Name, Status }) => [Name, STATUSES[Status]]));
}

/** Of all agents but those that are gone. */
const observers = (gone: readonly string[] = []): readonly string[] =>
  Object.entries(ALL).flatMap(([name, address]) => (gone.includes(name) ? [] : [address]));

async function allSee(
  wanted: Partial<Record<keyof typeof ALL, string>>,
  gone: readonly string[] = [],
): Promise<void> {
  for (const at of observers(gone)) {
    await eventually(
      `${at} sees ${JSON.stringify(wanted)}`,
      () => statuses(at),
      (seen) => Object.entries(wanted).every(([name, status]) => seen[name] === status),
      60_000,
    );
  }
}

const EVERYBODY = { server: "alive", client: "alive", first: "alive", second: "alive" } as const;

beforeAll(async () => {
  start("server");
  await eventually(
    "the server answers",
    () => http(REAL.server, "/v1/agent/self"),
    ({ status }) => status === 200,
  );
  start("client");
  start("first");
  await eventually(
    "ours answers",
    () => statuses(OURS.first),
    (seen) => seen["server"] === "alive",
  );
  start("second");
  await allSee(EVERYBODY);
}, 60_000);

const COMMANDS = { consul: "consul", rollcall: ROLLCALL };

test.each(["consul", "rollcall"] as const)(
  "`%s members` prints one table, whichever agent is asked",
  async (command) => {
    const table = async (at: string): Promise<string> =>
      (await run([COMMANDS[command], "members", `-http-addr=${at}:8500`])).stdout;
    const expected = await table(REAL.server);
    expect(expected).toMatch(
      /^first +127\.0\.0\.143:8301 +alive +server +1\.8\.7 +2 +dc1 +<all>$/m,
    );
    expect(expected).toMatch(
      /^client +127\.0\.0\.142:8301 +alive +client +1\.8\.7 +2 +dc1 +<default>$/m,
    );
    for (const at of observers()) expect(await table(at)).toBe(expected);
  },
);

test.each([
  ["a real agent's", REAL.server],
  ["our", OURS.second],
])("%s event reaches every agent", async (_, at) => {
  const fired = await http(at, "/v1/event/fire/deploy", { method: "PUT", body: "payload-1" });
  const { ID } = fired.json() as { readonly ID: string };
  for (const observer of observers()) {
    const events = await eventually(
      `${observer} has the event`,
      async () => (await http(observer, "/v1/event/list")).json() as readonly { ID: string }[],
      (list) => list.some((event) => event.ID === ID),
    );
    expect(events.find((event) => event.ID === ID)).toMatchObject({
      Name: "deploy",
      Payload: Buffer.from("payload-1").toString("base64"),
    });
  }
});

describe("keys", () => {
  const keyring = async (
    command: keyof typeof COMMANDS,
    at: string,
    flag: string,
  ): Promise<string> => {
    const done = await run([COMMANDS[command], "keyring", `-http-addr=${at}:8500`, flag]);
    if (done.code !== 0) throw new Error(`${flag}: ${done.stdout}${done.stderr}`);
    return done.stdout;
  };
  const rows: readonly (readonly [keyof typeof COMMANDS, string, string, string])[] = [
    ["rollcall", OURS.first, KEY, NEXT_KEY],
    ["consul", REAL.server, NEXT_KEY, KEY],
  ];
  test.each(rows)(
    "the %s command at %s rotates the pool's key",
    async (command, at, from, to) => {
      await keyring(command, at, `-install=${to}`);
      await keyring(command, at, `-use=${to}`);
      await keyring(command, at, `-remove=${from}`);
      for (const server of [REAL.server, OURS.first, OURS.second]) {
        expect(await keyring(command, server, "-list")).toContain(`${to} [4/4]`);
        expect(await keyring(command, server, "-list")).not.toContain(from);
      }
      await allSee(EVERYBODY);
    },
    60_000,
  );
});

describe("a member that is killed is seen failed by all, and alive when it is back:", () => {
  const rows: readonly (keyof typeof ALL)[] = ["client", "second"];
  test.each(rows)(
    "%s",
    async (name) => {
      await running.get(name)?.end("SIGKILL");
      await allSee({ ...EVERYBODY, [name]: "failed" }, [name]);
      const health = (await http(OURS.first, `/v1/health/node/${name}`)).json();
      expect(health).toMatchObject([{ CheckID: "serfHealth", Status: "critical" }]);
      start(name);
      await allSee(EVERYBODY);
      await eventually(
        "the catalog has it passing again",
        async () =>
          (await http(OURS.first, `/v1/health/node/${name}`)).json() as readonly unknown[],
        (checks) => JSON.stringify(checks).includes('"Status":"passing"'),
      );
    },
    120_000,
  );
});

test("a failed member that is forced to leave has left for all", async () => {
  await running.get("second")?.end("SIGKILL");
  await allSee({ second: "failed" }, ["second"]);
  const forced = await run([ROLLCALL, "force-leave", `-http-addr=${OURS.first}:8500`, "second"]);
  expect(forced).toMatchObject({ code: 0 });
  await allSee({ second: "left" }, ["second"]);
  start("second");
  await allSee(EVERYBODY);
}, 120_000);

test.each(["client", "second"] as const)(
  "%s leaves, and has left for all",
  async (name) => {
    const command = name === "client" ? "consul" : ROLLCALL;
    const left = await run([command, "leave", `-http-addr=${ALL[name]}:8500`]);
    expect(left).toMatchObject({ code: 0, stdout: "Graceful leave complete\n" });
    await allSee({ [name]: "left" }, ["client", name]);
    // With three catalogs in one pool, a client may have told another one of itself while it went.
    if (name === "client") return;
    await eventually(
      "the catalog forgets it",
      async () => (await http(OURS.first, `/v1/catalog/node/${name}`)).body.trim(),
      (body) => body === "null",
    );
  },
  60_000,
);
