import { expect, test } from "vitest";
import { readDuration } from "./durations.ts";

// Reasons as Consul 1.8.7 prints them.
test.each([
  ["10", 'time: missing unit in duration "10"'],
  ["1h30", 'time: missing unit in duration "1h30"'],
  ["-5", 'time: missing unit in duration "-5"'],
  ["1d", 'time: unknown unit "d" in duration "1d"'],
  ["1 s", 'time: unknown unit " s" in duration "1 s"'],
  ["x", 'time: invalid duration "x"'],
  [".s", 'time: invalid duration ".s"'],
  ["9999999h", 'time: invalid duration "9999999h"'],
])("%s: %s", (text, reason) => {
  const errors: string[] = [];
  expect(readDuration(text, "key", errors)).toBe(0);
  expect(errors).toEqual([`key: invalid duration: "${text}": ${reason}`]);
});

test.each([
  ["", 0],
  ["0", 0],
  ["1h30m", 5400e9],
  ["-1s", -1e9],
])("%j is %d ns", (text, nanoseconds) => {
  const errors: string[] = [];
  expect(readDuration(text, "key", errors)).toBe(nanoseconds);
  expect(errors).toEqual([]);
});
