/** How a client agent answers: it asks a server, and another one when that fails (Consul: agent/consul/client.go). */
import { messageOf, RollcallError } from "../errors/index.ts";
import type { Clock, Logger, Random } from "../platform/index.ts";
import { isUnanswered } from "./failure.ts";
import { heldCall, type Holding } from "./held-call.ts";
import type { Delegate, MethodName, Methods } from "./methods.ts";
import type { RpcPool } from "./pool.ts";
import type { RemoteServer } from "./remote-methods.ts";
import type { ServerList } from "./server-list.ts";

export interface ClientNeeds {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly holdTimeoutMs: number;
  readonly servers: ServerList;
  readonly pool: RpcPool;
  readonly isLeaving: () => boolean;
}

export function clientDelegate(needs: ClientNeeds): Delegate {
  const { servers, pool, logger } = needs;
  const holding: Holding = {
    ...needs,
    onChange: () => ({ [Symbol.dispose]: () => {} }),
    nobody: () => new RollcallError("raft/no-leader"),
  };
  const ask = async <M extends MethodName>(
    server: RemoteServer,
    method: M,
    args: Methods[M]["args"],
    signal: AbortSignal | undefined,
  ): Promise<Methods[M]["reply"]> => {
    try {
      return await pool.call(server, method, args, signal === undefined ? {} : { signal });
    } catch (error) {
      if (isUnanswered(error) !== undefined) {
        logger.error("RPC failed to server", {
          method,
          server: server.address,
          error: messageOf(error),
        });
        servers.failed(server);
      }
      throw error;
    }
  };
  return {
    call: (method, args, { signal } = {}) =>
      heldCall(holding, {
        method,
        signal,
        attempt: async () => {
          const server = servers.current;
          if (server !== undefined) return ask(server, method, args, signal);
          throw new RollcallError("request/refused", "No known Consul servers");
        },
      }),
  };
}
