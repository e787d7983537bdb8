export type { Consensus } from "./consensus.ts";
export type { PoolMember } from "./pool-member.ts";
export { contactText } from "./raft-stats.ts";
export { startServer } from "./server.ts";
export type { Server, ServerNeeds, ServerPool, WanPool } from "./server.ts";
export { dialServer, ipAddress } from "./rpc-port.ts";
export { knownServer } from "./server-directory.ts";
export type { KnownServer } from "./server-directory.ts";
