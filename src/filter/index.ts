export { compileFilter } from "./compile-filter.ts";
export { submatchFinder } from "./re2-captures.ts";
export { regexMatcher } from "./re2-program.ts";
