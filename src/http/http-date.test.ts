import * as fc from "fast-check";
import { expect, test } from "vitest";
import { dateHeader, httpDate } from "./http-date.ts";

const UTC = new Intl.DateTimeFormat("en-US", {
  timeZone: "UTC",
  hourCycle: "h23",
  weekday: "short",
  day: "2-digit",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

test("agrees with the platform's own, at any second until the year 9999", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 253_402_300_799 }), (second) => {
      const parts = new Map(
        UTC.formatToParts(second * 1000).map(({ type, value }) => [type, value]),
      );
      const [weekday, day, month, year] = ["weekday", "day", "month", "year"].map((type) =>
        parts.get(type as Intl.DateTimeFormatPartTypes),
      );
      const time = `${parts.get("hour")}:${parts.get("minute")}:${parts.get("second")}`;
      expect(httpDate(second * 1000)).toBe(
        `${weekday}, ${day} ${month} ${year?.padStart(4, "0")} ${time} GMT`,
      );
    }),
    { numRuns: 2000 },
  );
});

test("the header follows the clock", () => {
  let now = 1_606_000_000_000;
  const date = dateHeader(() => now);
  expect(date()).toBe("Sat, 21 Nov 2020 23:06:40 GMT");
  now += 999;
  expect(date()).toBe("Sat, 21 Nov 2020 23:06:40 GMT");
  now += 1;
  expect(date()).toBe("Sat, 21 Nov 2020 23:06:41 GMT");
});
