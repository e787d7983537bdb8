export type * from "./platform.ts";
export { noLogger } from "./logger.ts";
export type { LogFields, Logger } from "./logger.ts";
