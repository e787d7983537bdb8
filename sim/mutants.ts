/**
 * Deliberate bugs, to see that the simulator sees. Each puts one wrong decision in the place of a right one, or
 * something that does not keep its promise under the driver; none of it is in the product.
 */
import type { Disk, DiskFile } from "../src/platform/index.ts";
import type { StateMachine } from "../src/raft/index.ts";
import type { Rules } from "../src/raft/rules.ts";
import type { Wal, WalEntry } from "../src/wal/index.ts";
import type { RegisterResult } from "./register.ts";
import type { Mutation } from "./server.ts";

export interface Mutant {
  readonly name: string;
  readonly mutation: Mutation;
}

type Machine = StateMachine<RegisterResult>;

export const MUTANTS: readonly Mutant[] = [
  wrong("half of the voters are enough", {
    majorityOf: (voterCount) => Math.max(1, Math.floor(voterCount / 2)),
  }),
  wrong("nonvoters are counted", { countsForMajority: () => true }),
  wrong("votes twice in a term", { mayVoteFor: () => true }),
  wrong("votes for who lacks entries", { isUpToDate: () => true }),
  wrong("the previous entry is not compared", { matchesPrevious: () => true }),
  wrong("cuts the log at every request", { conflicts: () => true }),
  wrong("takes what it has for what the leader has", {
    followerCommit: (leaderCommit, _lastVerified, lastIndex) => Math.min(leaderCommit, lastIndex),
  }),
  wrong("commits an earlier term's entry by counting", { mayCommit: () => true }),
  wrong("changes members before the last change is committed", { mayChangeMembers: () => true }),
  wrong("changes members before an entry of its term is committed", {
    mayChangeMembers: (latestChange, commitIndex) => latestChange <= commitIndex,
  }),
  wrong("reads before an entry of its term is committed", { knowsCommitted: () => true }),
  wrong("reads without a round", { confirms: () => true }),
  wrong("the lease never ends", { leaseHolds: () => true }),
  wrong("the lease outlives a transfer", { leaseOutlivesTransfer: () => true }),
  wrong("elects another while there is a leader", { refusesWhileLed: () => false }),
  wrong("votes at once after a restart", { ledAtStart: () => false }),
  { name: "acknowledges before the sync", mutation: { wal: acknowledgesEarly } },
  { name: "does not sync", mutation: { disk: unsyncedDisk } },
  {
    name: "forgets term and vote",
    mutation: { wal: (wal) => instead(wal, { saveHardState: () => Promise.resolve() }) },
  },
  {
    name: "forgets the vote",
    mutation: {
      wal: (wal) =>
        instead(wal, { saveHardState: ({ term }) => wal.saveHardState({ term, vote: "" }) }),
    },
  },
  { name: "applies out of order", mutation: { wal: readsOutOfOrder } },
  { name: "applies an entry twice", mutation: { stateMachine: appliesTwice } },
  { name: "a snapshot is older than it says", mutation: { stateMachine: oldSnapshots } },
  {
    name: "a restored snapshot is added to what was there",
    mutation: { stateMachine: keepsState },
  },
  {
    name: "does not cut what conflicts on disk",
    mutation: { wal: (wal) => instead(wal, { truncateFrom: () => Promise.resolve() }) },
  },
];

function wrong(name: string, rules: Partial<Rules>): Mutant {
  return { name, mutation: { rules } };
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
