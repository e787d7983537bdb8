/**
 * The decisions of a server that its promises to clients rest on. They stand in one table so that the tests can put a
 * wrong decision in the place of one, and show that the simulator notices (`sim/datacenter-mutants.ts`).
 */
import { whoseIs, type MethodName, type QueryOptions } from "../rpc/index.ts";
import { Store } from "../store/index.ts";

/** A call, and how this server stands to its cluster. */
export interface AskedOf {
  readonly method: MethodName;
  readonly consistency: QueryOptions["Consistency"] | undefined;
  readonly isLeader: boolean;
  /** It has heard of a leader since it runs. */
  readonly hasContact: boolean;
}

export interface ServerRules {
  /** The state that the log's commands go to. */
  readonly newStore: () => Store;
  /** Whether a server answers from its own store, without asking whether anybody else leads. */
  readonly answersAlone: (asked: AskedOf) => boolean;
  /** How long the leader refuses a lock whose delay has so long to go. */
  readonly lockDelayMs: (remainingMs: number) => number;
}

export const SERVER_RULES: ServerRules = {
  newStore: () => new Store(),
  answersAlone: ({ method, consistency, isLeader, hasContact }) => {
    if (whoseIs(method) === "anybody") return true;
    if (whoseIs(method) !== "read") return false;
    return (isLeader && consistency !== "consistent") || (hasContact && consistency === "stale");
  },
  lockDelayMs: (remainingMs) => remainingMs,
};
