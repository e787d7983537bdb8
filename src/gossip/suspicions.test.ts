import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Instant } from "../platform/index.ts";
import { Suspicion } from "./suspicion.ts";
import { Suspicions } from "./suspicions.ts";

const SETTINGS = { suspicionMult: 4, suspicionMaxTimeoutMult: 6, probeIntervalMs: 1000 };
const NAMES = Array.from({ length: 12 }, (_, i) => `n${i}`);

// The model searches through all of them each time.
test("random use: the next to fall due is the earliest of all, whoever came, agreed or went meanwhile", () => {
  const step = fc.record({
    what: fc.constantFrom("suspect", "agree", "clear"),
    name: fc.constantFrom(...NAMES),
    by: fc.constantFrom("x", "y", "z"),
    atMs: fc.integer({ min: 0, max: 60_000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const suspicions = new Suspicions();
      const model = new Map<string, Suspicion>();
      const make = (by: string, atMs: number) => new Suspicion(by, 100, SETTINGS, atMs as Instant);
      for (const { what, name, by, atMs } of steps) {
        if (what === "suspect" && !model.has(name)) {
          suspicions.add(name, make(by, atMs));
          model.set(name, make(by, atMs));
        } else if (what === "agree") {
          expect(suspicions.agree(name, by)).toBe(model.get(name)?.agree(by) ?? false);
        } else if (what === "clear") {
          suspicions.delete(name);
          model.delete(name);
        }
        const due = [...model.values()].map(({ dueAt }) => dueAt);
        expect(suspicions.nextDueAt).toBe(due.length === 0 ? undefined : Math.min(...due));
        const dueBy = [...model].filter(([, { dueAt }]) => dueAt <= atMs).map(([each]) => each);
        expect(suspicions.dueBy(atMs as Instant).map(([each]) => each)).toEqual(dueBy);
      }
    }),
  );
});
