/**
 * The log of a server that is alone and keeps nothing: a command is committed the moment it is given.
 */
import { RollcallError } from "../errors/index.ts";
import type { Peer } from "../raft/index.ts";
import type { ApplyEffects, Store } from "../store/index.ts";
import type { Consensus } from "./consensus.ts";
import type { StoreMachine } from "./fsm.ts";

/** It was elected at its first attempt; the term before it is that of the bootstrap. */
const TERM = 2;

export interface LoneLogNeeds extends Pick<StoreMachine, "stateMachine"> {
  readonly store: Store;
  readonly self: Peer;
  /** A command was applied, and not refused. */
  readonly onApplied: (index: number, effects: ApplyEffects) => void;
}

export function loneLog({ store, self, stateMachine, onApplied }: LoneLogNeeds): Consensus {
  let lastIndex = store.lastIndex;
  let isOpen = true;
  const refuse = (): Promise<never> => {
    const text = "need at least one voter in configuration";
    return Promise.reject(new RollcallError("request/refused", text));
  };
  return {
    get isLeader() {
      return isOpen;
    },
    leader: self,
    term: TERM,
    get lastIndex() {
      return lastIndex;
    },
    lastTerm: TERM,
    get commitIndex() {
      return lastIndex;
    },
    get appliedIndex() {
      return lastIndex;
    },
    appliedTerm: TERM,
    lastContactMs: 0,
    members: [{ ...self, isVoter: true }],
    membersIndex: 1,
    snapshot: { index: 0, term: 0 },
    async apply(command) {
      if (!isOpen) throw new RollcallError("raft/no-leader");
      lastIndex += 1;
      const result = store.apply(lastIndex, command);
      if (result.kind === "done") onApplied(lastIndex, result.effects);
      return result;
    },
    barrier: () => Promise.resolve(),
    confirm: () => Promise.resolve(),
    change: refuse,
    transferLeadership: refuse,
    async restore(slices, index) {
      await stateMachine.restore(slices);
      // As raft counts: the state itself, and a noop behind it.
      lastIndex = Math.max(lastIndex, index) + 2;
    },
    subscribe: () => ({ [Symbol.dispose]: () => {} }),
    async [Symbol.asyncDispose]() {
      isOpen = false;
    },
  };
}
