/** What scripts/sim.mjs runs. */
export { runSoup } from "./core-soup.ts";
export { DATACENTER_MUTANTS, datacenterViolationOf } from "./datacenter-mutants.ts";
export { runDatacenter, shrinkDatacenter } from "./datacenter-run.ts";
export { explore } from "./explore.ts";
export { BUILD_BOUNDS, LARGER_BOUNDS } from "./explore-bounds.ts";
export { MUTANTS, violationOf } from "./mutants.ts";
export { run, shrink } from "./run.ts";
