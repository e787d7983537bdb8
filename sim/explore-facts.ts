/**
 * What must hold in every state that the explorer finds (paper, figure 3): one leader a term; logs that agree on an
 * entry agree before it; a leader has everything that was committed in earlier terms; what is committed stays the
 * same, and stays on the disks of a majority.
 */
import type { Entry } from "../src/raft/entry.ts";
import { logOf, type ServerState } from "./explore-server.ts";
import { Violation } from "./invariants.ts";

/** Of one server's state. In logs an entry is a character, for its term and type. */
export interface Facts {
  readonly id: string;
  readonly isLeader: boolean;
  readonly term: number;
  readonly log: string;
  readonly durableLog: string;
  readonly committed: string;
}

/** What was so at some time and must not be otherwise later. */
export interface Seen {
  /** A character a term: who led in it. */
  readonly leaders: string;
  readonly committed: string;
  /** A character an entry of that: the term in which it was committed. */
  readonly committedIn: string;
}
export const NOTHING_SEEN: Seen = { leaders: "", committed: "", committedIn: "" };

const NOBODY = ".";
const TYPES = ["configuration", "noop", "command"];

export function factsOf(state: ServerState): Facts {
  const { core, entries } = state;
  const log = letters(logOf(state));
  return {
    id: core.state.options.id,
    isLeader: core.role === "leader",
    term: core.term,
    log,
    durableLog: letters(entries),
    committed: log.slice(0, core.commitIndex),
  };
}

/** @throws {Violation} if a server's state does not agree with what was before */
export function seenAfter(seen: Seen, { id, isLeader, term, committed }: Facts): Seen {
  let { leaders } = seen;
  if (isLeader) {
    leaders = leaders.padEnd(term + 1, NOBODY);
    const other = leaders[term] as string;
    if (other !== NOBODY && other !== id) {
      throw new Violation(`two leaders in term ${term}: ${other} and ${id}`);
    }
    leaders = leaders.slice(0, term) + id + leaders.slice(term + 1);
  }
  if (!committed.startsWith(seen.committed) && !seen.committed.startsWith(committed)) {
    throw new Violation(`${id} commits something else than was committed before`);
  }
  const news = committed.length - seen.committed.length;
  if (news <= 0) return { ...seen, leaders };
  const committedIn = seen.committedIn + String.fromCharCode(term).repeat(news);
  return { leaders, committed, committedIn };
}

/** @throws {Violation} if something does not hold of all servers together */
export function demandSound({ committed, committedIn }: Seen, servers: readonly Facts[]): void {
  const holders = servers.filter(({ durableLog }) => durableLog.startsWith(committed));
  if (committed.length > 0 && 2 * holders.length <= servers.length) {
    throw new Violation("what is committed is not on the disks of a majority");
  }
  for (const [place, { id, isLeader, term, log }] of servers.entries()) {
    if (isLeader) {
      let owed = committed.length;
      while (owed > 0 && committedIn.charCodeAt(owed - 1) >= term) owed -= 1;
      if (!log.startsWith(committed.slice(0, owed))) {
        throw new Violation(`${id} leads in term ${term} without what was committed before`);
      }
    }
    for (const other of servers.slice(place + 1)) demandMatch(log, other.log);
  }
}

function demandMatch(one: string, other: string): void {
  let index = Math.min(one.length, other.length) - 1;
  while (index >= 0 && one[index] !== other[index]) index -= 1;
  if (index > 0 && !one.startsWith(other.slice(0, index))) {
    throw new Violation("two logs have the same entry, but not the same before it");
  }
}

function letters(log: readonly Entry[]): string {
  return log
    .map(({ term, type }) => String.fromCharCode(term * TYPES.length + TYPES.indexOf(type)))
    .join("");
}
