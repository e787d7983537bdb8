/**
 * One write of every kind that a cluster's log can hold and that works without ACLs, each through a server of the
 * caller's choice.
 */
import { http, type HttpAnswer } from "./testkit.ts";

/** A value that does not fit into one entry of the log; needs `limits { kv_max_value_size }`. */
const LONG_VALUE = "0123456789abcdef".repeat(40_960);

export interface Where {
  readonly address: string;
  /** Distinguishes this round of writes from all others: letters, digits and dashes. */
  readonly round: string;
}

type Method = "PUT" | "POST" | "DELETE";

async function write(
  { address }: Where,
  method: Method,
  path: string,
  body: unknown = "",
): Promise<HttpAnswer> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const answer = await http(address, path, { method, body: text });
  if (answer.status === 200) return answer;
  throw new Error(`${address}: ${method} ${path}: ${answer.status} ${answer.body}`);
}

const put = (where: Where, path: string, body?: unknown): Promise<HttpAnswer> =>
  write(where, "PUT", path, body);

/** For answers that are `true` or `false`. */
async function says(answer: Promise<HttpAnswer>, wanted: boolean): Promise<void> {
  const { body } = await answer;
  if (body.trim() !== String(wanted)) throw new Error(`wanted ${wanted}: ${body}`);
}

async function idOf(answer: Promise<HttpAnswer>): Promise<string> {
  return ((await answer).json() as { readonly ID: string }).ID;
}

async function modifyIndex(where: Where, key: string): Promise<number> {
  const { body } = await http(where.address, `/v1/kv/${key}`);
  const [entry] = JSON.parse(body) as readonly { readonly ModifyIndex: number }[];
  if (entry === undefined) throw new Error(`${key} is gone`);
  return entry.ModifyIndex;
}

async function keys(where: Where): Promise<void> {
  const tree = `every/${where.round}`;
  await says(put(where, `/v1/kv/${tree}/plain?flags=18446744073709551615`, "value"), true);
  await says(put(where, `/v1/kv/${tree}/empty`), true);
  await says(put(where, `/v1/kv/${tree}/bytes`, "\u0000\u00ff\u20ac"), true);
  await says(put(where, "/v1/kv/every/long", LONG_VALUE + where.round), true);
  await says(put(where, `/v1/kv/${tree}/cas?cas=0`, "first"), true);
  await says(put(where, `/v1/kv/${tree}/cas?cas=0`, "refused"), false);
  const index = await modifyIndex(where, `${tree}/cas`);
  await says(put(where, `/v1/kv/${tree}/cas?cas=${index}&flags=7`, "second"), true);
  await says(put(where, `/v1/kv/${tree}/gone`, "x"), true);
  await says(write(where, "DELETE", `/v1/kv/${tree}/gone`), true);
  await says(put(where, `/v1/kv/${tree}/gone-by-cas`, "x"), true);
  const gone = await modifyIndex(where, `${tree}/gone-by-cas`);
  await says(write(where, "DELETE", `/v1/kv/${tree}/gone-by-cas?cas=1`), false);
  await says(write(where, "DELETE", `/v1/kv/${tree}/gone-by-cas?cas=${gone}`), true);
  for (const leaf of ["a", "b/c"]) await says(put(where, `/v1/kv/${tree}/felled/${leaf}`), true);
  await says(write(where, "DELETE", `/v1/kv/${tree}/felled/?recurse`), true);
}

/** A node that no agent stands behind, with a service and checks of every level. */
const outside = ({ round }: Where): string => `outside-${round}`;

async function catalog(where: Where): Promise<void> {
  const Node = outside(where);
  await says(
    put(where, "/v1/catalog/register", {
      Node,
      Address: "10.9.8.7",
      TaggedAddresses: { lan: "10.9.8.7", wan: "192.0.2.7" },
      NodeMeta: { "external-node": "true", rack: where.round },
      Service: {
        ID: "db1",
        Service: "db",
        Tags: ["primary", "v1"],
        Port: 5432,
        Address: "10.9.8.8",
        Meta: { version: "4" },
        TaggedAddresses: { wan: { Address: "192.0.2.8", Port: 15_432 } },
        Weights: { Passing: 10, Warning: 2 },
        EnableTagOverride: true,
      },
      Checks: [
        { CheckID: "alive", Name: "alive", Status: "passing", Output: "ok", Notes: "of the node" },
        { CheckID: "db-ok", Name: "db ok", Status: "warning", ServiceID: "db1" },
        {
          CheckID: "described",
          Name: "described",
          Status: "critical",
          ServiceID: "db1",
          Definition: {
            HTTP: "http://10.9.8.8/health",
            Header: { "X-Of": ["a", "b"] },
            Method: "GET",
            Interval: "10s",
            Timeout: "1s",
            DeregisterCriticalServiceAfter: "90m",
          },
        },
      ],
    }),
    true,
  );
  await says(put(where, "/v1/catalog/register", { Node, Address: "10.9.8.9" }), true);
  const Service = { ID: "gone1", Service: "gone", Port: 1 };
  await says(
    put(where, "/v1/catalog/register", {
      Node,
      Address: "10.9.8.9",
      Service,
      SkipNodeUpdate: true,
    }),
    true,
  );
  const Check = { Node, CheckID: "gone-check", Name: "gone", Status: "passing" };
  await says(put(where, "/v1/catalog/register", { Node, Address: "10.9.8.9", Check }), true);
  await says(put(where, "/v1/catalog/deregister", { Node, CheckID: "gone-check" }), true);
  await says(put(where, "/v1/catalog/deregister", { Node, ServiceID: "gone1" }), true);
  const Gone = `gone-${where.round}`;
  await says(put(where, "/v1/catalog/register", { Node: Gone, Address: "10.9.8.1" }), true);
  await says(put(where, "/v1/catalog/deregister", { Node: Gone }), true);
}

async function sessions(where: Where): Promise<void> {
  const key = `/v1/kv/every/${where.round}/lock`;
  const Node = outside(where);
  const about = { Node, NodeChecks: ["alive"], LockDelay: "1s" };
  const holder = await idOf(
    put(where, "/v1/session/create", { ...about, Name: "holder", TTL: "600s" }),
  );
  const other = await idOf(
    put(where, "/v1/session/create", { ...about, Name: "other", Behavior: "delete" }),
  );
  await says(put(where, `${key}?acquire=${holder}`, "held"), true);
  await says(put(where, `${key}?acquire=${other}`, "refused"), false);
  await says(put(where, `${key}?release=${other}`, "refused"), false);
  await says(put(where, `${key}?release=${holder}`, "released"), true);
  await says(put(where, `${key}?acquire=${other}`, "held again"), true);
  await put(where, `/v1/session/renew/${holder}`);
  await says(put(where, `${key}-kept?acquire=${holder}`, "held for good"), true);
  // Its key goes with it.
  await says(put(where, `/v1/session/destroy/${other}`), true);
  // Expires by its TTL, which the leader counts, and nobody renews.
  await put(where, "/v1/session/create", { ...about, Name: "short", TTL: "10s" });
}

async function queries(where: Where): Promise<void> {
  const Service = { Service: "db", Tags: ["primary", "!old"], OnlyPassing: true, Near: "_agent" };
  const Name = `find-${where.round}`;
  const id = await idOf(
    write(where, "POST", "/v1/query", {
      Name,
      Service: { ...Service, Failover: { NearestN: 2, Datacenters: ["dc2"] } },
      DNS: { TTL: "10s" },
    }),
  );
  await put(where, `/v1/query/${id}`, { Name, Service: { ...Service, NodeMeta: { rack: "1" } } });
  await write(where, "POST", "/v1/query", {
    Name: `${where.round}-`,
    Template: { Type: "name_prefix_match", Regexp: "^(.+)-(.+)$" },
    Service: { Service: "${match(2)}" },
  });
  const gone = await idOf(
    write(where, "POST", "/v1/query", { Name: `gone-${where.round}`, Service: { Service: "db" } }),
  );
  await write(where, "DELETE", `/v1/query/${gone}`);
}

async function transactions(where: Where): Promise<void> {
  const tree = `every/${where.round}/txn`;
  const Value = Buffer.from("in one go").toString("base64");
  const Node = `txn-${where.round}`;
  const Check = { Node, CheckID: "txn-check", Name: "txn", Status: "passing" };
  await put(where, "/v1/txn", [
    { KV: { Verb: "set", Key: `${tree}/a`, Value, Flags: 42 } },
    { KV: { Verb: "set", Key: `${tree}/b`, Value } },
    { KV: { Verb: "get", Key: `${tree}/a` } },
    { KV: { Verb: "cas", Key: `${tree}/c`, Value, Index: 0 } },
    { KV: { Verb: "delete", Key: `${tree}/b` } },
    { KV: { Verb: "check-not-exists", Key: `${tree}/b` } },
    { Node: { Verb: "set", Node: { Node, Address: "10.9.7.1", Meta: { by: "txn" } } } },
    { Service: { Verb: "set", Node, Service: { ID: "t1", Service: "txn", Port: 9 } } },
    { Service: { Verb: "set", Node, Service: { ID: "t2", Service: "txn", Tags: ["x"] } } },
    { Check: { Verb: "set", Check } },
    { Service: { Verb: "delete", Node, Service: { ID: "t2", Service: "txn" } } },
  ]);
  const Set = { Verb: "set", Key: `${tree}/never`, Value };
  const Fails = { Verb: "check-index", Key: `${tree}/a`, Index: 1 };
  const body = JSON.stringify([{ KV: Set }, { KV: Fails }]);
  const refused = await http(where.address, "/v1/txn", { method: "PUT", body });
  if (refused.status !== 409) throw new Error(`wanted 409: ${refused.status} ${refused.body}`);
}

async function coordinates(where: Where): Promise<void> {
  const Coord = {
    Vec: [1, -2, 3.5, 0, 0, 0, 0, 1e-9],
    Error: 0.25,
    Adjustment: -0.1,
    Height: 1e-5,
  };
  await put(where, "/v1/coordinate/update", { Node: outside(where), Segment: "", Coord });
}

async function autopilot(where: Where): Promise<void> {
  const path = "/v1/operator/autopilot/configuration";
  const { body } = await http(where.address, path);
  const { CreateIndex: _, ...config } = JSON.parse(body) as Record<string, unknown>;
  const MaxTrailingLogs = (config["MaxTrailingLogs"] as number) + 1;
  await says(put(where, path, { ...config, MaxTrailingLogs }), true);
  const { ModifyIndex } = JSON.parse((await http(where.address, path)).body) as {
    readonly ModifyIndex: number;
  };
  await says(put(where, `${path}?cas=${ModifyIndex + 1000}`, config), false);
  await says(put(where, `${path}?cas=${ModifyIndex}`, { ...config, MaxTrailingLogs }), true);
}

async function configEntries(where: Where): Promise<void> {
  const { round } = where;
  const Name = `mesh-${round}`;
  const entries = [
    { Kind: "proxy-defaults", Name: "global", Config: { protocol: "http", depth: [1, 2.5] } },
    { Kind: "service-defaults", Name, Protocol: "http", MeshGateway: { Mode: "local" } },
    {
      Kind: "service-resolver",
      Name,
      DefaultSubset: "v1",
      Subsets: { v1: { Filter: "Service.Meta.version == v1" }, v2: { OnlyPassing: true } },
      ConnectTimeout: "15s",
      Failover: { "*": { Datacenters: ["dc2"] } },
    },
    {
      Kind: "service-splitter",
      Name,
      Splits: [
        { Weight: 90, ServiceSubset: "v1" },
        { Weight: 10, ServiceSubset: "v2" },
      ],
    },
    {
      Kind: "service-router",
      Name,
      Routes: [
        {
          Match: { HTTP: { PathPrefix: "/admin", Header: [{ Name: "x", Exact: "1" }] } },
          Destination: { Service: Name, RequestTimeout: "5s", NumRetries: 3 },
        },
      ],
    },
    {
      Kind: "ingress-gateway",
      Name: `in-${round}`,
      Listeners: [{ Port: 8080, Protocol: "http", Services: [{ Name: Name, Hosts: ["x.test"] }] }],
    },
    {
      Kind: "terminating-gateway",
      Name: `out-${round}`,
      Services: [{ Name: `external-${round}`, CAFile: "ca.pem", SNI: "external.test" }],
    },
    { Kind: "service-defaults", Name: `gone-${round}`, Protocol: "tcp" },
  ];
  for (const entry of entries) await says(put(where, "/v1/config", entry), true);
  await write(where, "DELETE", `/v1/config/service-defaults/gone-${round}`);
}

async function intentions(where: Where): Promise<void> {
  const { round } = where;
  const about = { SourceName: "*", Action: "deny", Description: "written by a test" };
  await idOf(
    write(where, "POST", "/v1/connect/intentions", {
      ...about,
      DestinationName: `mesh-${round}`,
      Meta: { round },
    }),
  );
  const changed = await idOf(
    write(where, "POST", "/v1/connect/intentions", { ...about, DestinationName: `to-${round}` }),
  );
  await put(where, `/v1/connect/intentions/${changed}`, {
    ...about,
    Action: "allow",
    DestinationName: `to-${round}`,
  });
  const gone = await idOf(
    write(where, "POST", "/v1/connect/intentions", { ...about, DestinationName: `gone-${round}` }),
  );
  await write(where, "DELETE", `/v1/connect/intentions/${gone}`);
}

/** In this order: some need what others have written. */
const WRITES = {
  withoutMesh: [keys, catalog, sessions, queries, transactions, coordinates, autopilot],
  /** Only a real leader takes these, and only a real server passes them on to it. */
  mesh: [configEntries, intentions],
};

/** @throws for the first write that is not answered as it is by a Consul */
export async function writeEverything(where: Where, kind: keyof typeof WRITES): Promise<void> {
  for (const writes of WRITES[kind]) {
    try {
      await writes(where);
    } catch (error) {
      throw new Error(`${writes.name} in round ${where.round}`, { cause: error });
    }
  }
}
