import { expect, test } from "vitest";
import type { CheckServiceNode } from "../model/index.ts";
import { DEFAULT_QUERY } from "../rpc/index.ts";
import { dnsSelection } from "./explain.ts";
import { FakeCatalog, testConfig, type Registration } from "./testkit.ts";

async function nodesOf(
  registrations: readonly Registration[],
): Promise<readonly CheckServiceNode[]> {
  const { value } = await new FakeCatalog(registrations).call("Health.ServiceNodes", {
    ...DEFAULT_QUERY,
    ServiceName: "web",
    ServiceTags: [],
    NodeMetaFilters: {},
    Status: "not-critical",
  });
  return value.Nodes;
}

const web = (count: number): Registration[] =>
  Array.from({ length: count }, (_, i) => ({
    Node: `n${String(i).padStart(3, "0")}`,
    Address: `10.0.0.${i + 1}`,
    Service: { Service: "web", ID: `web-${i}`, Port: 80 },
  }));

test("few enough are all kept", async () => {
  const nodes = await nodesOf(web(3));
  const selection = dnsSelection({ nodes, excluded: [], config: testConfig() });
  expect(selection.kept).toEqual(nodes);
  expect(selection.excluded).toEqual([]);
});

test("what plain UDP and EDNS leave out, and by which limit", async () => {
  const nodes = await nodesOf(web(100));
  const critical = { Node: "n999", ServiceID: "web-999", Reasons: [] };
  const { kept, excluded, limit } = dnsSelection({
    nodes,
    excluded: [critical],
    config: testConfig({ dns: { udpAnswerLimit: 5 } }),
  });
  const plain = "UDP without EDNS: 5 of 100 addresses (udp_answer_limit 5, 512 bytes)";
  const edns = "UDP with EDNS: 74 of 100 addresses (1232 bytes)";
  expect(limit).toBe(`${plain}; ${edns}`);
  expect(kept).toEqual(nodes.slice(0, 5));
  expect(excluded).toHaveLength(96);
  expect(excluded[0]).toBe(critical);
  expect(excluded[1]).toEqual({
    Node: "n005",
    ServiceID: "web-5",
    Reasons: [{ Kind: "truncation", Limit: plain }],
  });
  expect(excluded.at(-1)?.Reasons).toEqual([
    { Kind: "truncation", Limit: plain },
    { Kind: "truncation", Limit: edns },
  ]);
});

test("instances at one address stand or fall together", async () => {
  const shared = web(6).map((registration) => ({ ...registration, Address: "10.0.0.1" }));
  const nodes = await nodesOf(shared);
  expect(dnsSelection({ nodes, excluded: [], config: testConfig() }).kept).toEqual(nodes);
});
