/** A delegate whose calls are counted and timed, under the names that Consul gives them. */
import type { Clock, Meter } from "../platform/index.ts";
import type { Delegate, MethodName } from "../rpc/index.ts";

/** What a server is timed by. */
const TIMED: Partial<Readonly<Record<MethodName, string>>> = {
  "Catalog.Register": "catalog.register",
  "Catalog.Deregister": "catalog.deregister",
  "KVS.Apply": "kvs.apply",
  "PreparedQuery.Apply": "prepared-query.apply",
  "PreparedQuery.Execute": "prepared-query.execute",
  "PreparedQuery.Explain": "prepared-query.explain",
  "Session.Apply": "session.apply",
  "Session.Renew": "session.renew",
  "Txn.Apply": "txn.apply",
  "Txn.Read": "txn.read",
};

export function measuredDelegate(delegate: Delegate, clock: Clock, meter: Meter): Delegate {
  return {
    async call(method, args, options) {
      meter.count("client.rpc");
      const name = TIMED[method];
      const startedAt = name === undefined ? 0 : clock.now();
      try {
        return await delegate.call(method, args, options);
      } catch (error) {
        meter.count("client.rpc.failed");
        throw error;
      } finally {
        if (name !== undefined) meter.sample(name, clock.now() - startedAt);
      }
    },
  };
}
