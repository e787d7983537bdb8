// Each deliberate bug is noticed, by a seed that finds nothing wrong without it. Lost a seed, as the faults have
// changed? `npm run sim -- --mutants` tells the new ones.
import { expect, test } from "vitest";
import { MUTANTS, violationOf } from "./mutants.ts";

test.each(MUTANTS)("seed $seed notices in $where: $name", async ({ where, mutation, seed }) => {
  expect(await violationOf({ where, mutation }, seed)).toBeDefined();
  expect(await violationOf({ where, mutation: {} }, seed)).toBeUndefined();
});
