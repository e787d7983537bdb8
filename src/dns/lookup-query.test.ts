import { describe, expect, test } from "vitest";
import { RollcallError } from "../errors/index.ts";
import { noLogger } from "../platform/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { createHandler } from "./handler.ts";
import { FakeCatalog, query, showMessage, testConfig, testRecursors } from "./testkit.ts";

function setup(serviceTtlS: Readonly<Record<string, number>> = {}) {
  const platform = simPlatform({ seed: "query" });
  const { clock, random } = platform;
  const delegate = new FakeCatalog(
    [1, 2, 3, 4, 5].map((n) => ({
      Node: `n${n}`,
      Address: `10.0.0.${n}`,
      Service: { Service: "web", Port: 80 + n },
    })),
  );
  const calls: object[] = [];
  const call: FakeCatalog["call"] = (method, args) => {
    calls.push(args);
    return delegate.call(method, args);
  };
  const config = { ...testConfig({ dns: { serviceTtlS } }), nodeName: "agent-node" };
  const handle = createHandler({
    config: () => config,
    delegate: { call },
    clock,
    random,
    logger: noLogger,
    recursors: testRecursors(platform),
  });
  const ask = async (name: string, type: string, edns?: number) => {
    const options = edns === undefined ? {} : { edns };
    const reply = await handle(query(name, type, options), "udp");
    return showMessage(reply ?? expect.fail("no reply"));
  };
  return { ask, handle, delegate, calls };
}

describe("who asks is told to the query, which may want to be near", () => {
  const ask = async (packet: Uint8Array): Promise<readonly [source: unknown, reply: Buffer]> => {
    const { handle, delegate, calls } = setup();
    delegate.queries.set("q", { Service: "web", TTL: "" });
    const reply = await handle(packet, "udp", "127.0.0.9");
    const [{ Source }] = calls as [{ Source: unknown }];
    return [Source, Buffer.from(reply ?? expect.fail("no reply"))];
  };

  test("its own address", async () => {
    const [source] = await ask(query("q.query.consul", "A"));
    expect(source).toEqual({ Node: "", Ip: "127.0.0.9" });
  });

  test.each([
    ["00011800010203", "1.2.3.0", "00011818010203"],
    ["0002380020010db8000000", "2001:db8::", "0002383820010db8000000"],
    [
      "00028000200100000000000100000000000000f1",
      "2001:0:0:1::f1",
      "00028080200100000000000100000000000000f1",
    ],
  ])(
    "that of the subnet it asks for, for which alone the answer is: %s",
    async (option, Ip, echo) => {
      const data = Buffer.from(option, "hex");
      const plain = Buffer.from(query("q.query.consul", "A", { edns: 1232 }));
      const head = Buffer.from([0, 4 + data.length, 0, 8, 0, data.length]);
      const [source, reply] = await ask(Buffer.concat([plain.subarray(0, -2), head, data]));
      expect(source).toEqual({ Node: "", Ip });
      expect(reply.toString("hex")).toContain(echo);
    },
  );
});

test("instances come in the query's order, as many as fit", async () => {
  const { ask, delegate, calls } = setup();
  delegate.queries.set("near.web", { Service: "web", TTL: "" });
  const inOrder = [1, 2, 3, 4, 5].map((n) => `near.web.query.consul. 0 IN A 10.0.0.${n}`);
  for (let i = 0; i < 5; i++) {
    expect((await ask("near.web.query.consul", "A", 1232)).answer).toEqual(inOrder);
  }
  expect((await ask("near.web.query.consul", "A")).answer).toEqual(inOrder.slice(0, 3));
  expect(calls[0]).toMatchObject({
    QueryIDOrName: "near.web",
    Agent: { Node: "agent-node" },
    Consistency: "stale",
  });
});

test("as SRV records, with the addresses of their nodes", async () => {
  const { ask, delegate } = setup();
  delegate.queries.set("q", { Service: "web", TTL: "" });
  const { answer, additional } = await ask("q.query.consul", "SRV", 4096);
  expect(answer[0]).toBe("q.query.consul. 0 IN SRV 1 1 81 n1.node.dc1.consul.");
  expect(additional[0]).toBe("n1.node.dc1.consul. 0 IN A 10.0.0.1");
});

describe("they may be kept as long as the query says, else as the service's", () => {
  test.each([
    ["7s", 7],
    ["1500ms", 1],
    ["", 9],
    ["0s", 0],
  ])("%j: %i", async (TTL, ttlS) => {
    const { ask, delegate } = setup({ web: 9 });
    delegate.queries.set("q", { Service: "web", TTL });
    expect((await ask("q.query.consul", "A")).answer[0]).toContain(` ${ttlS} IN A `);
  });
});

test("a query is run anew for each question", async () => {
  const { ask, delegate, calls } = setup();
  delegate.queries.set("q", { Service: "web", TTL: "" });
  for (let i = 1; i <= 3; i++) {
    expect((await ask("q.query.consul", "A")).answer).toHaveLength(3);
    expect(calls).toHaveLength(i);
  }
});

test("what cannot be found does not exist, what fails is a failure", async () => {
  const { ask, delegate } = setup();
  delegate.queries.set("empty", { Service: "none", TTL: "" });
  for (const name of ["ghost.query.consul", "empty.query.consul", "empty.query.dc9.consul"]) {
    expect(await ask(name, "A")).toMatchObject({ rcode: "NXDOMAIN", answer: [] });
  }
  delegate.failure = new RollcallError("request/refused", "templates by name only");
  expect((await ask("ghost.query.consul", "A")).rcode).toBe("SERVFAIL");
});
