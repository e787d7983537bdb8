export type { Consensus } from "./consensus.ts";
export type { PoolMember } from "./pool-member.ts";
export { contactText } from "./raft-stats.ts";
export { describeEntry } from "./describe-entry.ts";
export { compareSurvivors, openSurvivor, recoverAlone } from "./survivors.ts";
export type { Comparison, Elsewhere, Survivor } from "./survivors.ts";
export { startServer } from "./server.ts";
export type { Server, ServerNeeds, ServerPool } from "./server.ts";
