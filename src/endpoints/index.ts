export type { EndpointContext, Leadership, QueryLimits, SessionTimers } from "./context.ts";
export { localDelegate } from "./methods.ts";
