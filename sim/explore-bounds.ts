/** What is explored with every build, and what takes longer (`npm run sim -- --explore`). */
import type { Bounds } from "./explore.ts";

/** Figure 8 (b) of the paper: each of two has been the leader and reached nobody. */
export const FIGURE_8: NonNullable<Bounds["logs"]> = [[1, 2], [1, 3], [1]];

const NEW: Bounds = {
  timeouts: 2,
  proposals: 0,
  crashes: 0,
  losses: 0,
  flightsMax: 4,
  disks: "fast",
  statesMax: 1_000_000,
};
const LARGE: Bounds = { ...NEW, statesMax: 8_000_000 };

export const BUILD_BOUNDS: readonly Bounds[] = [
  { ...NEW, proposals: 1 },
  { ...NEW, crashes: 1 },
  { ...NEW, losses: 1 },
  { ...NEW, disks: "slow" },
  { ...NEW, timeouts: 1, proposals: 1, crashes: 1, losses: 1 },
];

export const LARGER_BOUNDS: readonly Bounds[] = [
  { ...LARGE, timeouts: 3 },
  { ...LARGE, timeouts: 1, proposals: 2, crashes: 1, losses: 1 },
  { ...LARGE, logs: FIGURE_8, crashes: 1 },
  { ...LARGE, logs: FIGURE_8, proposals: 1 },
  { ...LARGE, logs: FIGURE_8, disks: "slow" },
  { ...LARGE, proposals: 1, disks: "slow" },
  { ...LARGE, proposals: 1, crashes: 1 },
];
