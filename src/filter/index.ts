export { compileFilter } from "./compile-filter.ts";
