import { describe, expect, test } from "vitest";
import { BLANK_QUERY, type NetworkCoordinate, type PreparedQuery } from "../model/index.ts";
import type { Methods } from "../rpc/index.ts";
import { endpointsUnderTest, query, registration, type EndpointsUnderTest } from "./testkit.ts";

type ServiceQuery = PreparedQuery["Service"];

/** `web` on node-1 to node-5, of which 4 warns and 5 fails; node-1 to node-3 are 10, 20, 30 ms from node-1. */
function cluster(seed = 1): EndpointsUnderTest {
  const server = endpointsUnderTest(seed);
  const statuses = ["passing", "passing", "passing", "warning", "critical"];
  for (const [i, Status] of statuses.entries()) {
    const Tags = i % 2 === 0 ? ["Even"] : ["odd", "x"];
    server.apply({
      type: "Register",
      body: registration(`node-${i + 1}`, {
        address: `10.0.0.${i + 1}`,
        meta: { rack: `r${i}` },
        service: { ID: "web", Service: "web", Tags, Meta: { v: `${i % 2}` } },
        checks: [{ CheckID: "c", Status, ServiceID: "web" }],
      }),
    });
  }
  const coordinates = [3, 1, 2].map((place, i) => at(`node-${i + 1}`, place / 100));
  server.apply({ type: "CoordinateBatchUpdate", body: coordinates });
  return server;
}

function at(Node: string, seconds: number) {
  const Coord: NetworkCoordinate = {
    Vec: [seconds, 0, 0, 0, 0, 0, 0, 0],
    Error: 1.5,
    Adjustment: 0,
    Height: 0.00001,
  };
  return { Node, Segment: "", Coord };
}

async function define(
  { delegate }: EndpointsUnderTest,
  service: Partial<ServiceQuery>,
  of: Partial<PreparedQuery> = {},
): Promise<string> {
  const Service = { ...BLANK_QUERY.Service, Service: "web", ...service };
  const Query = { ...BLANK_QUERY, Name: "q", ...of, Service };
  return delegate.call("PreparedQuery.Apply", { Datacenter: "", Op: "create", Query });
}

async function run(
  { delegate }: EndpointsUnderTest,
  of: Partial<Methods["PreparedQuery.Execute"]["args"]> = {},
): Promise<string[]> {
  const args = query({
    QueryIDOrName: "q",
    Limit: 0,
    Connect: false,
    Source: { Node: "", Ip: "" },
    Agent: { Node: "node-2" },
    ...of,
  });
  const { value } = await delegate.call("PreparedQuery.Execute", args);
  return value.Nodes.map(({ Node }) => Node.Node.slice(-1));
}

describe("instances that are wanted", () => {
  test.each<readonly [Partial<ServiceQuery>, readonly string[]]>([
    [{}, ["1", "2", "3", "4"]],
    [{ OnlyPassing: true }, ["1", "2", "3"]],
    [{ IgnoreCheckIDs: ["c"] }, ["1", "2", "3", "4", "5"]],
    [{ Tags: ["even"] }, ["1", "3"]],
    [{ Tags: ["!EVEN"] }, ["2", "4"]],
    [{ Tags: ["odd", "!y"] }, ["2", "4"]],
    [{ NodeMeta: { rack: "r1" } }, ["2"]],
    [{ ServiceMeta: { v: "1" }, OnlyPassing: true }, ["2"]],
    [{ Connect: true }, []],
    [{ Service: "none" }, []],
  ])("%j", async (service, nodes) => {
    const server = cluster();
    await define(server, service);
    expect((await run(server)).sort()).toEqual(nodes);
  });
});

test("they come in another order each time, and no more than the limit", async () => {
  const server = cluster();
  await define(server, {});
  const orders = new Set<string>();
  for (let i = 0; i < 50; i++) orders.add((await run(server)).join(""));
  expect(orders.size).toBeGreaterThan(10);
  expect(await run(server, { Limit: 2 })).toHaveLength(2);
  expect(await run(server, { Limit: -1 })).toHaveLength(4);
});

describe("nearest first", () => {
  // From node-2 at 10 ms: node-3 at 20, node-1 at 30; node-4 has no coordinate.
  test.each<readonly [near: string, asked: string, ip: string, order: string]>([
    ["node-2", "", "", "2314"],
    ["node-2", "node-1", "", "1324"],
    ["_agent", "", "", "2314"],
    ["_ip", "", "10.0.0.1", "1324"],
    ["", "_ip", "10.0.0.1", "1324"],
  ])("query says %j, caller %j, from %j", async (Near, asked, Ip, order) => {
    const server = cluster();
    await define(server, { Near });
    const Source = { Node: asked, Ip };
    expect((await run(server, { Source })).join("")).toBe(order);
  });

  test("a node without a coordinate is still first itself", async () => {
    const server = cluster();
    await define(server, { Near: "NODE-4" });
    for (let i = 0; i < 5; i++) expect((await run(server))[0]).toBe("4");
  });
});

describe("is refused", () => {
  test.each<readonly [Partial<PreparedQuery>, string]>([
    [{ ID: "x" }, "ID must be empty when creating a new prepared query"],
    [{ Name: "" }, "Invalid prepared query: Must be bound to a session"],
    [
      { Token: "<hidden>" },
      "Invalid prepared query: Bad Token '<hidden>', it looks like a query definition with a redacted token was submitted",
    ],
    [
      { DNS: { TTL: "zz" } },
      `Invalid prepared query: Bad DNS TTL 'zz': time: invalid duration "zz"`,
    ],
    [{ DNS: { TTL: "-1s" } }, "Invalid prepared query: DNS TTL '-1000000000', must be >=0"],
  ])("%j", async (of, text) => {
    await expect(define(cluster(), {}, of)).rejects.toThrow(text);
  });
  test.each<readonly [Partial<ServiceQuery>, string]>([
    [{ Service: "" }, "Invalid prepared query: Must provide a Service name to query"],
    [
      { Failover: { NearestN: -1, Datacenters: null } },
      "Invalid prepared query: Bad NearestN '-1', must be >= 0",
    ],
    [
      { NodeMeta: { "a b": "c" } },
      "Invalid prepared query: Couldn't load metadata pair ('a b', 'c'): Key contains invalid characters",
    ],
  ])("%j", async (service, text) => {
    await expect(define(cluster(), service)).rejects.toThrow(text);
  });
});

test("unknown queries are not found, and cannot be changed", async () => {
  const server = cluster();
  await expect(run(server)).rejects.toMatchObject({ code: "request/not-found" });
  const Query = { ...BLANK_QUERY, ID: "aaaaaaaa-0000-0000-0000-000000000000" };
  const change = server.delegate.call("PreparedQuery.Apply", {
    Datacenter: "",
    Op: "delete",
    Query,
  });
  await expect(change).rejects.toThrow(`Cannot modify non-existent prepared query: '${Query.ID}'`);
});

test("catalog and health lists are sorted by distance too, and by name without it", async () => {
  const { delegate } = cluster();
  const order = async (Near?: string) => {
    const near = Near === undefined ? {} : { Near };
    const { value } = await delegate.call(
      "Catalog.ListNodes",
      query({ NodeMetaFilters: {}, ...near }),
    );
    return value.Nodes.map(({ Node }) => Node.slice(-1)).join("");
  };
  expect(await order()).toBe("12345");
  expect(await order("node-2")).toBe("23145");
  expect(await order("ghost")).toBe("12345");
  expect(await order("node-4")).toBe("12345");
  const args = query({ ServiceName: "web", ServiceTags: [], NodeMetaFilters: {}, Near: "node-1" });
  const instances = await delegate.call("Health.ServiceNodes", { ...args, Status: "any" });
  expect(instances.value.Nodes.map(({ Node }) => Node.Node.slice(-1)).join("")).toBe("13245");
  const checks = await delegate.call("Health.ServiceChecks", args);
  expect(checks.value.HealthChecks.map(({ Node }) => Node.slice(-1)).join("")).toBe("13245");
});
