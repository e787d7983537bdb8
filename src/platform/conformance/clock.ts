import { describe, expect, test } from "vitest";
import type { Subject } from "./subject.ts";

export function clockConformance(subject: () => Subject): void {
  describe("clock", () => {
    test("fires once, not before its delay, and never before `after` returns", async () => {
      const { platform, elapse } = subject();
      const armedAt = platform.clock.now();
      const firedAfter: number[] = [];
      platform.clock.after(5, () => firedAfter.push(platform.clock.now() - armedAt));
      platform.clock.after(0, () => firedAfter.push(-1));
      platform.clock.after(-10, () => firedAfter.push(-2));
      expect(firedAfter).toEqual([]);
      await elapse(30);
      expect(firedAfter.slice(0, 2)).toEqual([-1, -2]);
      expect(firedAfter).toHaveLength(3);
      expect(firedAfter[2]).toBeGreaterThanOrEqual(5);
    });

    test("a disposed timer does not fire; disposing twice, or after firing, is harmless", async () => {
      const { platform, elapse } = subject();
      const fired: string[] = [];
      const cancelled = platform.clock.after(2, () => fired.push("cancelled"));
      const kept = platform.clock.after(2, () => fired.push("kept"));
      cancelled[Symbol.dispose]();
      cancelled[Symbol.dispose]();
      await elapse(20);
      kept[Symbol.dispose]();
      expect(fired).toEqual(["kept"]);
    });

    test("a timer may cancel another and arm new ones", async () => {
      const { platform, elapse } = subject();
      const fired: string[] = [];
      platform.clock.after(2, () => {
        fired.push("first");
        second[Symbol.dispose]();
        platform.clock.after(2, () => fired.push("third"));
      });
      const second = platform.clock.after(10, () => fired.push("second"));
      await elapse(40);
      expect(fired).toEqual(["first", "third"]);
    });

    test.each([2 ** 31 - 1, 2 ** 31, 2 ** 40, Number.POSITIVE_INFINITY])(
      "a delay of %d ms is not mistaken for a short one",
      async (delayMs) => {
        const { platform, elapse } = subject();
        let fired = false;
        using _timer = platform.clock.after(delayMs, () => {
          fired = true;
        });
        await elapse(10);
        expect(fired).toBe(false);
      },
    );

    test("now goes forward with time, and the wall clock tells milliseconds since 1970", async () => {
      const { platform, elapse } = subject();
      const before = platform.clock.now();
      const wallBefore = platform.clock.wallMs();
      await elapse(5);
      expect(platform.clock.now() - before).toBeGreaterThanOrEqual(5);
      expect(platform.clock.wallMs()).toBeGreaterThanOrEqual(wallBefore);
      expect(wallBefore).toBeGreaterThan(1_700_000_000_000);
      expect(Number.isInteger(wallBefore)).toBe(true);
    });
  });
}
