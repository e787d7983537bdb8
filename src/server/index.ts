export type { Consensus } from "./consensus.ts";
export type { PoolMember } from "./pool-member.ts";
export type { ServerRules } from "./rules.ts";
export { contactText } from "./raft-stats.ts";
export { startServer } from "./server.ts";
export type { Server, ServerNeeds, ServerPool } from "./server.ts";
export { ipAddress } from "./rpc-port.ts";
export { knownServer } from "./server-directory.ts";
