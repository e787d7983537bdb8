/**
 * Deliberate bugs, to see that the simulator sees. Each puts one wrong decision in the place of a right one, or
 * something that does not keep its promise under the core or its driver; none of it is in the product.
 */
import type { Disk, DiskFile } from "../src/platform/index.ts";
import type { StateMachine } from "../src/raft/index.ts";
import type { Rules } from "../src/raft/rules.ts";
import type { Write } from "../src/raft/testkit.ts";
import type { Wal, WalEntry } from "../src/wal/index.ts";
import { runSoup, type CoreMutation } from "./core-soup.ts";
import type { RegisterResult } from "./register.ts";
import { run } from "./run.ts";
import type { Mutation } from "./server.ts";

/** `seed`: the first, from 1, that catches it. `npm run sim -- --mutants` finds it again when the faults change. */
export type Mutant = Readonly<{ name: string; seed: number }> &
  (
    | Readonly<{ where: "cores"; mutation: CoreMutation }>
    | Readonly<{ where: "clusters"; mutation: Mutation }>
  );
type Machine = StateMachine<RegisterResult>;

export const MUTANTS: readonly Mutant[] = [
  wrong("half of the voters are enough", 1, {
    majorityOf: (voterCount) => Math.max(1, Math.floor(voterCount / 2)),
  }),
  wrong("nonvoters are counted", 84, { countsForMajority: () => true }),
  wrong("votes twice in a term", 1, { mayVoteFor: () => true }),
  wrong("votes for who lacks entries", 1, { isUpToDate: () => true }),
  wrong("the previous entry is not compared", 1, { matchesPrevious: () => true }),
  wrong("cuts the log at every request", 1, { conflicts: () => true }),
  wrong("takes what it has for what the leader has", 1, {
    followerCommit: (leaderCommit, _lastVerified, lastIndex) => Math.min(leaderCommit, lastIndex),
    // A leader that says no more than it has shown does no harm to such a follower.
    commitToSend: (commitIndex) => commitIndex,
  }),
  wrong("commits an earlier term's entry by counting", 108, { mayCommit: () => true }),
  wrong("changes members before the last change is committed", 44, {
    mayChangeMembers: () => true,
  }),
  wrong("changes members before an entry of its term is committed", 490, {
    mayChangeMembers: (latestChange, commitIndex) => latestChange <= commitIndex,
  }),
  wrong("reads before an entry of its term is committed", 1, { knowsCommitted: () => true }),
  wrong("reads without a round", 1, { confirms: () => true }),
  wrong("the lease never ends", 8, { leaseHolds: () => true }),
  wrong("the lease outlives a transfer", 1, { leaseOutlivesTransfer: () => true }),
  wrong("elects another while there is a leader", 85, { refusesWhileLed: () => false }),
  wrong("votes at once after a restart", 264, { ledAtStart: () => false }),
  inCores("acknowledges before the sync", 109, { reports: "early" }),
  inCores("forgets term and vote", 1, { kept: forgetsTermAndVote }),
  inCores("forgets the vote", 1, { kept: forgetsVote }),
  inClusters("the log acknowledges before the sync", 116, { wal: acknowledgesEarly }),
  inClusters("the disk does not sync", 3, { disk: unsyncedDisk }),
  inClusters("the log forgets term and vote", 100, {
    wal: (wal) => instead(wal, { saveHardState: () => Promise.resolve() }),
  }),
  inClusters("applies out of order", 1, { wal: readsOutOfOrder }),
  inClusters("applies an entry twice", 1, { stateMachine: appliesTwice }),
  inClusters("a snapshot is older than it says", 6, { stateMachine: oldSnapshots }),
  inClusters("a restored snapshot is added to what was there", 7, { stateMachine: keepsState }),
  inClusters("does not cut what conflicts on disk", 2, {
    wal: (wal) => instead(wal, { truncateFrom: () => Promise.resolve() }),
  }),
];

/** @returns what is seen to go wrong with that seed; undefined if nothing is */
export async function violationOf(
  { where, mutation }: Pick<Mutant, "where" | "mutation">,
  seed: number,
): Promise<string | undefined> {
  const result = where === "cores" ? runSoup({ seed, mutation }) : await run({ seed, mutation });
  return result.violation;
}

function wrong(name: string, seed: number, rules: Partial<Rules>): Mutant {
  return inCores(name, seed, { rules });
}

function inCores(name: string, seed: number, mutation: CoreMutation): Mutant {
  return { name, seed, where: "cores", mutation };
}

function inClusters(name: string, seed: number, mutation: Mutation): Mutant {
  return { name, seed, where: "clusters", mutation };
}

function forgetsTermAndVote(write: Write): Write {
  return write.kind === "persist" ? { ...write, hardState: undefined } : write;
}

function forgetsVote(write: Write): Write {
  if (write.kind !== "persist" || write.hardState === undefined) return write;
  return { ...write, hardState: { ...write.hardState, vote: "" } };
}

/** The same object but for some of its methods. */
function instead<T extends object>(whole: T, parts: Partial<T>): T {
  return new Proxy(whole, {
    get(target, property) {
      const from = property in parts ? (parts as T) : target;
      const value: unknown = Reflect.get(from, property, from);
      return typeof value === "function" ? (value.bind(from) as unknown) : value;
    },
  });
}

function acknowledgesEarly(wal: Wal): Wal {
  return instead(wal, {
    append: (entries: readonly WalEntry[]) => {
      wal.append(entries).catch(() => undefined);
      return Promise.resolve();
    },
  });
}

function unsyncedDisk(disk: Disk): Disk {
  const unsynced = (file: DiskFile): DiskFile => instead(file, { sync: () => Promise.resolve() });
  return instead(disk, { open: async (path: string) => unsynced(await disk.open(path)) });
}

function readsOutOfOrder(wal: Wal): Wal {
  return instead(wal, {
    read: async (from: number, through: number, maxBytes: number) => {
      const entries = await wal.read(from, through, maxBytes);
      const [first, second, ...others] = entries;
      return first === undefined || second === undefined ? entries : [second, first, ...others];
    },
  });
}

function appliesTwice(machine: Machine): Machine {
  let count = 0;
  return instead(machine, {
    apply: (entry: Parameters<Machine["apply"]>[0]) => {
      count += 1;
      if (count % 10 === 0) machine.apply(entry);
      return machine.apply(entry);
    },
  });
}

function oldSnapshots(machine: Machine): Machine {
  let before: Uint8Array[] = [];
  return instead(machine, {
    snapshot: () => {
      const now = [...(machine.snapshot() as Iterable<Uint8Array>)];
      const given = before.length > 0 ? before : now;
      before = now;
      return given;
    },
  });
}

function keepsState(machine: Machine): Machine {
  let restored = 0;
  return instead(machine, {
    restore: (slices: AsyncIterable<Uint8Array>) => {
      restored += 1;
      return restored > 1 ? Promise.resolve() : machine.restore(slices);
    },
  });
}
