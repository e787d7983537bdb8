import * as fc from "fast-check";
import { expect, test } from "vitest";
import { textTimestamp } from "../log-timestamp.ts";
import { nodeHost } from "./host.ts";

test("log timestamps agree with the language's own calendar, leap days included", () => {
  const years1To9999 = { min: -62_135_596_800_000, max: 253_402_300_799_999 };
  fc.assert(
    fc.property(fc.integer(years1To9999), (wallMs) => {
      expect(textTimestamp(wallMs, 0)).toBe(new Date(wallMs).toISOString());
    }),
    { numRuns: 1000 },
  );
});

test("the zone is the machine's, east positive, summer time included", () => {
  const zoneBefore = process.env["TZ"];
  const january = Date.UTC(2026, 0, 1);
  const july = Date.UTC(2026, 6, 1);
  const offsets = (zone: string): readonly number[] => {
    process.env["TZ"] = zone;
    return [january, july].map((wallMs) => nodeHost().zoneOffsetMinutes(wallMs));
  };
  try {
    expect(offsets("Europe/Berlin")).toEqual([60, 120]);
    expect(offsets("America/St_Johns")).toEqual([-210, -150]);
    expect(offsets("UTC").map(Math.abs)).toEqual([0, 0]);
  } finally {
    if (zoneBefore === undefined) delete process.env["TZ"];
    else process.env["TZ"] = zoneBefore;
  }
});
