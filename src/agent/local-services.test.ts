/** Registrations with the agent and how the catalog follows them, in virtual time. */
import { expect, test } from "vitest";
import { registration } from "../endpoints/testkit.ts";
import { MINUTE, SECOND } from "../model/index.ts";
import { registerConfigured } from "./configured.ts";
import { CHECK_UPDATE_INTERVAL_MS, check, localAgentUnderTest, service } from "./testkit.ts";

const API = { origin: "api", replaceExistingChecks: false } as const;
const web = service({ Name: "web", Port: 80, Check: check({ TTL: 10 * SECOND }) });

test("a registered service is in the catalog, with its check, when the call returns", async () => {
  const agent = localAgentUnderTest();
  await agent.services.registerService(web, API);
  expect(await agent.catalog("web")).toMatchObject([
    { Node: "n1", ServiceID: "web", ServicePort: 80, NodeMeta: { rack: "r1" } },
  ]);
  expect(await agent.catalogChecks()).toMatchObject([
    {
      CheckID: "service:web",
      Name: "Service 'web' check",
      Status: "critical",
      ServiceID: "web",
      Type: "ttl",
    },
  ]);
  agent.close();
  expect(agent.platform.clock.timerCount).toBe(0);
});

test("a TTL check passes when it is told to, and is critical again when its time is over", async () => {
  const agent = localAgentUnderTest();
  await agent.services.registerService(web, API);
  await agent.services.updateTtl("service:web", "passing", "fine");
  expect(await agent.catalogChecks()).toMatchObject([{ Status: "passing", Output: "fine" }]);
  await agent.platform.clock.run(9_999);
  expect(await agent.catalogChecks()).toMatchObject([{ Status: "passing" }]);
  await agent.platform.clock.run(1);
  expect(await agent.catalogChecks()).toMatchObject([
    {
      Status: "critical",
      Output: "TTL expired (last output before timeout follows): fine",
    },
  ]);
  agent.close();
});

test("a new output alone is told later, between half and one and a half update intervals", async () => {
  const agent = localAgentUnderTest();
  const patient = service({ Name: "web", Check: check({ TTL: 60 * MINUTE }) });
  await agent.services.registerService(patient, API);
  await agent.services.updateTtl("service:web", "passing", "one");
  await agent.services.updateTtl("service:web", "passing", "two");
  expect(agent.state.checks.get("service:web")?.check.Output).toBe("two");
  expect(await agent.catalogChecks()).toMatchObject([{ Output: "one" }]);
  await agent.platform.clock.run(CHECK_UPDATE_INTERVAL_MS / 2 - 1);
  expect(await agent.catalogChecks()).toMatchObject([{ Output: "one" }]);
  await agent.platform.clock.run(CHECK_UPDATE_INTERVAL_MS + 1);
  expect(await agent.catalogChecks()).toMatchObject([{ Output: "two" }]);
  agent.close();
});

test("registering again keeps a check's status and the checks that are not mentioned", async () => {
  const agent = localAgentUnderTest();
  await agent.services.registerService(web, API);
  await agent.services.registerCheck(
    check({ CheckID: "extra", Name: "extra", ServiceID: "web", TTL: MINUTE }),
    "api",
  );
  await agent.services.updateTtl("service:web", "passing", "fine");
  await agent.services.registerService({ ...web, Port: 81 }, API);
  expect(await agent.catalog("web")).toMatchObject([{ ServicePort: 81 }]);
  expect(await agent.catalogChecks()).toMatchObject([
    { CheckID: "extra" },
    { CheckID: "service:web", Status: "passing", Output: "fine" },
  ]);
  await agent.services.registerService(web, { ...API, replaceExistingChecks: true });
  expect(await agent.catalogChecks()).toMatchObject([{ CheckID: "service:web" }]);
  agent.close();
});

test("what the agent does not know of its node goes from the catalog with the next full sync", async () => {
  const agent = localAgentUnderTest();
  agent.server.apply({
    type: "Register",
    body: registration("n1", {
      service: { ID: "stray", Service: "stray" },
      checks: [
        { CheckID: "stray", Status: "passing" },
        { CheckID: "serfHealth", Status: "passing" },
      ],
    }),
  });
  agent.server.apply({
    type: "Register",
    body: registration("n1", { service: { ID: "consul", Service: "consul" } }),
  });
  await agent.antiEntropy.start();
  expect(await agent.catalog("stray")).toEqual([]);
  expect(await agent.catalog("consul")).toHaveLength(1);
  expect((await agent.catalogChecks()).map(({ CheckID }) => CheckID)).toEqual(["serfHealth"]);
  agent.close();
});

test("what was lost in the catalog comes back within two minutes; what agrees is not written again", async () => {
  const agent = localAgentUnderTest();
  await agent.services.registerService(service({ Name: "web" }), API);
  await agent.antiEntropy.start();
  const before = agent.server.store.lastIndex;
  await agent.platform.clock.run(120_000);
  expect(agent.server.store.lastIndex).toBe(before);
  agent.server.apply({
    type: "Deregister",
    body: { Datacenter: "dc1", Node: "n1", ServiceID: "web", CheckID: "" },
  });
  await agent.platform.clock.run(120_000);
  expect(await agent.catalog("web")).toHaveLength(1);
  agent.close();
});

test("a registration stands although the catalog cannot be told, and is told when it can", async () => {
  const agent = localAgentUnderTest();
  await agent.antiEntropy.start();
  agent.faults.next = new Error("No cluster leader");
  await agent.services.registerService(service({ Name: "web" }), API);
  expect(agent.state.services.has("web")).toBe(true);
  expect(await agent.catalog("web")).toEqual([]);
  agent.faults.next = undefined;
  await agent.platform.clock.run(120_000);
  expect(await agent.catalog("web")).toHaveLength(1);
  agent.close();
});

test("EnableTagOverride: the catalog's tags win", async () => {
  const agent = localAgentUnderTest();
  const tagged = service({ Name: "web", Tags: ["mine"], EnableTagOverride: true });
  await agent.services.registerService(tagged, API);
  const told = agent.server.apply({
    type: "Register",
    body: registration("n1", {
      id: "11111111-1111-4111-8111-111111111111",
      service: { ID: "web", Service: "web", Tags: ["theirs"], EnableTagOverride: true },
    }),
  });
  expect(told.kind).toBe("done");
  expect(await agent.catalog("web")).toMatchObject([{ ServiceTags: ["theirs"] }]);
  await agent.antiEntropy.start();
  expect(await agent.catalog("web")).toMatchObject([{ ServiceTags: ["theirs"] }]);
  expect(agent.state.services.get("web")?.service.Tags).toEqual(["theirs"]);
  agent.close();
});

test("a service whose check stays critical for too long is taken away", async () => {
  const agent = localAgentUnderTest();
  const doomed = check({ TTL: 10 * SECOND, DeregisterCriticalServiceAfter: 90 * SECOND });
  await agent.services.registerService(service({ Name: "web", Check: doomed }), API);
  await agent.platform.clock.run(60_000);
  expect(await agent.catalog("web")).toHaveLength(1);
  await agent.platform.clock.run(61_000);
  expect(await agent.catalog("web")).toEqual([]);
  expect(agent.state.checks.size).toBe(0);
  agent.close();
});

test("maintenance mode: one critical check, the first reason stays, and it goes when switched off", async () => {
  const agent = localAgentUnderTest();
  await agent.services.registerService(service({ Name: "web" }), API);
  await agent.services.setServiceMaintenance("web", true, "because");
  await agent.services.setServiceMaintenance("web", true, "another");
  expect(await agent.catalogChecks()).toMatchObject([
    {
      CheckID: "_service_maintenance:web",
      Name: "Service Maintenance Mode",
      Status: "critical",
      Notes: "because",
      ServiceID: "web",
      Type: "maintenance",
    },
  ]);
  await agent.services.setServiceMaintenance("web", false, "");
  expect(await agent.catalogChecks()).toEqual([]);
  await expect(agent.services.setServiceMaintenance("ghost", true, "")).rejects.toThrow(
    'No service registered with ID "ghost"',
  );
  agent.close();
});

test.each([
  [service({}), "Missing service name"],
  [service({ Name: "w", Address: "0.0.0.0" }), "Invalid service address"],
  [
    service({ Name: "w", Weights: { Passing: 0, Warning: 1 } }),
    "Invalid Weights: Passing must be greater than 0",
  ],
  [
    service({ Name: "w", Meta: { "a b": "c" } }),
    "Invalid Service Meta: Couldn't load metadata pair ('a b', 'c'): Key contains invalid characters",
  ],
  [
    service({ Name: "w", Check: check({ HTTP: "http://x/" }) }),
    "Invalid check: Interval must be > 0 for Script, HTTP, or TCP checks",
  ],
  [
    service({ Name: "w", Check: check({ TTL: SECOND, Status: "fine" }) }),
    "Status for checks must 'passing', 'warning', 'critical'",
  ],
  [
    service({ Name: "w", TaggedAddresses: { lan_ipv4: { Address: "::1", Port: 1 } } }),
    'Service tagged address "lan_ipv4" must be a valid ipv4 address',
  ],
  [
    service({ Name: "w", Check: check({ ScriptArgs: ["/bin/true"], Interval: SECOND }) }),
    "Scripts are disabled on this agent from remote calls; to enable, configure 'enable_script_checks' to true",
  ],
])("a bad definition is refused (%#)", async (definition, message) => {
  const agent = localAgentUnderTest();
  await expect(agent.services.registerService(definition, API)).rejects.toThrow(message);
  expect(agent.state.services.size).toBe(0);
  agent.close();
});

test("a TTL update of a check without a TTL is refused", async () => {
  const agent = localAgentUnderTest();
  await expect(agent.services.updateTtl("ghost", "passing", "")).rejects.toThrow(
    'CheckID "ghost" does not have associated TTL',
  );
  agent.close();
});

test("a reload leaves alone what the configuration says as before, and starts anew what it changed", async () => {
  const agent = localAgentUnderTest();
  const probe = (note: string) => check({ Name: "probe", TTL: 10 * SECOND, Notes: note });
  const configured = (note: string, tags: readonly string[]) => ({
    services: [service({ Name: "web", Tags: tags, Check: check({ TTL: 10 * SECOND }) })],
    checks: [probe(note)],
  });
  const reload = (note: string, tags: readonly string[]): Promise<void> =>
    registerConfigured(agent.services, agent.state, configured(note, tags));
  const output = (id: string): string => agent.state.checks.get(id)?.check.Output ?? "";
  await reload("one", ["a"]);
  const before = { ...agent.state.checks.get("probe") };

  await agent.platform.clock.run(6_000);
  await reload("one", ["a"]);
  expect(agent.state.checks.get("probe")).toEqual(before);
  expect([agent.state.unsyncedServices.size, agent.state.unsyncedChecks.size]).toEqual([0, 0]);

  // New tags belong to the check's record; its time goes on.
  await reload("two", ["b"]);
  expect(agent.state.checks.get("service:web")?.check.ServiceTags).toEqual(["b"]);
  expect(agent.state.checks.get("probe")?.check.Notes).toBe("two");
  await agent.platform.clock.run(4_000);
  expect([output("service:web"), output("probe")]).toEqual(["TTL expired", ""]);
  await agent.platform.clock.run(6_000);
  expect(output("probe")).toBe("TTL expired");
  agent.close();
});
