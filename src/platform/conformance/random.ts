import { describe, expect, test } from "vitest";
import type { Subject } from "./subject.ts";

export function randomConformance(subject: () => Subject): void {
  describe("random", () => {
    test("floats lie in [0, 1) and are spread over it", () => {
      const { random } = subject().platform;
      const drawn = Array.from({ length: 4000 }, () => random.float());
      expect(drawn.every((value) => value >= 0 && value < 1)).toBe(true);
      for (let tenth = 0; tenth < 10; tenth += 1) {
        const inside = drawn.filter((value) => Math.floor(value * 10) === tenth).length;
        expect(inside).toBeGreaterThan(250);
        expect(inside).toBeLessThan(550);
      }
    });

    test("bytes are as many as asked for, and do not repeat", () => {
      const { random } = subject().platform;
      for (const count of [0, 1, 3, 4, 16, 1001]) expect(random.bytes(count)).toHaveLength(count);
      const drawn = new Set(
        Array.from({ length: 100 }, () => Buffer.from(random.bytes(16)).toString("hex")),
      );
      expect(drawn.size).toBe(100);
    });

    test("forks differ from each other and from their parent, even under one label", () => {
      const { random } = subject().platform;
      const streams = [random, random.fork("a"), random.fork("a"), random.fork("b")];
      const first = streams.map((stream) => Buffer.from(stream.bytes(16)).toString("hex"));
      expect(new Set(first).size).toBe(streams.length);
    });
  });
}
