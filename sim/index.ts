/** What scripts/sim.mjs runs. */
export { runSoup } from "./core-soup.ts";
export { MUTANTS, violationOf } from "./mutants.ts";
export { run, shrink } from "./run.ts";
