export { FILTER_ERROR_PREFIX, compileFilter } from "./compile-filter.ts";
