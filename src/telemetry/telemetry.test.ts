/** Lines as Consul 1.8.7 sends them, and what becomes of them when nobody takes them. */
import type { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { Metrics, noLogger, type Labels, type Measurement } from "../platform/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { dogstatsdLine, statsdLine } from "./metric-lines.ts";
import { prefixFilter } from "./prefix-filter.ts";
import { metricsNaming, sendMetrics, type TelemetryConfig } from "./telemetry.ts";

const CONFIG: TelemetryConfig = {
  metricsPrefix: "consul",
  disableHostname: false,
  prefixFilter: [],
  filterDefault: true,
  prometheusRetentionMs: 0,
  statsdAddress: "",
  statsiteAddress: "",
  dogstatsdAddress: "",
  dogstatsdTags: [],
};
const RECEIVER = "127.0.0.1:8125";
const HOUR_MS = 3_600_000;

const of = (
  kind: Measurement["kind"],
  name: string,
  value: number,
  labels: Labels = [],
): Measurement => ({ kind, name, value, labels });

const OP: Labels = [["op", "set-config"]];
test.each<[Measurement, string, string]>([
  [of("counter", "consul.raft.apply", 1), "consul.raft.apply:1.000000|c", "consul.raft.apply:1|c"],
  [
    of("sample", "consul.fsm.ca", 0.168103, OP),
    "consul.fsm.ca.set-config:0.168103|ms",
    "consul.fsm.ca:0.168103|ms|#op:set-config",
  ],
  [
    of("gauge", "consul.vm.runtime.sys_bytes", 74_531_841),
    "consul.vm.runtime.sys_bytes:74531840.000000|g",
    "consul.vm.runtime.sys_bytes:74531840.000000|g",
  ],
  [
    of("counter", "consul.serf.events.consul:new-leader", 1),
    "consul.serf.events.consul_new-leader:1.000000|c",
    "consul.serf.events.consul_new-leader:1|c",
  ],
  [
    of("counter", "q", 1, [["service", "a b\nevil:1|c,d"]]),
    "q.a_b_evil_1_c,d:1.000000|c",
    "q:1|c|#service:a b_evil:1_c_d",
  ],
])("%j", (measurement, statsd, dogstatsd) => {
  expect(statsdLine(measurement)).toBe(statsd);
  expect(dogstatsdLine(measurement, [])).toBe(dogstatsd);
});

test("the tags of all come before a measurement's own", () => {
  expect(dogstatsdLine(of("counter", "a", 1, OP), ["env:prod", "x"])).toBe(
    "a:1|c|#env:prod,x,op:set-config",
  );
});

test.each([
  ["consul.raft.apply", true],
  ["consul.raft.applied_index", false],
  ["consul.other", true],
  ["both.ways", false],
  ["+strange", true],
])("%s is measured: %s", (name, expected) => {
  const rules = [
    "-consul.raft",
    "+consul.raft.apply",
    "-consul.raft.applied",
    "+both",
    "-both",
    "x",
  ];
  expect(prefixFilter(rules, true)(name)).toBe(expected);
});

test("without a rule for it a name is measured or not as all are", () => {
  expect(prefixFilter(["+a"], false)("a.b")).toBe(true);
  expect(prefixFilter(["+a"], false)("b")).toBe(false);
});

test.each<[string, Partial<TelemetryConfig>, string]>([
  ["nobody outside", {}, ""],
  ["sent", { statsdAddress: RECEIVER }, "vm"],
  ["fetched", { prometheusRetentionMs: 1 }, "vm"],
  ["disable_hostname", { statsdAddress: RECEIVER, disableHostname: true }, ""],
])("the host stands in gauges that are seen outside: %s", (_, config, gaugeHost) => {
  expect(metricsNaming({ ...CONFIG, ...config }, "vm")).toMatchObject({
    prefix: "consul",
    gaugeHost,
  });
});

function underTest(config: Partial<TelemetryConfig>) {
  const platform = simPlatform({ seed: 1 });
  const warnings: unknown[] = [];
  const logger = { ...noLogger, warn: (...said: unknown[]) => void warnings.push(said) };
  const metrics = new Metrics({
    clock: platform.clock,
    readGauges: () => [{ name: "g", value: 2 }],
  });
  const start = () => sendMetrics({ platform, logger, metrics, config: { ...CONFIG, ...config } });
  return { platform, metrics, warnings, start };
}

test("datagrams: as many lines as fit, none later than 100 ms; gauges every ten seconds", async () => {
  const { platform, metrics, start } = underTest({ statsdAddress: "localhost:8125" });
  const packets: string[] = [];
  await using _receiver = await platform.network.bindDatagram(
    { host: "127.0.0.1", port: 8125 },
    (bytes) => packets.push(Buffer.from(bytes).toString()),
  );
  await using _sending = start();
  await platform.clock.settle();
  for (let i = 0; i < 200; i++) metrics.count("calls");
  await platform.clock.settle();
  const line = "calls:1.000000|c\n";
  expect(packets.length).toBeGreaterThan(1);
  for (const packet of packets) expect(packet.length).toBeLessThanOrEqual(1400);
  expect(packets[0]?.length).toBeGreaterThan(1400 - line.length);
  await platform.clock.run(100);
  expect(packets.join("")).toBe(line.repeat(200));
  packets.length = 0;
  await platform.clock.run(10_100);
  expect(packets).toEqual(["g:2.000000|g\n"]);
});

test("a name that becomes known later is found", async () => {
  const { platform, metrics, start, warnings } = underTest({ dogstatsdAddress: "late.test:8125" });
  await using _sending = start();
  metrics.count("lost");
  await platform.clock.run(1000);
  expect(warnings).toHaveLength(1);
  platform.network.addName("late.test", "127.0.0.1");
  const packets: string[] = [];
  await using _receiver = await platform.network.bindDatagram(
    { host: "127.0.0.1", port: 8125 },
    (bytes) => packets.push(Buffer.from(bytes).toString()),
  );
  await platform.clock.run(9_500);
  metrics.count("found");
  await platform.clock.run(200);
  expect(packets).toContain("found:1|c\n");
  expect(packets.join("")).not.toContain("lost");
});

test("a stream: what was measured before it stood is sent, and again when it broke", async () => {
  const { platform, metrics, start } = underTest({ statsiteAddress: RECEIVER });
  await using _sending = start();
  metrics.count("early");
  await platform.clock.run(1000);
  const streams: Duplex[] = [];
  let text = "";
  await using _receiver = await platform.network.listen(
    { host: "127.0.0.1", port: 8125 },
    (stream) => {
      streams.push(stream);
      stream.on("data", (bytes: Buffer) => (text += bytes.toString()));
    },
  );
  await platform.clock.run(10_000);
  expect(text).toContain("early:1.000000|c\n");
  streams[0]?.destroy();
  await platform.clock.run(1);
  metrics.count("late");
  await platform.clock.run(10_200);
  expect(streams).toHaveLength(2);
  expect(text).toContain("late:1.000000|c\n");
});

test("what is kept for a receiver that does not come is bounded", async () => {
  const { platform, metrics, start } = underTest({ statsiteAddress: RECEIVER });
  await using _sending = start();
  await platform.clock.settle();
  for (let i = 0; i < 100_000; i++) metrics.count("a.rather.long.name.of.a.counter");
  let sizeBytes = 0;
  await using _receiver = await platform.network.listen(
    { host: "127.0.0.1", port: 8125 },
    (stream) => void stream.on("data", (bytes: Buffer) => (sizeBytes += bytes.length)),
  );
  await platform.clock.run(10_200);
  expect(sizeBytes).toBeGreaterThan(1_000_000);
  expect(sizeBytes).toBeLessThan(1_100_000);
});

test("an address without a port is warned of, and a disposed sender leaves no timer", async () => {
  const { platform, metrics, warnings, start } = underTest({
    statsdAddress: "nowhere",
    statsiteAddress: RECEIVER,
    dogstatsdAddress: "nosuch.test:1",
  });
  const sending = start();
  metrics.count("a");
  await platform.clock.run(HOUR_MS / 60);
  await sending[Symbol.asyncDispose]();
  await platform.clock.settle();
  expect(warnings[0]).toEqual([
    "Metrics are not sent: not an address with a port",
    { key: "statsd_address", address: "nowhere" },
  ]);
  expect(platform.clock.timerCount).toBe(0);
});
