import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Aggregate, Labels, Measured } from "../platform/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { fakeAgent, headerOf, META, startTestServer, TEST_CONFIG } from "./testkit.ts";

const counted = (name: string, labels: Labels): Aggregate => ({
  name,
  labels,
  count: 1,
  sum: 1,
  sumOfSquares: 1,
  min: 1,
  max: 1,
});
const measured: Measured = {
  beginMs: 1_767_366_250_000,
  gauges: [{ name: "consul.raft.applied_index", value: 7 }],
  counters: [
    { ...counted("consul.client.rpc", []), count: 4, sum: 4, sumOfSquares: 4 },
    counted("consul.catalog.service.query", [["service", 'w"b']]),
    counted("consul.catalog.service.query", [
      ["service", "db"],
      ["tag", "a"],
      ["tag", "b"],
    ]),
  ],
  samples: [
    {
      ...counted("consul.kvs.apply", [["op", "set"]]),
      count: 2,
      sum: 6,
      sumOfSquares: 20,
      min: 2,
      max: 4,
      values: [4, 2],
    },
    { ...counted("consul.txn.apply", []), count: 3, sum: 3, sumOfSquares: 3, values: [] },
  ],
};
const agent = () => fakeAgent({ metrics: () => measured, totalMetrics: () => measured });
const telemetry = { ...TEST_CONFIG.telemetry, prometheusRetentionMs: 60_000 };

test("as JSON: the interval, with rates and deviations", async () => {
  await using server = await startTestServer({
    platform: simPlatform({ seed: 1 }),
    agent: agent(),
  });
  const { body } = await server.send({ path: "/v1/agent/metrics" });
  const one = { Rate: 0.4, Sum: 4, Min: 1, Max: 1, Mean: 1, Stddev: 0, Labels: {} };
  const two = { Rate: 0.6, Sum: 6, Min: 2, Max: 4, Mean: 3, Stddev: Math.SQRT2, Labels: {} };
  expect(JSON.parse(body)).toMatchObject({
    Timestamp: "2026-01-02 15:04:10 +0000 UTC",
    Gauges: [{ Name: "consul.raft.applied_index", Value: 7, Labels: {} }],
    Points: [],
    Counters: [
      { Name: "consul.client.rpc", Count: 4, ...one },
      { Name: "consul.catalog.service.query", Labels: { service: 'w"b' } },
      { Name: "consul.catalog.service.query", Labels: { service: "db", tag: "b" } },
    ],
    Samples: [{ Name: "consul.kvs.apply", Count: 2, ...two, Labels: { op: "set" } }, {}],
  });
});

test.each([
  ["/v1/agent/metrics?format=prometheus", {}],
  ["/v1/agent/metrics", { Accept: "application/openmetrics-text; version=0.0.1" }],
  ["/v1/agent/metrics", { Accept: "text/plain;version=0.4.0;q=1" }],
])("as Prometheus reads it: %s %j", async (path, headers) => {
  await using server = await startTestServer({
    platform: simPlatform({ seed: 1 }),
    agent: agent(),
    config: { telemetry },
  });
  const answer = await server.send({ path, headers });
  expect(headerOf(answer, "content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(answer.body).toBe(`# HELP consul_catalog_service_query consul_catalog_service_query
# TYPE consul_catalog_service_query counter
consul_catalog_service_query{service="w\\"b"} 1
consul_catalog_service_query{service="db",tag="b"} 1
# HELP consul_client_rpc consul_client_rpc
# TYPE consul_client_rpc counter
consul_client_rpc 4
# HELP consul_kvs_apply consul_kvs_apply
# TYPE consul_kvs_apply summary
consul_kvs_apply{op="set",quantile="0.5"} 4
consul_kvs_apply{op="set",quantile="0.9"} 4
consul_kvs_apply{op="set",quantile="0.99"} 4
consul_kvs_apply_sum{op="set"} 6
consul_kvs_apply_count{op="set"} 2
# HELP consul_raft_applied_index consul_raft_applied_index
# TYPE consul_raft_applied_index gauge
consul_raft_applied_index 7
# HELP consul_txn_apply consul_txn_apply
# TYPE consul_txn_apply summary
consul_txn_apply{quantile="0.5"} NaN
consul_txn_apply{quantile="0.9"} NaN
consul_txn_apply{quantile="0.99"} NaN
consul_txn_apply_sum 3
consul_txn_apply_count 3
`);
});

test("catalog requests are counted by node, and how they went", async () => {
  const counts: unknown[] = [];
  await using server = await startTestServer({
    platform: simPlatform({ seed: 1 }),
    handlers: { "Catalog.ListNodes": () => ({ value: { Nodes: [] }, meta: META }) },
    meter: { sample: () => {}, count: (...of) => void counts.push(of) },
  });
  await server.send({ path: "/v1/catalog/nodes" });
  await server.send({ path: "/v1/catalog/services" });
  const node = [["node", "node-a"]];
  expect(counts).toEqual([
    ["client.api.catalog_nodes", 1, node],
    ["client.api.success.catalog_nodes", 1, node],
    ["client.api.catalog_services", 1, node],
    ["client.rpc.error.catalog_services", 1, node],
  ]);
});

test("Prometheus has to be enabled", async () => {
  await using server = await startTestServer({ platform: simPlatform({ seed: 1 }) });
  const answer = await server.send({ path: "/v1/agent/metrics?format=prometheus" });
  expect(answer.status).toBe(415);
  expect(answer.body).toBe("Prometheus is not enabled since its retention time is not positive");
});

/** Names of all fields, in order, at all depths. */
function namesOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(namesOf);
  if (typeof value !== "object" || value === null) return "";
  return Object.entries(value).map(([name, field]) => [name, namesOf(field)]);
}

test("the host has the fields that Consul shows", async () => {
  const file = new URL("../../interop/testdata/http/agent/agent-host.json", import.meta.url);
  const recorded = JSON.parse(readFileSync(file, "utf8")) as { response: { body: string } };
  await using server = await startTestServer({ platform: simPlatform({ seed: 1 }) });
  const ours = JSON.parse((await server.send({ path: "/v1/agent/host" })).body) as {
    CPU: { flags: string[] }[];
  };
  const cpu = ours.CPU[0];
  if (cpu !== undefined) cpu.flags = ["any"];
  expect(namesOf(ours)).toEqual(namesOf(JSON.parse(recorded.response.body)));
});
