import { array, assert, constant, nat, oneof, property, record } from "fast-check";
import { expect, test } from "vitest";
import { TimerHeap, type Timer } from "./timer-heap.ts";

test("whatever is armed and cancelled, the rest fires by instant and then in arming order", () => {
  const steps = array(
    oneof(
      record({ kind: constant("arm" as const), at: nat(20) }),
      record({ kind: constant("cancel" as const), which: nat(50) }),
      record({ kind: constant("fire" as const) }),
    ),
    { maxLength: 200 },
  );
  assert(
    property(steps, (story) => {
      const heap = new TimerHeap();
      const armed: Timer[] = [];
      let expected: Timer[] = [];
      for (const step of story) {
        if (step.kind === "arm") {
          const timer = { at: step.at, armed: armed.length, fire: () => {}, place: -1 };
          armed.push(timer);
          heap.add(timer);
          expected = [...expected, timer].toSorted((a, b) => a.at - b.at || a.armed - b.armed);
        } else {
          const timer = step.kind === "fire" ? heap.first() : armed[step.which];
          if (timer === undefined) continue;
          heap.remove(timer);
          expected = expected.filter((other) => other !== timer);
        }
        expect(heap.size).toBe(expected.length);
        expect(heap.first()).toBe(expected[0]);
      }
    }),
  );
});
