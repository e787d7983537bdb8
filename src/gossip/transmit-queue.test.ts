import * as fc from "fast-check";
import { expect, test } from "vitest";
import { TransmitQueue } from "./transmit-queue.ts";

const ALL = { overheadBytes: 2, limitBytes: 1000, transmitLimit: 3 };

function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}
function texts(taken: readonly Uint8Array[]): string[] {
  return taken.map((message) => Buffer.from(message).toString());
}

test("what was sent least often goes first, then the largest that fits, then the newest", () => {
  const queue = new TransmitQueue({ maxMessages: 10 });
  queue.add(bytes("old"));
  expect(texts(queue.take(ALL))).toEqual(["old"]);
  for (const text of ["aa", "bbbb", "cc"]) queue.add(bytes(text));
  expect(texts(queue.take(ALL))).toEqual(["bbbb", "cc", "aa", "old"]);
  // 8 bytes: "bbbb" with its overhead is 6, and nothing fits into the 2 that are left.
  expect(texts(queue.take({ ...ALL, limitBytes: 8 }))).toEqual(["bbbb"]);
  expect(texts(queue.take({ ...ALL, limitBytes: 4 }))).toEqual(["cc"]);
});

test("each message is sent as often as the limit says, at least once, and never twice in a packet", () => {
  for (const [transmitLimit, times] of [
    [3, 3],
    [1, 1],
    [0, 1],
  ] as const) {
    const queue = new TransmitQueue({ maxMessages: 10 });
    let doneCount = 0;
    queue.add(bytes("x"), { onDone: () => (doneCount += 1) });
    for (let i = 0; i < times; i += 1) {
      expect(doneCount).toBe(0);
      expect(texts(queue.take({ ...ALL, transmitLimit }))).toEqual(["x"]);
    }
    expect(doneCount).toBe(1);
    expect(queue.take({ ...ALL, transmitLimit })).toEqual([]);
  }
});

test("a later message with the same key takes the place of the earlier one, however often that was sent", () => {
  const queue = new TransmitQueue({ maxMessages: 10 });
  const done: string[] = [];
  const add = (text: string, key?: string) =>
    queue.add(bytes(text), { ...(key && { key }), onDone: () => done.push(text) });
  add("suspect", "b");
  add("unkeyed");
  queue.take(ALL);
  add("alive", "b");
  expect(done).toEqual(["suspect"]);
  expect(texts(queue.take(ALL))).toEqual(["alive", "unkeyed"]);
  expect(queue.length).toBe(2);
});

test("who is told that a message is done may add the next one at once", () => {
  const queue = new TransmitQueue({ maxMessages: 10 });
  queue.add(bytes("1"), { key: "k", onDone: () => queue.add(bytes("22"), { key: "k" }) });
  expect(texts(queue.take({ ...ALL, transmitLimit: 1 }))).toEqual(["1"]);
  expect(texts(queue.take(ALL))).toEqual(["22"]);
  expect(queue.length).toBe(1);
});

test("a queue that is too long loses what was sent most often, then the shortest, then the oldest", () => {
  const queue = new TransmitQueue({ maxMessages: 3 });
  const lost: string[] = [];
  const add = (text: string) => queue.add(bytes(text), { onDone: () => lost.push(text) });
  add("sent");
  queue.take(ALL);
  for (const text of ["first", "last!", "tiny"]) add(text);
  expect(lost).toEqual(["sent"]);
  add("large message");
  expect(lost).toEqual(["sent", "tiny"]);
  add("large too");
  expect(lost).toEqual(["sent", "tiny", "first"]);
});

// A model that sorts everything anew for each packet.
test("random use: as the plain model has it, within the limits, and every message is done exactly once", () => {
  interface Model {
    text: string;
    id: number;
    sent: number;
  }
  const action = fc.oneof(
    fc.record({ add: fc.integer({ min: 1, max: 12 }), key: fc.option(fc.nat({ max: 4 })) }),
    fc.record({ take: fc.integer({ min: 0, max: 40 }), transmitLimit: fc.nat({ max: 4 }) }),
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const queue = new TransmitQueue({ maxMessages: 1000 });
      let model: (Model & { key: number | null })[] = [];
      const doneById = new Map<number, number>();
      let lastId = 0;
      for (const step of actions) {
        if ("add" in step) {
          lastId += 1;
          const id = lastId;
          const text = `${"x".repeat(step.add)}${id}`;
          model = model.filter(({ key }) => key === null || key !== step.key);
          model.push({ text, id, sent: 0, key: step.key });
          const onDone = () => doneById.set(id, (doneById.get(id) ?? 0) + 1);
          queue.add(bytes(text), { ...(step.key !== null && { key: String(step.key) }), onDone });
        } else {
          const { take: limitBytes, transmitLimit } = step;
          const order = model.toSorted(
            (a, b) => a.sent - b.sent || b.text.length - a.text.length || b.id - a.id,
          );
          const expected: string[] = [];
          let rest = limitBytes;
          for (const entry of order) {
            if (entry.text.length + 2 > rest) continue;
            rest -= entry.text.length + 2;
            expected.push(entry.text);
            entry.sent += 1;
          }
          const took = new Set(expected);
          model = model.filter(({ text, sent }) => !took.has(text) || sent < transmitLimit);
          expect(texts(queue.take({ overheadBytes: 2, limitBytes, transmitLimit }))).toEqual(
            expected,
          );
        }
        expect(queue.length).toBe(model.length);
        expect([...doneById.values()].every((times) => times === 1)).toBe(true);
        expect(doneById.size).toBe(lastId - model.length);
      }
    }),
    { numRuns: 300 },
  );
});
