import { expect, test } from "vitest";
import { HeldBytesLimit, type HeldBytes } from "./held-bytes.ts";

function scene(maxBytes: number, names: readonly string[]) {
  const limit = new HeldBytesLimit(maxBytes);
  const givenUp: string[] = [];
  const held = new Map<string, HeldBytes>();
  for (const name of names)
    held.set(
      name,
      limit.connection(() => givenUp.push(name)),
    );
  const of = (name: string): HeldBytes => {
    const found = held.get(name);
    if (found === undefined) throw new Error(`no ${name}`);
    return found;
  };
  return { limit, givenUp, of };
}

test("beyond the limit the one that holds most is given up, whoever went over it", () => {
  const { limit, givenUp, of } = scene(100, ["small", "large", "last"]);
  of("small").add(20);
  of("large").add(70);
  of("last").add(10);
  expect(givenUp).toEqual([]);
  of("last").add(1);
  expect(givenUp).toEqual(["large"]);
  expect(limit.totalBytes).toBe(31);
});

test("as many are given up as have to be", () => {
  const { limit, givenUp, of } = scene(100, ["a", "b", "c"]);
  of("a").add(30);
  of("b").add(40);
  of("c").add(1000);
  expect(givenUp).toEqual(["c"]);
  of("a").add(70);
  expect(givenUp).toEqual(["c", "a"]);
  expect(limit.totalBytes).toBe(40);
});

test("who is given up counts no more, whatever it still reports", () => {
  const { limit, givenUp, of } = scene(100, ["a", "b"]);
  of("a").add(101);
  of("a").add(-101);
  of("a").add(5000);
  of("b").add(60);
  expect(givenUp).toEqual(["a"]);
  expect(limit.totalBytes).toBe(60);
  limit.forget(of("b"));
  limit.forget(of("b"));
  expect(limit.totalBytes).toBe(0);
});
