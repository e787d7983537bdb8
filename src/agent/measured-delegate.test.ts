import { expect, test } from "vitest";
import { Metrics } from "../platform/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { DEFAULT_QUERY, type Delegate } from "../rpc/index.ts";
import { fakeDelegate, META } from "../http/testkit.ts";
import { measuredDelegate } from "./measured-delegate.ts";

function underTest(delegate: Delegate) {
  const { clock } = simPlatform({ seed: 1 });
  const metrics = new Metrics({ clock, readGauges: () => [] });
  return { metrics, delegate: measuredDelegate(delegate, clock, metrics) };
}
const ask = (ServiceName: string, ServiceTags: readonly string[] = []) => ({
  ...DEFAULT_QUERY,
  ServiceName,
  ServiceTags,
  NodeMetaFilters: {},
});

test("look-ups are counted by service, by tags in their order, and when nothing was found", async () => {
  const { metrics, delegate } = underTest(
    fakeDelegate({ "Catalog.ServiceNodes": () => ({ value: { ServiceNodes: [] }, meta: META }) }),
  );
  await delegate.call("Catalog.ServiceNodes", ask("web", ["b", "a"]));
  await delegate.call("Catalog.ServiceNodes", ask("web"));
  await expect(
    delegate.call("Health.ServiceNodes", { ...ask("db"), Status: "any" }),
  ).rejects.toThrow("No path to datacenter");
  const counted = metrics
    .measured()
    .counters.map(({ name, labels, count }) => [name, labels, count]);
  expect(counted).toEqual([
    ["catalog.service.not-found", [["service", "web"]], 2],
    ["catalog.service.query", [["service", "web"]], 2],
    [
      "catalog.service.query-tags",
      [
        ["service", "web"],
        ["tag", "a"],
        ["tag", "b"],
      ],
      1,
    ],
    ["client.rpc", [], 3],
    ["client.rpc.failed", [], 1],
  ]);
});
