import { describe, expect, test } from "vitest";
import { METRICS_INTERVAL_MS, Metrics } from "./metrics.ts";
import { simPlatform } from "./sim/index.ts";

function underTest() {
  const { clock } = simPlatform({ seed: 1 });
  const gauges = [
    { name: "b", value: 2 },
    { name: "a", value: 1 },
  ];
  return { clock, metrics: new Metrics({ clock, readGauges: () => gauges }) };
}

test("the first interval is shown while it goes on, then always the last whole one", () => {
  const { clock, metrics } = underTest();
  metrics.count("calls");
  metrics.count("calls", 4);
  const first = metrics.measured();
  expect(first.counters).toMatchObject([{ name: "calls", count: 2, sum: 5, min: 1, max: 4 }]);
  expect(first.beginMs % METRICS_INTERVAL_MS).toBe(0);
  clock.advance(METRICS_INTERVAL_MS);
  metrics.count("calls");
  const second = metrics.measured();
  expect(second.counters).toMatchObject([{ count: 2, sum: 5 }]);
  clock.advance(METRICS_INTERVAL_MS);
  expect(metrics.measured().counters).toMatchObject([{ count: 1, sum: 1 }]);
  expect(metrics.measured().beginMs).toBe(second.beginMs + METRICS_INTERVAL_MS);
});

test("after a silence the last interval is empty, and the total is not", () => {
  const { clock, metrics } = underTest();
  metrics.count("calls");
  metrics.sample("took", 7);
  clock.advance(10 * METRICS_INTERVAL_MS);
  expect(metrics.measured()).toMatchObject({ counters: [], samples: [] });
  const total = metrics.total();
  expect(total.counters).toMatchObject([{ name: "calls", sum: 1 }]);
  expect(total.samples).toMatchObject([{ name: "took", count: 1, sum: 7, values: [] }]);
});

test("the values of a total are those of the last seconds", () => {
  const { clock, metrics } = underTest();
  metrics.sample("took", 1);
  clock.advance(METRICS_INTERVAL_MS);
  metrics.sample("took", 2);
  expect(metrics.total().samples).toMatchObject([{ count: 2, values: [1, 2] }]);
});

test("lists are sorted by name", () => {
  const { metrics } = underTest();
  for (const name of ["y", "x", "z"]) metrics.sample(name, 1);
  expect(metrics.measured().gauges.map(({ name }) => name)).toEqual(["a", "b"]);
  expect(metrics.measured().samples.map(({ name }) => name)).toEqual(["x", "y", "z"]);
});

test("what has other labels is measured apart, also where their texts run together", () => {
  const { clock, metrics } = underTest();
  metrics.sample("took", 1, [["a", "b"]]);
  metrics.sample("took", 2, [["a", "b"]]);
  metrics.sample("took", 3, [["a", "b,c:1:d"]]);
  metrics.sample("took", 4, [
    ["a", "b"],
    ["c", "d"],
  ]);
  metrics.sample("took", 5);
  expect(metrics.measured().samples.map(({ labels, sum }) => [labels, sum])).toEqual([
    [[], 5],
    [[["a", "b"]], 3],
    [[["a", "b,c:1:d"]], 3],
    [
      [
        ["a", "b"],
        ["c", "d"],
      ],
      4,
    ],
  ]);
  clock.advance(METRICS_INTERVAL_MS);
  expect(metrics.total().samples[1]?.values).toEqual([1, 2]);
});

test("names have the prefix, gauges the host behind it, and what is not allowed is not measured", () => {
  const { clock } = simPlatform({ seed: 1 });
  const readGauges = () => [
    { name: "a", value: 1 },
    { name: "b", value: 2 },
  ];
  const naming = { prefix: "p", gaugeHost: "h", allows: (name: string) => !/(b|no)$/.test(name) };
  const metrics = new Metrics({ clock, readGauges, naming });
  const heard: unknown[] = [];
  metrics.listen((measurement) => heard.push(measurement));
  metrics.count("yes", 2, [["l", "v"]]);
  metrics.count("no");
  metrics.sample("took", 3);
  metrics.publishGauges();
  expect(metrics.measured()).toMatchObject({
    gauges: [{ name: "p.h.a" }],
    counters: [{ name: "p.yes" }],
    samples: [{ name: "p.took" }],
  });
  expect(heard).toEqual([
    { kind: "counter", name: "p.yes", value: 2, labels: [["l", "v"]] },
    { kind: "sample", name: "p.took", value: 3, labels: [] },
    { kind: "gauge", name: "p.h.a", value: 1, labels: [] },
  ]);
  metrics.rename({ prefix: "", gaugeHost: "", allows: () => true });
  metrics.count("no");
  expect(metrics.measured()).toMatchObject({
    gauges: [{ name: "a" }, { name: "b" }],
    counters: [{ name: "no" }, { name: "p.yes" }],
  });
});

describe("memory is bounded", () => {
  test("by labels, which leave room for names without", () => {
    const { metrics } = underTest();
    for (let i = 0; i < 5000; i++) metrics.count("one", 1, [["service", `s${i}`]]);
    metrics.count("other");
    expect(metrics.measured().counters).toHaveLength(2049);
    expect(metrics.measured().counters.at(-1)?.name).toBe("other");
  });

  test("by names and by kept values", () => {
    const { metrics } = underTest();
    for (let i = 0; i < 10_000; i++) metrics.count(`name-${i}`);
    for (let i = 0; i < 10_000; i++) metrics.sample("one", i);
    const { counters, samples } = metrics.measured();
    expect(counters).toHaveLength(4096);
    expect(samples).toMatchObject([{ count: 10_000, max: 9999 }]);
    expect(samples[0]?.values).toHaveLength(256);
  });
});
