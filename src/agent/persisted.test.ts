/** Registrations across restarts, on a simulated disk. */
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  HOUR,
  MINUTE,
  SECOND,
  type CheckDefinition,
  type ServiceDefinition,
} from "../model/index.ts";
import { noLogger, type Logger } from "../platform/index.ts";
import { simPlatform, type SimPlatform } from "../platform/sim/index.ts";
import { LocalState } from "./local-state.ts";
import { fileNameOf } from "./persisted-records.ts";
import { openPersisted } from "./persisted.ts";
import { restoreRegistrations } from "./restore.ts";
import { check, localAgentUnderTest, service } from "./testkit.ts";

const API = { origin: "api", replaceExistingChecks: false } as const;
const DATA_DIR = "/data";
const SERVICES = `${DATA_DIR}/services`;
const CHECKS = `${DATA_DIR}/checks`;

interface Configured {
  readonly services: readonly ServiceDefinition[];
  readonly checks: readonly CheckDefinition[];
}
const NOTHING: Configured = { services: [], checks: [] };

/** An agent on this machine's data directory, as it is after its start. */
async function startOn(machine: SimPlatform, configured: Configured = NOTHING, scripts = false) {
  const problems: string[] = [];
  const note = (message: string, fields: object = {}): void =>
    void problems.push(`${message} ${JSON.stringify(fields)}`);
  const logger: Logger = { ...noLogger, error: note, named: () => logger };
  const state = new LocalState(machine.clock);
  const persisted = await openPersisted({ platform: machine, logger, state, dataDir: DATA_DIR });
  const agent = localAgentUnderTest({ scripts, state, persisted });
  const { services } = agent;
  await restoreRegistrations({ services, state, persisted, configured });
  return {
    ...agent,
    problems,
    async stop(): Promise<void> {
      agent.close();
      await persisted[Symbol.asyncDispose]();
    },
  };
}

async function filesIn(machine: SimPlatform, directory: string): Promise<string[]> {
  const entries = (await machine.disk.list(directory)) ?? [];
  return entries.filter(({ kind }) => kind === "file").map(({ name }) => name);
}
const textOf = async (machine: SimPlatform, path: string): Promise<string> =>
  new TextDecoder().decode(await machine.disk.read(path));
async function put(machine: SimPlatform, path: string, text: string): Promise<void> {
  await machine.disk.makeDirectory(path.slice(0, path.lastIndexOf("/")));
  await machine.disk.replace(path, new TextEncoder().encode(text));
}

const web = service({
  ID: "web1",
  Name: "web",
  Tags: ["a"],
  Port: 80,
  Address: "10.0.0.1",
  Meta: { a: "b" },
  Checks: [
    check({ HTTP: "http://127.0.0.1:1/", Interval: 10 * SECOND, Header: { X: ["1"] } }),
    check({ TTL: 60 * SECOND, Notes: "n", DeregisterCriticalServiceAfter: 2 * HOUR }),
  ],
});

const recorded = JSON.parse(
  readFileSync(new URL("testdata/consul-data-dir.json", import.meta.url), "utf8"),
) as Readonly<Record<string, string>>;

test("the same registrations leave the files of Consul 1.8.7, byte for byte", async () => {
  const machine = simPlatform({ seed: 1 });
  const agent = await startOn(machine);
  await agent.services.registerService(web, API);
  await agent.services.registerCheck(check({ Name: "mem", TTL: 10 * MINUTE }), "api");
  await agent.services.setNodeMaintenance(true, "r");
  await agent.services.setServiceMaintenance("web1", true, "");
  for (const [path, text] of Object.entries(recorded)) {
    if (path.startsWith("checks/state/")) continue;
    const ours = await textOf(machine, `${DATA_DIR}/${path}`);
    // The one difference: a check inside a service carries the ID and the name that it was given.
    const normal = ours
      .replace(/"ChkType":\{"CheckID":"[^"]*"/, '"ChkType":{"CheckID":""')
      .replace(/("ChkType":\{"CheckID":"","Name":)"Service 'web' check"/, '$1""')
      .replace('"Node":"n1"', '"Node":"x"');
    expect(normal, path).toBe(text);
  }
  expect(await filesIn(machine, SERVICES)).toHaveLength(1);
  expect(await filesIn(machine, CHECKS)).toHaveLength(5);
  await agent.stop();
});

test("what Consul 1.8.7 left is taken over, TTL states that have not expired included", async () => {
  const machine = simPlatform({ seed: 1 });
  for (const [path, text] of Object.entries(recorded)) {
    const expiresS = Math.floor(machine.clock.wallMs() / 1_000) + 5;
    await put(
      machine,
      `${DATA_DIR}/${path}`,
      text.replace(/"Expires":\d+/, `"Expires":${expiresS}`),
    );
  }
  const agent = await startOn(machine);
  expect(agent.problems).toEqual([]);
  expect(agent.state.services.get("web1")).toMatchObject({
    origin: "api",
    service: { Service: "web", Tags: ["a"], Port: 80, Meta: { a: "b" } },
  });
  const shown = [...agent.state.checks.values()].map(
    ({ check: { CheckID, Type, Status, Output, Notes } }) =>
      `${CheckID} ${Type} ${Status} ${Output || Notes.slice(0, 16)}`.trim(),
  );
  expect(shown.sort()).toEqual([
    "_node_maintenance maintenance critical r",
    "_service_maintenance:web1 maintenance critical Maintenance mode",
    "mem ttl passing hello",
    "service:web1:1 http critical",
    "service:web1:2 ttl critical n",
  ]);
  expect(agent.runners.counts).toEqual({ checks: 3, ttlChecks: 2, monitors: 1 });
  await agent.stop();
});

test("a restart brings back what the API registered and has not deregistered", async () => {
  const machine = simPlatform({ seed: 1 });
  const first = await startOn(machine);
  await first.services.registerService(web, API);
  await first.services.registerService(
    service({ Name: "gone", Check: check({ TTL: SECOND }) }),
    API,
  );
  await first.services.updateTtl("service:web1:2", "warning", "hum");
  await first.services.updateTtl("service:gone", "passing", "up");
  await first.services.deregisterService("gone");
  const kept = first.state.services.get("web1")?.service;
  await first.stop();

  const second = await startOn(machine);
  expect([...second.state.services.keys()]).toEqual(["web1"]);
  expect(second.state.services.get("web1")?.service).toEqual(kept);
  expect(second.state.checks.get("service:web1:1")?.check).toMatchObject({ Status: "critical" });
  expect(second.state.checks.get("service:web1:2")?.check).toMatchObject({
    Status: "warning",
    Output: "hum",
    ServiceTags: ["a"],
  });
  expect(second.state.checks.get("service:web1:2")?.deregisterAfterMs).toBe(7_200_000);
  expect(await filesIn(machine, `${CHECKS}/state`)).toEqual([fileNameOf("service:web1:2")]);
  await second.services.deregisterService("web1");
  for (const directory of [SERVICES, CHECKS, `${CHECKS}/state`]) {
    expect(await filesIn(machine, directory)).toEqual([]);
  }
  await second.stop();
});

test("what Consul 1.8.7 does not know survives, where that does not disturb it", async () => {
  const machine = simPlatform({ seed: 1 });
  const refined = check({
    Name: "refined",
    HTTP: "https://127.0.0.1:1/",
    Interval: SECOND,
    TLSServerName: "web",
    DisableRedirects: true,
    FailuresBeforeWarning: 1,
    FailuresBeforeCritical: 2,
    StartPeriod: MINUTE,
    InitialDelay: SECOND,
  });
  const ping = check({
    Name: "ping",
    H2PING: "127.0.0.1:1",
    H2PingUseTLS: false,
    Interval: SECOND,
    TLSServerName: "web",
  });
  const first = await startOn(machine);
  await first.services.registerCheck(refined, "api");
  await first.services.registerCheck(ping, "api");
  await first.stop();
  const file = JSON.parse(await textOf(machine, `${CHECKS}/${fileNameOf("refined")}`)) as {
    readonly ChkType: object;
  };
  const known = JSON.parse(recorded["checks/1bdaddb7af31f2765e850922014e4548"] ?? "") as {
    readonly ChkType: object;
  };
  expect(Object.keys(file.ChkType)).toEqual(Object.keys(known.ChkType));

  const second = await startOn(machine);
  for (const definition of [refined, ping]) {
    const id = definition.Name;
    expect(second.state.checks.get(id)?.definition).toEqual({ ...definition, CheckID: id });
  }
  await second.stop();
});

test("an expired TTL state is forgotten: the check is critical", async () => {
  const machine = simPlatform({ seed: 1 });
  const first = await startOn(machine);
  await first.services.registerCheck(check({ Name: "mem", TTL: 10 * SECOND }), "api");
  await first.services.updateTtl("mem", "passing", "fine");
  await first.stop();
  await machine.clock.run(10_000);
  const second = await startOn(machine);
  expect(second.state.checks.get("mem")?.check).toMatchObject({ Status: "critical", Output: "" });
  expect(await filesIn(machine, `${CHECKS}/state`)).toEqual([]);
  await second.stop();
});

test("the configuration wins, and the registration of the same ID is forgotten", async () => {
  const machine = simPlatform({ seed: 1 });
  const first = await startOn(machine);
  await first.services.registerService(service({ Name: "web", Port: 1 }), API);
  await first.services.registerService(service({ Name: "api", Port: 2 }), API);
  await first.services.registerCheck(check({ Name: "mem", TTL: MINUTE, Notes: "api" }), "api");
  await first.stop();

  const configured = {
    services: [service({ Name: "web", Port: 10 })],
    checks: [
      check({ Name: "mem", TTL: MINUTE, Notes: "file" }),
      check({ Name: "of-api", TTL: MINUTE, ServiceID: "api" }),
    ],
  };
  const second = await startOn(machine, configured);
  expect(second.state.services.get("web")).toMatchObject({
    origin: "config",
    service: { Port: 10 },
  });
  expect(second.state.checks.get("mem")?.check.Notes).toBe("file");
  expect(second.state.checks.get("of-api")?.check.ServiceName).toBe("api");
  expect(await filesIn(machine, SERVICES)).toEqual([fileNameOf("api")]);
  expect(await filesIn(machine, CHECKS)).toEqual([]);
  await second.services.updateTtl("mem", "passing", "kept");
  await second.stop();

  // Of a configured check, too, the TTL state survives.
  const third = await startOn(machine, configured);
  expect(third.state.checks.get("mem")?.check).toMatchObject({ Status: "passing", Output: "kept" });
  await third.stop();
});

test.each<[string, string, string, RegExp]>([
  ["torn JSON", SERVICES, '{"Token":"","Service":{"ID":"we', /unexpected/i],
  ["no JSON", CHECKS, "\u0000\u0001", /invalid character/],
  ["an empty file", SERVICES, "", /unexpected|EOF/],
  ["another type", SERVICES, '{"Service":[]}', /cannot unmarshal/],
  ["a service without a name", SERVICES, '{"Service":{"ID":"web"}}', /no ID or name/],
  ["a check that has no type", CHECKS, '{"Check":{"CheckID":"c"},"ChkType":{}}', /TTL must be > 0/],
  [
    "a check whose service is not there",
    CHECKS,
    '{"Check":{"CheckID":"c","ServiceID":"no"},"ChkType":{"TTL":1000000000}}',
    /ServiceID \\"no\\" does not exist/,
  ],
  [
    "a script that is not allowed any more",
    CHECKS,
    '{"Check":{"CheckID":"c"},"ChkType":{"ScriptArgs":["a"],"Interval":1000000000}}',
    /Scripts are disabled/,
  ],
  ["a state that is none", `${CHECKS}/state`, '{"CheckID":"c","Status":"any"}', /is no status/],
])("%s is logged and set aside, and the agent starts", async (_what, directory, text, problem) => {
  const machine = simPlatform({ seed: 1 });
  const first = await startOn(machine);
  await first.services.registerService(service({ Name: "good" }), API);
  await first.stop();
  await put(machine, `${directory}/x1`, text);

  const second = await startOn(machine);
  expect([...second.state.services.keys()]).toEqual(["good"]);
  expect(second.state.checks.size).toBe(0);
  expect(second.problems).toEqual([expect.stringMatching(problem)]);
  expect(await filesIn(machine, directory)).not.toContain("x1");
  expect(await textOf(machine, `${directory}/broken/x1`)).toBe(text);
  await second.stop();

  const third = await startOn(machine);
  expect(third.problems).toEqual([]);
  await third.stop();
});

test("a registration that was set aside can be made again", async () => {
  const machine = simPlatform({ seed: 1 });
  const script = check({ Name: "c", ScriptArgs: ["a"], Interval: SECOND });
  const first = await startOn(machine, NOTHING, true);
  await first.services.registerCheck(script, "api");
  await first.stop();
  const second = await startOn(machine);
  expect(await filesIn(machine, CHECKS)).toEqual([]);
  await second.stop();
  const third = await startOn(machine, NOTHING, true);
  await third.services.registerCheck(script, "api");
  expect(await filesIn(machine, CHECKS)).toEqual([fileNameOf("c")]);
  await third.stop();
});

test("files under other names are taken over under ours", async () => {
  const machine = simPlatform({ seed: 1 });
  const first = await startOn(machine);
  await first.services.registerService(service({ Name: "web" }), API);
  await first.services.registerCheck(check({ Name: "mem", TTL: MINUTE }), "api");
  await first.services.updateTtl("mem", "passing", "fine");
  await first.stop();
  for (const [directory, id] of [
    [SERVICES, "web"],
    [CHECKS, "mem"],
    [`${CHECKS}/state`, "mem"],
  ] as const) {
    const path = `${directory}/${fileNameOf(id)}`;
    await put(machine, `${directory}/sha256-of-${id}`, await textOf(machine, path));
    await machine.disk.remove(path);
  }
  const second = await startOn(machine);
  expect(second.problems).toEqual([]);
  expect(second.state.services.has("web")).toBe(true);
  expect(second.state.checks.get("mem")?.check.Status).toBe("passing");
  await second.stop();
  expect(await filesIn(machine, SERVICES)).toEqual([fileNameOf("web")]);
  expect(await filesIn(machine, CHECKS)).toEqual([fileNameOf("mem")]);
  expect(await filesIn(machine, `${CHECKS}/state`)).toEqual([fileNameOf("mem")]);
});

test("a disk that is full refuses the registration, and takes it when there is room", async () => {
  const machine = simPlatform({ seed: 1 });
  const agent = await startOn(machine);
  machine.disk.capacityBytes = 10;
  await expect(agent.services.registerService(web, API)).rejects.toMatchObject({
    code: "disk/failed",
    message: expect.stringContaining("no space left on device") as string,
  });
  machine.disk.capacityBytes = Number.POSITIVE_INFINITY;
  await agent.services.registerService(web, API);
  expect(await filesIn(machine, SERVICES)).toEqual([fileNameOf("web1")]);
  await agent.stop();
});

test("after a power failure every answered registration is there, and no service lost its checks", async () => {
  const step = fc.record({ id: fc.constantFrom("a", "b"), isThere: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 8 }),
      fc.nat({ max: 12 }),
      fc.integer(),
      async (steps, turnsBeforeCrash, seed) => {
        const machine = simPlatform({ seed });
        const first = await startOn(machine);
        const answered = new Map<string, boolean>();
        const asked = new Set<string>();
        const running = steps.map(async ({ id, isThere }, at) => {
          asked.add(id);
          const done = isThere
            ? first.services.registerService(
                service({ Name: id, Port: at + 1, Check: check({ TTL: MINUTE }) }),
                API,
              )
            : first.services.deregisterService(id);
          await done.then(
            () =>
              at === steps.findLastIndex((other) => other.id === id) && answered.set(id, isThere),
            () => undefined,
          );
        });
        for (let turn = 0; turn < turnsBeforeCrash; turn += 1) await Promise.resolve();
        const promised = new Map(answered);
        machine.disk.crash();
        await Promise.all(running);
        await first.stop();

        const second = await startOn(machine);
        for (const id of asked) {
          const isThere = second.state.services.has(id);
          if (promised.has(id)) expect(isThere).toBe(promised.get(id));
          if (isThere) expect(second.state.checks.has(`service:${id}`)).toBe(true);
        }
        await second.stop();
      },
    ),
    { numRuns: 60 },
  );
});

test("without a data directory nothing is kept", async () => {
  const machine = simPlatform({ seed: 1 });
  const state = new LocalState(machine.clock);
  const persisted = await openPersisted({
    platform: machine,
    logger: noLogger,
    state,
    dataDir: "",
  });
  await persisted.follow({ services: ["a"], checks: ["b"] });
  expect(await machine.disk.list("/")).toEqual([]);
});
