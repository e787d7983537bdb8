/** Calls for another datacenter go there, to any of its servers, and are answered there (Consul: `forwardDC`). */
import { messageOf, RollcallError } from "../errors/index.ts";
import type { Logger } from "../platform/index.ts";
import { isUnanswered, type CallOptions, type Delegate, type MethodName } from "../rpc/index.ts";
import type { Methods, RemoteServer } from "../rpc/index.ts";
import type { Datacenters } from "./datacenters.ts";

export interface AcrossNeeds {
  readonly logger: Logger;
  readonly datacenter: string;
  readonly datacenters: Datacenters;
  readonly callRemote: <M extends MethodName>(
    server: RemoteServer,
    method: M,
    args: Methods[M]["args"],
    options: CallOptions,
  ) => Promise<Methods[M]["reply"]>;
}

const UNREACHABLE = "Remote DC has no server currently reachable";

/** @param here answers what is for this datacenter */
export function acrossDatacenters(needs: AcrossNeeds, here: Delegate): Delegate {
  return {
    call: (method, args, options = {}) => {
      const { Datacenter = "" } = args as { readonly Datacenter?: string };
      const isHere = Datacenter === "" || Datacenter === needs.datacenter;
      if (isHere) return here.call(method, args, options);
      return askThere(needs, Datacenter, (server) =>
        needs.callRemote(server, method, args, options),
      );
    },
  };
}

/**
 * Asks one server after the other as long as none of them got the question, each once.
 * @throws {RollcallError} `dc/unknown`; that none is there; what the one that answered says
 */
export async function askThere<R>(
  { logger, datacenters }: Pick<AcrossNeeds, "logger" | "datacenters">,
  datacenter: string,
  ask: (server: RemoteServer) => Promise<R>,
): Promise<R> {
  for (let left = datacenters.aliveCount(datacenter); ; left -= 1) {
    const server = datacenters.serverIn(datacenter);
    if (server === undefined) {
      logger.warn("RPC request for DC is currently failing as no path was found", { datacenter });
      if (!datacenters.isKnown(datacenter)) throw new RollcallError("dc/unknown");
      throw new RollcallError("request/refused", UNREACHABLE);
    }
    try {
      return await ask(server);
    } catch (error) {
      const outcome = isUnanswered(error);
      if (outcome === undefined) throw error;
      logger.error("RPC failed to server in DC", {
        datacenter,
        server: server.address,
        error: messageOf(error),
      });
      datacenters.failed(datacenter);
      if (outcome !== "not sent" || left <= 1) throw error;
    }
  }
}
