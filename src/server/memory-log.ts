/**
 * The replicated log of a cluster of one, in memory: a command is committed the moment it is given. The
 * consensus log takes its place behind the same `Log`.
 */
import type { Command } from "../model/index.ts";
import type { ApplyEffects, ApplyResult, Store } from "../store/index.ts";

export interface Log {
  /** Resolves once the command was applied to this server's store. */
  apply(command: Command): Promise<ApplyResult>;
}

export function memoryLog(
  store: Store,
  onApplied: (index: number, effects: ApplyEffects) => void,
): Log {
  let lastIndex = store.lastIndex;
  return {
    async apply(command) {
      lastIndex += 1;
      const result = store.apply(lastIndex, command);
      if (result.kind === "done") onApplied(lastIndex, result.effects);
      return result;
    },
  };
}
