/** Which members of the pool end up in the catalog, and how. One row per rule of consul-gossip.md, section 9. */
import { describe, expect, test } from "vitest";
import type { HealthCheck } from "../model/index.ts";
import { noLogger } from "../platform/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { Store } from "../store/index.ts";
import type { Tags } from "../wire/index.ts";
import { storeMachine } from "./fsm.ts";
import { loneLog } from "./lone-log.ts";
import { MemberReconciler } from "./member-reconciler.ts";
import type { PoolMember } from "./pool-member.ts";

const CLIENT: Tags = {
  role: "node",
  dc: "dc1",
  segment: "",
  id: "c1c1c1c1-1111-4111-8111-111111111111",
};
const SERVER: Tags = {
  ...CLIENT,
  role: "consul",
  id: "5e5e5e5e-1111-4111-8111-111111111111",
  port: "8300",
  vsn: "2",
  raft_vsn: "3",
  build: "1.8.7:",
};

const member = (of: Partial<PoolMember> & Pick<PoolMember, "name">): PoolMember => ({
  address: "10.0.0.1",
  tags: CLIENT,
  status: "alive",
  protocol: { current: 2, min: 1, max: 5 },
  ...of,
});

function world() {
  const { clock, random } = simPlatform({ seed: 1 });
  const store = new Store();
  const onApplied = (): void => {};
  const self = { id: "self", address: "10.0.0.1:8300" };
  const { stateMachine } = storeMachine({ store, random, onApplied });
  const log = loneLog({ store, self, stateMachine, onApplied });
  let members: PoolMember[] = [];
  let writes = 0;
  const reconciler = new MemberReconciler({
    clock,
    logger: noLogger,
    store,
    datacenter: "dc1",
    ownName: "self",
    apply: async (command) => {
      writes += 1;
      const result = await log.apply(command);
      if (result.kind === "refused") throw result.error;
    },
    members: () => members,
    keepPeer: () => Promise.resolve(),
  });
  const changed = (next: PoolMember): Promise<void> => {
    members = [...members.filter(({ name }) => name !== next.name), next];
    return reconciler.memberChanged(next);
  };
  const health = (node: string): HealthCheck["Status"] | undefined =>
    store.view().checksOfNode(node)[0]?.Status;
  return {
    clock,
    store,
    log,
    reconciler,
    changed,
    health,
    forget: (name: string) => (members = members.filter((known) => known.name !== name)),
    nodes: () =>
      store
        .view()
        .nodes()
        .map(({ Node }) => Node),
    writes: () => writes,
  };
}

test("a client that is alive gets its node and serfHealth, and no service", async () => {
  const { changed, store } = world();
  await changed(member({ name: "c1" }));
  expect(store.view().node("c1")).toMatchObject({ ID: CLIENT["id"], Address: "10.0.0.1" });
  expect(store.view().checksOfNode("c1")).toMatchObject([
    { CheckID: "serfHealth", Status: "passing", Output: "Agent alive and reachable" },
  ]);
  expect(store.view().servicesOfNode("c1")).toEqual([]);
});

test("a server also gets the service consul, at the port of its tag", async () => {
  const { changed, store } = world();
  await changed(member({ name: "s1", tags: { ...SERVER, port: "8399" } }));
  expect(store.view().servicesOfNode("s1")).toMatchObject([
    {
      Service: { ID: "consul", Port: 8399, Meta: { serf_protocol_current: "2", version: "1.8.7" } },
    },
  ]);
});

test("a failed member becomes critical, one that returns passing again, and one that left is gone", async () => {
  const { changed, health, nodes } = world();
  await changed(member({ name: "c1" }));
  await changed(member({ name: "c1", status: "failed" }));
  expect(health("c1")).toBe("critical");
  await changed(member({ name: "c1" }));
  expect(health("c1")).toBe("passing");
  await changed(member({ name: "c1", status: "left" }));
  expect(nodes()).toEqual([]);
});

test("what the node's agent has told of itself stays when the leader writes", async () => {
  const { changed, store, log } = world();
  await log.apply({
    type: "Register",
    body: {
      Datacenter: "dc1",
      ID: CLIENT["id"] ?? "",
      Node: "c1",
      Address: "10.0.0.9",
      TaggedAddresses: { lan: "10.0.0.9" },
      NodeMeta: { rack: "7" },
      Service: null,
      Check: null,
      Checks: null,
      SkipNodeUpdate: false,
    },
  });
  await changed(member({ name: "c1" }));
  expect(store.view().node("c1")).toMatchObject({ Address: "10.0.0.1", Meta: { rack: "7" } });
});

test("what is registered already is not written again", async () => {
  const { changed, writes } = world();
  await changed(member({ name: "s1", tags: SERVER }));
  await changed(member({ name: "s1", tags: SERVER }));
  expect(writes()).toBe(1);
});

describe("left alone:", () => {
  test.each([
    ["a program that is no agent", { tags: { role: "web", dc: "dc1" } }],
    ["an agent of another datacenter", { tags: { ...CLIENT, dc: "dc2" } }],
    ["an agent of another segment", { tags: { ...CLIENT, segment: "alpha" } }],
    ["a server whose tags cannot be read", { tags: { ...SERVER, port: "http" } }],
    ["a failed member that the catalog does not know", { status: "failed" as const }],
    ["a member that is leaving", { status: "leaving" as const }],
  ])("%s", async (_, of) => {
    const { changed, writes } = world();
    await changed(member({ name: "x", ...of }));
    expect(writes()).toBe(0);
  });

  test("this server itself, even when others say that it left", async () => {
    const { changed, nodes } = world();
    await changed(member({ name: "self", tags: SERVER }));
    await changed(member({ name: "self", tags: SERVER, status: "left" }));
    expect(nodes()).toEqual(["self"]);
  });
});

test("a minute later the catalog is rid of nodes that gossip no longer knows, and keeps external ones", async () => {
  const { changed, clock, forget, log, nodes, reconciler } = world();
  await reconciler.start();
  await changed(member({ name: "c1" }));
  await log.apply({
    type: "Register",
    body: {
      Datacenter: "dc1",
      ID: "",
      Node: "external",
      Address: "10.9.9.9",
      TaggedAddresses: null,
      NodeMeta: null,
      Service: null,
      Check: null,
      Checks: null,
      SkipNodeUpdate: false,
    },
  });
  forget("c1");
  await clock.run(59_000);
  expect(nodes()).toEqual(["c1", "external"]);
  await clock.run(1000);
  expect(nodes()).toEqual(["external"]);
  reconciler[Symbol.dispose]();
});
