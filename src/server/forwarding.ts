/**
 * Who answers a call that this server is asked: itself, or the leader. Writes, and reads that must not be stale, are
 * the leader's; while there is none, callers wait for one (Consul: agent/consul/rpc.go).
 */
import type { RollcallError } from "../errors/index.ts";
import type { Clock, Random } from "../platform/index.ts";
import { heldCall, type Holding } from "../rpc/index.ts";
import type {
  CallOptions,
  Delegate,
  MethodName,
  Methods,
  QueryOptions,
  RemoteServer,
} from "../rpc/index.ts";
import type { Consensus } from "./consensus.ts";
import type { ServerRules } from "./rules.ts";

export interface ForwardingNeeds {
  readonly clock: Clock;
  readonly random: Random;
  readonly holdTimeoutMs: number;
  readonly consensus: Consensus;
  readonly answersAlone: ServerRules["answersAlone"];
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

export function forwardingDelegate(needs: ForwardingNeeds): Delegate {
  const { local, consensus, leader, callRemote, answersAlone } = needs;
  const holding: Holding = {
    ...needs,
    onChange: (listener) =>
      consensus.subscribe(() => {
        if (consensus.leader !== undefined) listener();
      }),
    nobody: needs.noLeader,
  };
  return {
    call: (method, args, options = {}) => {
      const { Consistency: consistency } = args as Partial<QueryOptions>;
      const { isLeader, lastContactMs } = consensus;
      const asked = { method, consistency, isLeader, hasContact: lastContactMs !== undefined };
      if (answersAlone(asked)) return local.call(method, args, options);
      const attempt = (): ReturnType<typeof asLeader<typeof method>> | undefined => {
        if (consensus.isLeader) return asLeader(needs, method, args, options);
        const server = leader();
        return server === undefined ? undefined : callRemote(server, method, args, options);
      };
      return heldCall(holding, { method, signal: options.signal, attempt });
    },
  };
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
