/** The formulas, held to what memberlist's own functions return. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Instant } from "../platform/index.ts";
import { pushPullIntervalMs, retransmitLimit } from "./scaling.ts";
import { Suspicion, suspicionMinMs, suspicionTimeoutMs } from "./suspicion.ts";

interface Vectors {
  pushPullScale: { intervalMs: number; n: number; ns: number }[];
  retransmitLimit: { mult: number; n: number; limit: number }[];
  suspicionTimeout: { intervalMs: number; mult: number; n: number; ns: number }[];
  remainingSuspicionTime: {
    elapsedMs: number;
    k: number;
    minMs: number;
    maxMs: number;
    n: number;
    ns: number;
  }[];
}
const vectors = JSON.parse(
  readFileSync(new URL("testdata/gossip-math.json", import.meta.url), "utf8"),
) as Vectors;
const NS_PER_MS = 1e6;

test.each(vectors.pushPullScale)("push/pull every $intervalMs ms, $n members", (v) => {
  expect(pushPullIntervalMs(v.intervalMs, v.n) * NS_PER_MS).toBe(v.ns);
});

test.each(vectors.retransmitLimit)("transmissions: $mult × log of $n members", (v) => {
  expect(retransmitLimit(v.mult, v.n)).toBe(v.limit);
});

test.each(vectors.suspicionTimeout)("suspicion of at least $mult × log $n × $intervalMs", (v) => {
  const { mult, n: memberCount, intervalMs: probeIntervalMs } = v;
  expect(suspicionMinMs({ mult, memberCount, probeIntervalMs }) * NS_PER_MS).toBe(v.ns);
});

test.each(vectors.remainingSuspicionTime)("after $elapsedMs ms, $n of $k agree", (v) => {
  const { n: accusers, k: expected, minMs, maxMs, elapsedMs } = v;
  const timeoutMs = suspicionTimeoutMs({ accusers, expected, minMs, maxMs });
  expect((timeoutMs - elapsedMs) * NS_PER_MS).toBe(v.ns);
});

const settings = { suspicionMult: 4, suspicionMaxTimeoutMult: 6, probeIntervalMs: 1000 };
const START = 50_000 as Instant;

test("each accuser counts once, and no more of them than are expected", () => {
  const suspicion = new Suspicion("b", 10, settings, START);
  expect(suspicion.dueAt - START).toBe(24_000);
  expect(suspicion.agree("b")).toBe(false);
  expect(suspicion.agree("c")).toBe(true);
  expect(suspicion.agree("c")).toBe(false);
  expect(suspicion.dueAt - START).toBe(11_381);
  expect(suspicion.agree("d")).toBe(true);
  expect(suspicion.dueAt - START).toBe(4000);
  expect(suspicion.agree("e")).toBe(false);
});

test("where nobody else could agree, the shortest timeout holds at once", () => {
  expect(new Suspicion("b", 3, settings, START).dueAt - START).toBe(4000);
  expect(new Suspicion("b", 4, settings, START).dueAt - START).toBe(24_000);
});
