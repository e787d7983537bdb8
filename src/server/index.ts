export { startServer } from "./server.ts";
export type { Server, ServerNeeds } from "./server.ts";
export type { PoolMember } from "./member-reconciler.ts";
