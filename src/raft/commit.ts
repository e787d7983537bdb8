/** What is committed: stored by a majority, in the leader's own term (paper §5.3 and §5.4.2). */
import { isVoter } from "./configuration.ts";
import type { CoreState } from "./core-state.ts";
import type { Index } from "./entry.ts";
import { spreadCommit } from "./replication.ts";
import { follow } from "./roles.ts";

/** Looks whether a majority has more than before. The leader's own copy counts once it is durable. */
export function advanceCommit(core: CoreState): void {
  const { leadership, options, log } = core;
  if (leadership === undefined) return;
  const { progress } = leadership;
  const index = core.majorityOf((id) =>
    id === options.id ? core.durableIndex : (progress.get(id)?.match ?? 0),
  );
  if (index <= core.commitIndex) return;
  if (!options.rules.mayCommit(log.termAt(index) ?? 0, core.term)) return;
  commitThrough(core, index);
  leadership.commitAt = core.now + options.commitTimeoutMs;
  if (log.configurationIndex <= index && !isVoter(log.configuration, options.id)) {
    // Who is no voter leads only until that is settled (thesis §4.2.2). The others hear of it first.
    spreadCommit(core);
    follow(core, core.term, undefined);
  }
}

export function commitThrough(core: CoreState, index: Index): void {
  core.commitIndex = Math.max(core.commitIndex, index);
}
