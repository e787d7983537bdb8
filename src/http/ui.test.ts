import { expect, test } from "vitest";
import type { CheckServiceNode, NodeService } from "../model/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { aCheck, aNode, aService, META, startTestServer } from "./testkit.ts";

function instance(service: Partial<NodeService>, statuses: readonly string[]): CheckServiceNode {
  const Checks = statuses.map((Status, i) => ({ ...aCheck, CheckID: `c${i}`, Status }));
  return { Node: aNode, Service: { ...aService, ...service }, Checks };
}

// What Consul 1.8.7 answers for the same registrations.
test("services are summed up over their instances", async () => {
  const Nodes = [
    instance(
      {
        Service: "web-proxy",
        Kind: "connect-proxy",
        Proxy: { ...aService.Proxy, DestinationServiceName: "web" },
      },
      ["passing"],
    ),
    instance({ ID: "w2", Tags: ["b", "a"], Meta: { "external-source": "nomad" } }, [
      "passing",
      "warning",
    ]),
    instance({ ID: "w1", Tags: ["c", "a"], Meta: { "external-source": "kubernetes" } }, [
      "passing",
      "critical",
    ]),
  ];
  await using server = await startTestServer({
    platform: simPlatform({ seed: 1 }),
    handlers: { "Internal.ServiceDump": () => ({ value: { Nodes }, meta: META }) },
  });
  const { body } = await server.send({ path: "/v1/internal/ui/services" });
  expect(body).toBe(
    '[{"Name":"web","Tags":["a","b","c"],"Nodes":["node-a","node-a"],"InstanceCount":2,' +
      '"ChecksPassing":2,"ChecksWarning":1,"ChecksCritical":1,' +
      '"ExternalSources":["kubernetes","nomad"],"GatewayConfig":{}},' +
      '{"Kind":"connect-proxy","Name":"web-proxy","Tags":null,"Nodes":["node-a"],"InstanceCount":1,' +
      '"ProxyFor":["web"],"ChecksPassing":1,"ChecksWarning":0,"ChecksCritical":0,' +
      '"ExternalSources":null,"GatewayConfig":{}}]',
  );
});

test.each([
  ["/v1/internal/ui/node/", 400, "Missing node name"],
  ["/v1/internal/ui/node/ghost", 404, ""],
  ["/v1/internal/ui/gateway-services-nodes/", 400, "Missing gateway name"],
  ["/v1/internal/ui/nodes?dc=zz", 500, "No path to datacenter"],
])("%s is %i %j", async (path, status, body) => {
  await using server = await startTestServer({
    platform: simPlatform({ seed: 1 }),
    handlers: { "Internal.NodeInfo": () => ({ value: { Dump: [] }, meta: META }) },
  });
  expect(await server.send({ path })).toMatchObject({ status, body });
});
