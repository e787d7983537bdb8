/**
 * Deliberate bugs of servers, to see that the judges of whole datacenters see. Each puts something wrong in the place of
 * one rule of `src/server/rules.ts`; none of it is in the product.
 */
import type { Command } from "../src/model/index.ts";
import { noLogger } from "../src/platform/index.ts";
import { MemberReconciler } from "../src/server/member-reconciler.ts";
import type { PoolMember } from "../src/server/pool-member.ts";
import { SERVER_RULES } from "../src/server/rules.ts";
import {
  IndexView,
  type ApplyResult,
  type Reading,
  type ReadingWaiter,
  type Store,
} from "../src/store/index.ts";
import type { RestoredState } from "../src/store/store.ts";
import { emptyTables } from "../src/store/tables.ts";
import { httpClient } from "./datacenter-http.ts";
import { ObservedStore } from "./datacenter-observer.ts";
import { runDatacenter, type DatacenterMutation, type MutationContext } from "./datacenter-run.ts";
import type { DatacenterSwarm } from "./datacenter-swarm.ts";

export interface DatacenterMutant {
  readonly name: string;
  /** One of those that notice it. */
  readonly seed: number;
  /** As what. */
  readonly notices: RegExp;
  readonly mutation: DatacenterMutation;
  /** What it needs to show, so that few seeds are enough. */
  readonly swarm: Partial<DatacenterSwarm>;
}

const { answersAlone } = SERVER_RULES;

export const DATACENTER_MUTANTS: readonly DatacenterMutant[] = [
  {
    name: "a stale read is marked consistent",
    seed: 5,
    notices: /^not linearizable/,
    swarm: { serverCount: 3, writerCount: 3, latencyMs: 60 },
    mutation: () => ({
      answersAlone: (asked) =>
        answersAlone(asked) || (asked.consistency === "consistent" && asked.hasContact),
    }),
  },
  {
    name: "the lock delay is skipped",
    seed: 3,
    notices: /after its holder was lost/,
    swarm: { serverCount: 3, lockerCount: 3, lockDelayS: 15 },
    mutation: () => ({ lockDelayMs: () => 0 }),
  },
  {
    name: "a session is renewed by a deposed leader",
    seed: 2,
    notices: /after it was renewed/,
    swarm: {
      serverCount: 3,
      clientCount: 0,
      raftMultiplier: 1,
      lossRatio: 0,
      troubles: ["pause"],
      calmMs: 15_000,
      troublesMs: 120_000,
      longMs: 10_000,
      writerCount: 0,
      lockerCount: 3,
      watcherCount: 0,
    },
    mutation: renewsOnceLeader,
  },
  {
    name: "the index goes back after a restore",
    seed: 12,
    notices: /shows .* at 1, after/,
    swarm: { serverCount: 3, snapshotThreshold: 8, trailingLogs: 1, watcherCount: 5 },
    mutation: ({ observer, storeLife }) => ({
      newStore: () => new ForgetfulStore(observer, storeLife),
    }),
  },
  {
    name: "watchers miss that a tree is deleted",
    seed: 1,
    notices: /^a change was lost/,
    swarm: { watcherCount: 5 },
    mutation: ({ observer, storeLife }) => ({
      newStore: () => new QuietStore(observer, storeLife),
    }),
  },
  {
    name: "members are reconciled by a server that does not lead",
    seed: 3,
    notices: /is told to be critical/,
    swarm: {
      serverCount: 3,
      clientCount: 3,
      lossRatio: 0,
      troubles: ["split"],
      calmMs: 15_000,
      troublesMs: 150_000,
      longMs: 60_000,
      writerCount: 2,
      lockerCount: 0,
      watcherCount: 0,
    },
    mutation: reconcilesAnyway,
  },
];

export async function datacenterViolationOf(
  { mutation, swarm }: Pick<DatacenterMutant, "mutation" | "swarm">,
  seed: number,
): Promise<string | undefined> {
  return (await runDatacenter({ seed, mutation, swarm })).violation;
}

function renewsOnceLeader({ agent }: MutationContext): ReturnType<DatacenterMutation> {
  let wasLeader = false;
  return {
    answersAlone: (asked) => {
      wasLeader ||= agent.leads;
      return answersAlone(asked) || (asked.method === "Session.Renew" && wasLeader);
    },
  };
}

/** What a snapshot's rows of the index table say is not looked at. */
class ForgetfulStore extends ObservedStore {
  override restore(state: RestoredState): void {
    const tables = { ...state.tables, indexes: emptyTables().indexes };
    Object.assign(this, { indexes: new IndexView(tables) });
    super.restore(state);
  }
}

/** Who waits is not told that a tree is deleted. */
class QuietStore extends ObservedStore {
  readonly #deafened = new WeakSet<object>();
  #isDeletingTree = false;

  override apply(index: number, command: Command): ApplyResult {
    this.#isDeletingTree = command.type === "KVS" && command.body.Op === "delete-tree";
    const result = super.apply(index, command);
    this.#isDeletingTree = false;
    return result;
  }

  override read<T extends object>(
    ...asked: Parameters<typeof Store.prototype.read<T>>
  ): Reading<T> {
    const reading = super.read<T>(...asked);
    if (!this.#deafened.has(reading)) this.#deafen(reading);
    return reading;
  }

  #deafen<T extends object>(reading: Reading<T>): void {
    this.#deafened.add(reading);
    const wrapped = new Map<ReadingWaiter, ReadingWaiter>();
    const add = reading.addWaiter.bind(reading);
    const remove = reading.removeWaiter.bind(reading);
    reading.addWaiter = (waiter) => {
      const deaf: ReadingWaiter = {
        wake: (...why) => {
          if (!this.#isDeletingTree) waiter.wake(...why);
        },
      };
      wrapped.set(waiter, deaf);
      add(deaf);
    };
    reading.removeWaiter = (waiter) => remove(wrapped.get(waiter) ?? waiter);
  }
}

const LOOK_MS = 500;

/** Each server brings the catalog into line with the pool as it sees it, through whoever leads. */
function reconcilesAnyway(context: MutationContext): ReturnType<DatacenterMutation> {
  return {
    newStore: () => {
      const store = new ObservedStore(context.observer, context.storeLife);
      void reconciling(context, store);
      return store;
    },
  };
}

interface ShownMember {
  readonly Name: string;
  readonly Addr: string;
  readonly Status: number;
  readonly Tags: Readonly<Record<string, string>>;
}

async function reconciling(context: MutationContext, store: Store): Promise<void> {
  const { agent, datacenter, life } = context;
  const { clock } = datacenter;
  const ask = httpClient(datacenter.world, agent.host);
  const to = { host: agent.host, patienceMs: 60_000 };
  let members: readonly PoolMember[] = [];
  const reconciler = new MemberReconciler({
    clock,
    logger: noLogger,
    store,
    datacenter: "dc1",
    ownName: agent.name,
    apply: async ({ type, body }) => {
      const path = `/v1/catalog/${type === "Register" ? "register" : "deregister"}`;
      const request = { ...to, method: "PUT", path, body: JSON.stringify(body) };
      // Again and again, as somebody would who takes it for its duty.
      while (!life.isOver && (await ask(request))?.status !== 200) await datacenter.passed(LOOK_MS);
    },
    members: () => members,
    keepPeer: () => Promise.resolve(),
  });
  while (!life.isOver) {
    await datacenter.passed(LOOK_MS);
    const answer = await ask({ ...to, path: "/v1/agent/members" });
    if (answer?.status !== 200 || life.isOver) continue;
    const before = new Map(members.map((member) => [member.name, member.status]));
    members = (JSON.parse(answer.body) as readonly ShownMember[]).map(memberOf);
    for (const member of members) {
      if (agent.leads || before.get(member.name) === member.status) continue;
      void reconciler.memberChanged(member);
    }
  }
  reconciler[Symbol.dispose]();
}

const STATUSES = ["reaped", "alive", "leaving", "left", "failed"] as const;

function memberOf({ Name, Addr, Status, Tags }: ShownMember): PoolMember {
  const protocol = { current: 2, min: 1, max: 5 };
  return { name: Name, address: Addr, status: STATUSES[Status] ?? "alive", tags: Tags, protocol };
}
