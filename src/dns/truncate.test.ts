/** Properties of what is sent, judged by an independent parser: limits, subsets, TC, and fairness. */
import * as dnsPacket from "dns-packet";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { noLogger } from "../platform/index.ts";
import { SimRandom, simPlatform } from "../platform/sim/index.ts";
import { createDraw, drawAt } from "./draw.ts";
import { createHandler } from "./handler.ts";
import {
  FakeCatalog,
  query,
  showMessage,
  testConfig,
  testRecursors,
  type Registration,
} from "./testkit.ts";
import type { Transport } from "./truncate.ts";

const platform = simPlatform({ seed: "truncate" });
const { clock, random } = platform;
const recursors = testRecursors(platform);

async function ask(
  registrations: readonly Registration[],
  dns: Parameters<typeof testConfig>[0],
  packet: Uint8Array,
  transport: Transport,
): Promise<Uint8Array> {
  const config = testConfig(dns);
  const delegate = new FakeCatalog(registrations);
  const handle = createHandler({
    config: () => config,
    delegate,
    clock,
    random,
    recursors,
    logger: noLogger,
  });
  const reply = await handle(packet, transport);
  if (reply === undefined) return expect.fail("no reply");
  if (transport === "udp") return reply;
  expect((reply[0] ?? 0) * 256 + (reply[1] ?? 0)).toBe(reply.length - 2);
  return reply.subarray(2);
}

const instance = fc.record({
  address: fc.oneof(fc.constant(""), fc.ipV4(), fc.ipV6(), fc.constant("ext.example.com")),
  metaSize: fc.nat(80),
  nodeName: fc.stringMatching(/^[a-z]{1,30}$/),
});
const scenario = fc.record({
  instances: fc.array(instance, { maxLength: 60 }),
  type: fc.constantFrom("A", "AAAA", "SRV", "ANY", "TXT"),
  kind: fc.constantFrom("service", "node"),
  edns: fc.option(fc.constantFrom(100, 512, 513, 600, 700, 1232, 1400, 4096, 65_535), {
    nil: undefined,
  }),
  transport: fc.constantFrom<Transport>("udp", "tcp"),
  udpAnswerLimit: fc.nat(10),
  aRecordLimit: fc.constantFrom(0, 0, 2),
  enableTruncate: fc.boolean(),
  disableCompression: fc.boolean(),
});

test("whatever is asked for: within the limit, a subset, and TC exactly when an answer was cut", async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (s) => {
      const registrations = s.instances.map(({ address, metaSize, nodeName }, i) => ({
        Node: `${nodeName}-${i}`,
        Address: `10.0.${i}.1`,
        NodeMeta: { meta: "m".repeat(metaSize), more: "n".repeat(metaSize) },
        Service: { Service: "web", ID: `web-${i}`, Address: address, Port: 1000 + i },
      }));
      const first = registrations[0]?.Node ?? "none";
      const name = s.kind === "service" ? "web.service.consul" : `${first}.node.consul`;
      const packet = query(name, s.type, s.edns === undefined ? {} : { edns: s.edns });
      const { udpAnswerLimit, aRecordLimit, enableTruncate, disableCompression } = s;
      const dns = { udpAnswerLimit, aRecordLimit, enableTruncate, disableCompression };
      const reply = await ask(registrations, { dns }, packet, s.transport);
      // All there is to say: TCP has room for it.
      const all = showMessage(await ask(registrations, { dns }, packet, "tcp"));

      const message = dnsPacket.decode(reply);
      const shown = showMessage(reply);
      const limit = s.transport === "tcp" ? 65_535 : Math.max(s.edns ?? 0, 512);
      if (message.answers.length > 1 || message.additionals.length > 1) {
        expect(reply.length).toBeLessThanOrEqual(limit);
      }
      expect(shown.additional.some((record) => record.startsWith(". OPT"))).toBe(
        s.edns !== undefined,
      );
      if (aRecordLimit === 0 && !all.answer[0]?.includes(" CNAME ")) {
        for (const record of shown.answer) expect(all.answer).toContain(record);
        for (const record of shown.additional) expect(all.additional).toContain(record);
        expect(new Set(shown.answer).size).toBe(shown.answer.length);
      }
      const cut = shown.answer.length < all.answer.length;
      expect(message.flag_tc).toBe(cut && enableTruncate);
      if (udpAnswerLimit > 0 && all.answer.length > 0) {
        expect(shown.answer.length).toBeGreaterThan(0);
      }
    }),
    { numRuns: 600, seed: 8600 },
  );
});

const many = (count: number): Registration[] =>
  Array.from({ length: count }, (_, i) => ({
    Node: `n${i}`,
    Address: `10.${i >> 8}.${i & 255}.1`,
    Service: { Service: "web", ID: `web-${i}`, Port: 1000 + i },
  }));

test("no EDNS size is exceeded, and no more is left free than another answer would need", async () => {
  const answerBytes = 12 + 6 + "n00.node.dc1.consul.".length + 1 + 16;
  for (let edns = 513; edns < 700; edns++) {
    const packet = query("web.service.consul", "SRV", { edns });
    const reply = await ask(many(40), {}, packet, "udp");
    expect(reply.length).toBeLessThanOrEqual(edns);
    expect(reply.length).toBeGreaterThan(edns - answerBytes - 7);
  }
});

test("SRV over TCP: 1024 answers at most, and additional names beyond a pointer's reach", async () => {
  const registrations = many(1100);
  const reply = await ask(registrations, {}, query("web.service.consul", "SRV"), "tcp");
  expect(reply.length).toBeLessThanOrEqual(65_523);
  const { answers, additionals } = dnsPacket.decode(reply);
  expect(answers.length).toBeGreaterThan(800);
  expect(answers.length).toBeLessThanOrEqual(1024);
  const addresses = new Map(registrations.map(({ Node, Address }) => [Node, Address]));
  expect(additionals).toHaveLength(answers.length);
  for (const record of additionals) {
    if (record.type !== "A") return expect.fail(record.type);
    expect(record.data).toBe(addresses.get(record.name.split(".")[0] ?? ""));
  }
});

test("A over TCP: 4096 answers at most", async () => {
  const reply = await ask(many(5000), {}, query("web.service.consul", "A"), "tcp");
  expect(dnsPacket.decode(reply).answers).toHaveLength(4092); // what 65,523 bytes have room for, as in Consul
});

test("every instance is first, and is chosen at all, equally often", async () => {
  const count = 10;
  const rounds = 20_000;
  const config = testConfig();
  const handle = createHandler({
    config: () => config,
    delegate: new FakeCatalog(many(count)),
    clock,
    random: new SimRandom("fair"),
    recursors,
    logger: noLogger,
  });
  const first = new Map<string, number>();
  const chosen = new Map<string, number>();
  const packet = query("web.service.consul", "A");
  for (let i = 0; i < rounds; i++) {
    const reply = await handle(packet, "udp");
    // Three records of 16 bytes end the message; the address ends each.
    if (reply === undefined) return expect.fail("no reply");
    for (let record = 0; record < 3; record++) {
      const end = reply.length - 16 * (2 - record);
      const address = reply.subarray(end - 4, end).join(".");
      chosen.set(address, (chosen.get(address) ?? 0) + 1);
      if (record === 0) first.set(address, (first.get(address) ?? 0) + 1);
    }
  }
  // Chi-square with 9 degrees of freedom: 27.9 is passed once in a thousand.
  expect(chiSquare(first, count, rounds)).toBeLessThan(27.9);
  expect(chiSquare(chosen, count, 3 * rounds)).toBeLessThan(27.9);
});

test("all orders of three are equally likely, from whatever order the last draw left", () => {
  const draw = createDraw(new SimRandom("orders"));
  const order = Uint32Array.from([0, 1, 2]);
  const seen = new Map<string, number>();
  for (let i = 0; i < 60_000; i++) {
    for (let at = 0; at < 3; at++) drawAt(order, at, draw);
    seen.set(order.join(), (seen.get(order.join()) ?? 0) + 1);
  }
  expect(chiSquare(seen, 6, 60_000)).toBeLessThan(20.5); // 5 degrees of freedom
});

function chiSquare(observed: ReadonlyMap<string, number>, cells: number, total: number): number {
  expect(observed.size).toBe(cells);
  const expected = total / cells;
  return [...observed.values()].reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
}
