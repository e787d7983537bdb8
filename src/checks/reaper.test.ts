import { expect, test } from "vitest";
import { HOUR, MINUTE, SECOND } from "../model/index.ts";
import type { Instant } from "../platform/index.ts";
import { criticalSince, deregisterAfterMs, dueForDeregistration } from "./reaper.ts";
import { definition } from "./testkit.ts";

const at = (ms: number): Instant => ms as Instant;

test.each([
  [0, 0],
  [-SECOND, 0],
  [SECOND, 60_000],
  [MINUTE, 60_000],
  [90 * SECOND, 90_000],
  [HOUR, 3_600_000],
])("deregister_critical_service_after of %i ns is %i ms", (asked, expected) => {
  expect(deregisterAfterMs(definition({ DeregisterCriticalServiceAfter: asked }))).toBe(expected);
});

test("only an uninterrupted row of critical results counts", () => {
  let since = criticalSince(undefined, "critical", at(1_000));
  since = criticalSince(since, "critical", at(2_000));
  expect(since).toBe(1_000);
  since = criticalSince(since, "warning", at(3_000));
  expect(since).toBeUndefined();
  expect(criticalSince(since, "critical", at(4_000))).toBe(4_000);
});

test.each([
  // service  critical since  after    now      due
  ["web", 1_000, 60_000, 61_000, false],
  ["web", 1_000, 60_000, 61_001, true],
  ["web", undefined, 60_000, 999_999, false],
  ["web", 1_000, 0, 999_999, false],
  ["", 1_000, 60_000, 999_999, false],
])("service %j critical since %j, after %i, at %i: %j", (serviceId, since, afterMs, now, due) => {
  const check = {
    checkId: "c",
    serviceId,
    criticalSince: since === undefined ? undefined : at(since),
    deregisterAfterMs: afterMs,
  };
  const expected = due ? [{ serviceId, checkId: "c" }] : [];
  expect(dueForDeregistration([check], at(now))).toStrictEqual(expected);
});

test("a service with several overdue checks is named once", () => {
  const overdue = { criticalSince: at(0), deregisterAfterMs: 60_000 };
  const checks = [
    { ...overdue, checkId: "a", serviceId: "web" },
    { ...overdue, checkId: "b", serviceId: "web" },
    { ...overdue, checkId: "c", serviceId: "db" },
  ];
  expect(dueForDeregistration(checks, at(60_001))).toStrictEqual([
    { serviceId: "web", checkId: "a" },
    { serviceId: "db", checkId: "c" },
  ]);
});
