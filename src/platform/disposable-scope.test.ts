import { expect, test } from "vitest";
import { DisposableScope } from "./disposable-scope.ts";

test("closes in reverse, awaiting each, once", async () => {
  const closed: string[] = [];
  const scope = new DisposableScope();
  scope.use({ [Symbol.dispose]: () => closed.push("first") });
  scope.defer(async () => {
    await Promise.resolve();
    closed.push("second");
  });
  const third = { [Symbol.asyncDispose]: async () => void closed.push("third") };
  expect(scope.use(third)).toBe(third);
  await Promise.all([scope[Symbol.asyncDispose](), scope[Symbol.asyncDispose]()]);
  expect(closed).toEqual(["third", "second", "first"]);
  expect(() => scope.defer(() => {})).toThrow("closed");
});

test("one failure does not keep the rest open, and is thrown", async () => {
  const closed: string[] = [];
  const scope = new DisposableScope();
  scope.defer(() => closed.push("first"));
  scope.defer(() => Promise.reject(new Error("stuck")));
  scope.defer(() => closed.push("third"));
  await expect(scope[Symbol.asyncDispose]()).rejects.toThrow("stuck");
  expect(closed).toEqual(["third", "first"]);
});

test("several failures are thrown together", async () => {
  const scope = new DisposableScope();
  for (const name of ["a", "b"]) scope.defer(() => Promise.reject(new Error(name)));
  const failure: unknown = await scope[Symbol.asyncDispose]().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(AggregateError);
  expect((failure as AggregateError).errors.map(String)).toEqual(["Error: b", "Error: a"]);
});
