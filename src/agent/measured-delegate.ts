/** A delegate whose calls are counted and timed, under the names that Consul gives them. */
import type { Clock, Labels, Meter } from "../platform/index.ts";
import type { Delegate, MethodName, Methods, ServiceQuery } from "../rpc/index.ts";

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

interface Lookup<M extends MethodName> {
  readonly name: string;
  readonly found: (
    value: Extract<Methods[M]["reply"], { readonly value: unknown }>["value"],
  ) => number;
}
/** Look-ups of services, which are counted by the service's name. */
const LOOKUPS: { readonly [M in MethodName]?: Lookup<M> } = {
  "Catalog.ConnectNodes": { name: "catalog.connect", found: (value) => value.ServiceNodes.length },
  "Catalog.ServiceNodes": { name: "catalog.service", found: (value) => value.ServiceNodes.length },
  "Health.ConnectNodes": { name: "health.connect", found: (value) => value.Nodes.length },
  "Health.ServiceNodes": { name: "health.service", found: (value) => value.Nodes.length },
};

export function measuredDelegate(delegate: Delegate, clock: Clock, meter: Meter): Delegate {
  const failed = (): void => meter.count("client.rpc.failed");
  return {
    call(method, args, options) {
      meter.count("client.rpc");
      const name = TIMED[method];
      // Before the call: a server of its own may have answered when it returns.
      const startedAt = name === undefined ? 0 : clock.now();
      const reply = delegate.call(method, args, options);
      const lookup = LOOKUPS[method];
      if (lookup !== undefined) {
        const found = reply as Promise<Methods["Catalog.ServiceNodes"]["reply"]>;
        void found.then(
          ({ value }) => countLookup(meter, lookup.name, args as ServiceQuery, lookup.found(value)),
          failed,
        );
        return reply;
      }
      if (name === undefined) {
        void reply.catch(failed);
        return reply;
      }
      const ended = (): void => meter.sample(name, clock.now() - startedAt);
      void reply.then(ended, () => {
        failed();
        ended();
      });
      return reply;
    },
  };
}

function countLookup(
  meter: Meter,
  name: string,
  { ServiceName, ServiceTags }: ServiceQuery,
  found: number,
): void {
  const service: Labels = [["service", ServiceName]];
  meter.count(`${name}.query`, 1, service);
  if (ServiceTags.length > 0) {
    const tags = ServiceTags.toSorted().map((tag) => ["tag", tag] as const);
    meter.count(`${name}.query-tags`, 1, [...service, ...tags]);
  }
  if (found === 0) meter.count(`${name}.not-found`, 1, service);
}
