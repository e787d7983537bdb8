/**
 * Which seeds a test runs: the same ones always, so that what was found stays found, and some that nobody has seen.
 * `SEED=4711 npx vitest run sim/run.test.ts` runs only that one again; `SEED=1 SEEDS=2000` so many from there.
 */
import type { Random } from "../src/platform/index.ts";

/** Numbers print as they are, and leave room to count on. */
const SEED_MAX = 2 ** 40;

export interface SeedRange {
  readonly name: "fixed" | "fresh" | "given";
  readonly from: number;
  readonly count: number;
}
export interface SeedCounts {
  readonly fixed: number;
  readonly fresh: number;
}

/** @param environment SEED and SEEDS, if somebody gives them */
export function seedRanges(
  { fixed, fresh }: SeedCounts,
  random: Random,
  environment: Readonly<Record<string, string | undefined>>,
): readonly SeedRange[] {
  const { SEED, SEEDS } = environment;
  if (SEED !== undefined) return [{ name: "given", from: Number(SEED), count: Number(SEEDS ?? 1) }];
  const from = Math.floor(random.float() * SEED_MAX);
  return [
    { name: "fixed", from: 1, count: fixed },
    { name: "fresh", from, count: fresh },
  ];
}
