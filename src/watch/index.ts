export { follow, type WatchAnswer, type WatchChange } from "./follow.ts";
export { planWatch, type WatchParameter, type WatchParameters, type WatchPlan } from "./plan.ts";
