import * as fc from "fast-check";
import * as dnsPacket from "dns-packet";
import { expect, test } from "vitest";
import type { RuntimeConfig } from "../config/index.ts";
import { RollcallError } from "../errors/index.ts";
import { noLogger, type Logger, type LogFields } from "../platform/index.ts";
import { SimRandom, simPlatform } from "../platform/sim/index.ts";
import { createHandler, type Handle } from "./handler.ts";
import {
  FakeCatalog,
  query,
  showMessage,
  testConfig,
  testRecursors,
  type Registration,
  type ShownMessage,
} from "./testkit.ts";

const WEB: readonly Registration[] = [
  { Node: "n1", Address: "10.0.0.1", Service: { Service: "web", Port: 80 } },
  { Node: "n2", Address: "10.0.0.2", Service: { Service: "web", Port: 81, Address: "fe80::2" } },
];

function setup(registrations: readonly Registration[] = WEB) {
  const platform = simPlatform({ seed: "handler" });
  const { clock, random } = platform;
  const recursors = testRecursors(platform);
  const delegate = new FakeCatalog(registrations);
  const lines: { message: string; fields: LogFields | undefined }[] = [];
  const logger: Logger = {
    ...noLogger,
    error: (message, fields) => void lines.push({ message, fields }),
  };
  const state: { config: RuntimeConfig } = { config: testConfig() };
  const handle = createHandler({
    config: () => state.config,
    delegate,
    clock,
    random,
    logger,
    recursors,
  });
  return { clock, delegate, lines, state, handle, ask: asker(handle) };
}

function asker(handle: Handle) {
  return async (name: string, type: string, edns?: number): Promise<ShownMessage> => {
    const reply = await handle(query(name, type, edns === undefined ? {} : { edns }), "udp");
    return showMessage(reply ?? expect.fail("no reply"));
  };
}

test("the id, the question's spelling and RD come back", async () => {
  const { handle } = setup();
  for (const id of [1, 0xbeef]) {
    const reply = await handle(query("WEB.service.Consul", "A", { id, rd: false }), "udp");
    const message = dnsPacket.decode(reply ?? expect.fail("no reply"));
    expect([message.id, message.flag_rd, message.questions[0]?.name]).toEqual([
      id,
      false,
      "WEB.service.Consul",
    ]);
    expect(message.answers[0]).toMatchObject({ name: "WEB.service.Consul", data: "10.0.0.1" });
  }
});

test("a change of the catalog shows at once, and so does a reload", async () => {
  const { ask, delegate, state } = setup();
  expect((await ask("web.service.consul", "A")).answer).toHaveLength(1);
  delegate.register({ Node: "n3", Address: "10.0.0.3", Service: { Service: "web", Port: 80 } });
  expect((await ask("web.service.consul", "A")).answer).toHaveLength(2);
  state.config = testConfig({ dns: { serviceTtlS: { web: 9 } } });
  expect((await ask("web.service.consul", "A")).answer[0]).toContain(" 9 IN A ");
  state.config = testConfig({ dnsDomain: "Other.Zone" });
  expect((await ask("web.service.consul", "A")).rcode).toBe("REFUSED");
  expect((await ask("web.service.other.zone", "A")).answer).toHaveLength(2);
});

test("the serial of the SOA is the time", async () => {
  const { handle, clock } = setup();
  const serial = async (): Promise<number> => {
    const reply = await handle(query("ghost.service.consul", "A"), "udp");
    const soa = dnsPacket.decode(reply ?? expect.fail("no reply")).authorities[0];
    return soa?.type === "SOA" ? soa.data.serial : expect.fail("no SOA");
  };
  expect(await serial()).toBe(Math.floor(clock.wallMs() / 1000));
  clock.advance(5000);
  expect(await serial()).toBe(Math.floor(clock.wallMs() / 1000));
});

test("a catalog that fails is SERVFAIL, with one line a second", async () => {
  const { ask, delegate, lines, clock } = setup();
  delegate.failure = new RollcallError("raft/no-leader");
  for (let i = 0; i < 5; i++) {
    const reply = await ask("web.service.consul", "A", 1232);
    expect([reply.rcode, reply.flags, reply.additional]).toEqual([
      "SERVFAIL",
      "aa rd",
      [". OPT 1232 v0 0"],
    ]);
  }
  expect(lines).toEqual([{ message: "rpc error", fields: { error: "No cluster leader" } }]);
  clock.advance(1000);
  await ask("1.0.0.10.in-addr.arpa", "PTR");
  expect(lines[1]?.fields).toMatchObject({ error: "No cluster leader", unreported: 4 });
  delegate.failure = undefined;
  expect((await ask("web.service.consul", "A")).rcode).toBe("NOERROR");
});

test("what cannot be a DNS name costs its instance a name, not its answer", async () => {
  const { ask } = setup([
    { Node: "x".repeat(70), Address: "10.0.0.7", Service: { Service: "web", Port: 7 } },
    {
      Node: "n1",
      Address: "10.0.0.1",
      Service: { Service: "bad", Address: `${"y".repeat(70)}.com` },
    },
  ]);
  const srv = await ask("web.service.consul", "SRV");
  expect(srv.answer).toEqual(["web.service.consul. 0 IN SRV 1 1 7 0a000007.addr.dc1.consul."]);
  expect(srv.additional).toEqual(["0a000007.addr.dc1.consul. 0 IN A 10.0.0.7"]);
  expect((await ask("bad.service.consul", "A")).answer).toEqual([]);
});

test("metadata longer than a TXT string goes into several", async () => {
  const long = "v".repeat(500);
  const { ask } = setup([{ Node: "n1", Address: "10.0.0.1", NodeMeta: { long } }]);
  const { answer } = await ask("n1.node.consul", "TXT", 1232);
  expect(answer).toEqual([
    `n1.node.consul. 0 IN TXT "${`long=${long}`.slice(0, 255)}" "${`long=${long}`.slice(255)}"`,
  ]);
});

test("metadata that no message has room for is left out", async () => {
  const { ask } = setup([
    { Node: "n1", Address: "10.0.0.1", NodeMeta: { huge: "v".repeat(200_000), env: "prod" } },
  ]);
  const { answer } = await ask("n1.node.consul", "ANY", 65_535);
  expect(answer).toEqual([
    "n1.node.consul. 0 IN A 10.0.0.1",
    'n1.node.consul. 0 IN TXT "env=prod"',
  ]);
});

test("translated addresses are for other datacenters", async () => {
  const wan = { wan: { Address: "198.51.100.1", Port: 9 } };
  const registration = { Node: "n1", Address: "10.0.0.1" };
  const { delegate, state, ask } = setup([
    { ...registration, Service: { Service: "web", Port: 80, TaggedAddresses: wan } },
  ]);
  const call = delegate.call.bind(delegate);
  // A catalog that has the same services in every datacenter.
  delegate.call = (method, args) => call(method, { ...args, Datacenter: "" });
  state.config = testConfig({ translateWanAddrs: true });
  expect((await ask("web.service.consul", "A")).answer[0]).toMatch(/ A 10\.0\.0\.1$/);
  expect((await ask("web.service.dc2.consul", "A")).answer[0]).toMatch(/ A 198\.51\.100\.1$/);
  expect((await ask("web.service.dc2.consul", "SRV")).answer[0]).toMatch(
    / SRV 1 1 9 c6336401\.addr\.dc2\.consul\.$/,
  );
  expect((await ask("web.service.dc1.consul", "A")).answer[0]).toMatch(/ A 10\.0\.0\.1$/);
});

test("reverse lookups of services share one reading of the catalog a second", async () => {
  const { ask, delegate, clock } = setup([
    { Node: "n1", Address: "10.0.0.1", Service: { Service: "web", Address: "10.9.0.1" } },
    { Node: "n2", Address: "10.0.0.2", Service: { Service: "db", Address: "10.9.0.2" } },
  ]);
  const [web, db] = await Promise.all([
    ask("1.0.9.10.in-addr.arpa", "PTR"),
    ask("2.0.9.10.in-addr.arpa", "PTR"),
  ]);
  expect([web.answer[0], db.answer[0]]).toEqual([
    "1.0.9.10.in-addr.arpa. 0 IN PTR web.service.dc1.consul.",
    "2.0.9.10.in-addr.arpa. 0 IN PTR db.service.dc1.consul.",
  ]);
  const together = delegate.callCount; // nodes twice, service names once, each service once
  expect(together).toBe(5);
  await ask("3.0.9.10.in-addr.arpa", "PTR");
  expect(delegate.callCount).toBe(together + 1);
  clock.advance(1000);
  await ask("3.0.9.10.in-addr.arpa", "PTR");
  expect(delegate.callCount).toBe(together + 1 + 4);
});

const RUNS = Number(process.env["FUZZ_RUNS"] ?? 100_000);
/** As long as a hundred thousand may take, for as many as there are. */
const LIMIT_MS = 60_000 * Math.max(1, RUNS / 100_000);

test(
  `${RUNS} mangled packets: each is answered well or not at all`,
  async () => {
    const registrations: Registration[] = [
      ...WEB,
      { Node: "n3", Address: "n1.node.consul", NodeMeta: { a: "b" } },
      {
        Node: "n3",
        Address: "n1.node.consul",
        Service: { Service: "ext", Address: "ext.service.consul" },
      },
    ];
    const { handle } = setup(registrations);
    const questions = [
      ["web.service.consul", "SRV"],
      ["_web._tcp.dc1.consul", "SRV"],
      ["n3.node.consul", "ANY"],
      ["ext.service.consul", "A"],
      ["0a000001.addr.consul", "A"],
      ["consul", "SOA"],
      ["1.0.0.10.in-addr.arpa", "PTR"],
    ] as const;
    const seeds = questions.flatMap(([name, type]) => [
      query(name, type),
      query(name, type, { edns: 1232 }),
    ]);
    const chance = new SimRandom("fuzz");
    let answered = 0;
    for (let i = 0; i < RUNS; i++) {
      const packet = mangled(seeds[i % seeds.length] ?? new Uint8Array(0), chance);
      const reply = await handle(packet, "udp");
      if (reply === undefined) continue;
      answered += 1;
      const { type, id } = dnsPacket.decode(reply);
      const isWell = type === "response" && id === (((packet[0] ?? 0) << 8) | (packet[1] ?? 0));
      if (isWell && reply.length <= 65_507) continue;
      expect.fail(
        `${Buffer.from(packet).toString("hex")} got ${Buffer.from(reply).toString("hex")}`,
      );
    }
    expect(answered).toBeGreaterThan(RUNS * 0.3);
  },
  LIMIT_MS,
);

function mangled(seed: Uint8Array, chance: SimRandom): Uint8Array {
  const packet = seed.slice(0, chance.chance(0.2) ? chance.between(0, seed.length) : seed.length);
  for (let n = chance.between(0, 4); n > 0 && packet.length > 0; n--) {
    const at = chance.between(0, packet.length - 1);
    packet[at] = chance.chance(0.5)
      ? chance.between(0, 255)
      : (packet[at] ?? 0) ^ (1 << chance.between(0, 7));
  }
  if (!chance.chance(0.1)) return packet;
  return Uint8Array.from([...packet, ...chance.bytes(chance.between(0, 40))]);
}

test("any name under the domain gets an answer that fits and parses", async () => {
  const { handle } = setup();
  const label = fc.oneof(
    fc.constantFrom(
      "service",
      "node",
      "addr",
      "query",
      "_web",
      "_tcp",
      "web",
      "n1",
      "dc1",
      "0a000001",
    ),
    fc.stringMatching(/^[!-~]{1,12}$/).filter((text) => !text.includes(".")),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(label, { maxLength: 6 }),
      fc.constantFrom("A", "SRV", "TXT", "ANY", "NS", "SOA", "CNAME", "PTR"),
      async (labels, type) => {
        const reply = await handle(query([...labels, "consul"].join("."), type), "udp");
        const { rcode } = showMessage(reply ?? expect.fail("no reply"));
        expect(["NOERROR", "NXDOMAIN"]).toContain(rcode);
      },
    ),
    { numRuns: 1000 },
  );
});
