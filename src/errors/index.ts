export { RollcallError, errorList, messageOf, unreachable } from "./errors.ts";
export type { ErrorCode } from "./errors.ts";
