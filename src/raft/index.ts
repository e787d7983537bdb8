/** Consensus: one log for many servers (Raft). The core is pure (core.ts); drivers carry out what it decides. */
export type { Change, Configuration, Server, ServerId, Suffrage } from "./configuration.ts";
export type { Effect } from "./effects.ts";
