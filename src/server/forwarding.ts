/**
 * Who answers a call that this server is asked: itself, or the leader. Writes, and reads that must not be stale, are
 * the leader's; while there is none, callers wait for one (Consul: agent/consul/rpc.go).
 */
import { RollcallError } from "../errors/index.ts";
import type { Clock, Random } from "../platform/index.ts";
import type { CallOptions, Delegate, MethodName, Methods, QueryOptions, RemoteServer } from "../rpc/index.ts";
import { isUnanswered } from "../rpc/index.ts";
import type { Consensus } from "./consensus.ts";

/** "leader": changes something, or is known by the leader alone. "read": any server's, if it may be stale. */
type Whose = "leader" | "read" | "anybody";

const WHOSE: Readonly<Record<MethodName, Whose>> = {
  "Status.Leader": "anybody",
  "Status.Peers": "anybody",
  "Catalog.Register": "leader",
  "Catalog.Deregister": "leader",
  "Catalog.ListDatacenters": "anybody",
  "Catalog.ListNodes": "read",
  "Catalog.ListServices": "read",
  "Catalog.ConnectNodes": "read",
  "Catalog.ServiceNodes": "read",
  "Catalog.NodeServices": "read",
  "Catalog.NodeServiceList": "read",
  "Health.ServiceNodes": "read",
  "Health.ConnectNodes": "read",
  "Health.NodeChecks": "read",
  "Health.ServiceChecks": "read",
  "Health.ChecksInState": "read",
  "KVS.Apply": "leader",
  "KVS.Get": "read",
  "KVS.List": "read",
  "KVS.ListKeys": "read",
  "Session.Apply": "leader",
  "Session.Get": "read",
  "Session.List": "read",
  "Session.NodeSessions": "read",
  "Session.Renew": "leader",
  "PreparedQuery.Apply": "leader",
  "PreparedQuery.Get": "read",
  "PreparedQuery.List": "read",
  "PreparedQuery.Execute": "read",
  "PreparedQuery.ExecuteRemote": "read",
  "PreparedQuery.Explain": "read",
  "Internal.NodeDump": "read",
  "Internal.NodeInfo": "read",
  "Internal.ServiceDump": "read",
  "Coordinate.Update": "leader",
  "Coordinate.ListNodes": "read",
  "Coordinate.Node": "read",
  "Operator.Servers": "leader",
  "Operator.RaftRemovePeer": "leader",
  "Operator.AutopilotGetConfiguration": "read",
  "Operator.AutopilotSetConfiguration": "leader",
  "Txn.Apply": "leader",
  "Txn.Read": "read",
};
/** Of the leader's, those that may be asked again when nobody knows whether they were done. */
const REPEATABLE: ReadonlySet<MethodName> = new Set([
  "Session.Renew",
  "Coordinate.Update",
  "Operator.Servers",
]);

export interface ForwardingNeeds {
  readonly clock: Clock;
  readonly random: Random;
  readonly datacenter: string;
  readonly holdTimeoutMs: number;
  readonly consensus: Consensus;
  /** Answers from this server's own store. */
  readonly local: Delegate;
  /** The leader as it can be called; undefined when nobody knows of one. */
  readonly leader: () => RemoteServer | undefined;
  readonly callRemote: <M extends MethodName>(
    server: RemoteServer,
    method: M,
    args: Methods[M]["args"],
    options: CallOptions,
  ) => Promise<Methods[M]["reply"]>;
  /** Resolves once this server, as the leader, has everything that was acknowledged before it became that. */
  readonly ready: (signal: AbortSignal | undefined) => Promise<void>;
  /** What is said to who has waited for a leader in vain. */
  readonly noLeader: () => RollcallError;
  /** This server goes: nobody is to wait here. */
  readonly isLeaving: () => boolean;
}

const WAITS_PER_HOLD = 16;

export function forwardingDelegate(needs: ForwardingNeeds): Delegate {
  const { local, consensus } = needs;
  return {
    call: (method, args, options = {}) => {
      const whose = WHOSE[method];
      const query = args as Partial<QueryOptions>;
      const isStale = whose === "read" && query.Consistency === "stale";
      if (whose === "anybody" || isElsewhere(needs, args)) return local.call(method, args, options);
      if (isStale && consensus.lastContactMs !== undefined) return local.call(method, args, options);
      if (consensus.isLeader) return asLeader(needs, method, args, options);
      return new Forwarded(needs, method, args, options).answer();
    },
  };
}

/** In another datacenter: the endpoints know what to say. */
function isElsewhere({ datacenter }: ForwardingNeeds, args: object): boolean {
  const { Datacenter = "" } = args as { readonly Datacenter?: string };
  return Datacenter !== "" && Datacenter !== datacenter;
}

async function asLeader<M extends MethodName>(
  needs: ForwardingNeeds,
  method: M,
  args: Methods[M]["args"],
  options: CallOptions,
): Promise<Methods[M]["reply"]> {
  const { local, consensus, ready } = needs;
  const { Consistency, MinQueryIndex = 0 } = args as Partial<QueryOptions>;
  if (Consistency !== "consistent") return local.call(method, args, options);
  await ready(options.signal);
  await consensus.confirm();
  const reply = await local.call(method, args, options);
  // What was held may have been evaluated by a server that does not lead any more.
  if (MinQueryIndex > 0) await consensus.confirm();
  return reply;
}

/** A call on its way to the leader, whoever that is by then. */
class Forwarded<M extends MethodName> {
  readonly #needs: ForwardingNeeds;
  readonly #method: M;
  readonly #args: Methods[M]["args"];
  readonly #options: CallOptions;
  readonly #deadline: number;

  constructor(needs: ForwardingNeeds, method: M, args: Methods[M]["args"], options: CallOptions) {
    this.#needs = needs;
    this.#method = method;
    this.#args = args;
    this.#options = options;
    this.#deadline = needs.clock.now() + needs.holdTimeoutMs;
  }

  async answer(): Promise<Methods[M]["reply"]> {
    const { consensus, leader, isLeaving } = this.#needs;
    for (;;) {
      this.#options.signal?.throwIfAborted();
      try {
        if (consensus.isLeader) {
          return await asLeader(this.#needs, this.#method, this.#args, this.#options);
        }
        const server = leader();
        if (server !== undefined) {
          return await this.#needs.callRemote(server, this.#method, this.#args, this.#options);
        }
      } catch (error) {
        if (!this.#mayTryAgain(error)) throw error;
      }
      const leftMs = this.#deadline - this.#needs.clock.now();
      if (isLeaving() || leftMs <= 0) throw this.#needs.noLeader();
      await this.#pause(leftMs);
    }
  }

  #mayTryAgain(error: unknown): boolean {
    if (this.#needs.clock.now() >= this.#deadline) return false;
    if (error instanceof RollcallError && error.code === "raft/no-leader") return true;
    const outcome = isUnanswered(error);
    if (outcome === undefined) return false;
    return outcome === "not sent" || WHOSE[this.#method] === "read" || REPEATABLE.has(this.#method);
  }

  /** Until somebody leads, or some of the time has passed. */
  #pause(leftMs: number): Promise<void> {
    const { clock, random, holdTimeoutMs, consensus } = this.#needs;
    const { signal } = this.#options;
    const longestMs = Math.min(leftMs, Math.max(1, (random.float() * holdTimeoutMs) / WAITS_PER_HOLD));
    return new Promise((resolve) => {
      const done = (): void => {
        timer[Symbol.dispose]();
        watching[Symbol.dispose]();
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = clock.after(longestMs, done);
      const watching = consensus.subscribe(() => {
        if (consensus.leader !== undefined) done();
      });
      signal?.addEventListener("abort", done);
    });
  }
}
