/** Endpoints of features that are not there: Consul 1.8.7's answers where it has nothing to tell either. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { simPlatform } from "../platform/sim/index.ts";
import { headerOf, startTestServer, type TestServer } from "./testkit.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    platform: simPlatform({ seed: 1 }),
    handlers: { "Status.Leader": () => "127.0.0.1:8300" },
  });
});
afterAll(() => server[Symbol.asyncDispose]());

const STATE = "/v1/internal/federation-state";
test.each<[string, string, number, string]>([
  ["GET", `${STATE}s`, 200, "[]"],
  ["GET", `${STATE}s/mesh-gateways`, 200, "{}"],
  ["GET", `${STATE}/dc1`, 404, ""],
  ["GET", `${STATE}/`, 400, "Bad request: Missing datacenter name"],
  ["PUT", `${STATE}s`, 405, "method PUT not allowed"],
  ["GET", "/v1/federation-states", 404, ""],
  ["GET", "/v1/discovery-chain/", 400, "Bad request: Missing chain name"],
  ["GET", "/v1/discovery-chain/web", 500, "Connect must be enabled in order to use this endpoint"],
  ["DELETE", "/v1/config/service-defaults/web", 200, "{}"],
  ["DELETE", "/v1/config/zz/web", 400, "invalid config entry kind: zz"],
  ["DELETE", "/v1/config/web", 404, "Must provide both a kind and name to delete"],
])("%s %s: %d %s", async (method, path, status, body) => {
  expect(await server.send({ method, path })).toMatchObject({ status, body });
});

test("reading what datacenters say of their gateways has an index", async () => {
  const answer = await server.send({ path: `${STATE}s` });
  expect(headerOf(answer, "X-Consul-Index")).toBe("1");
  expect(headerOf(answer, "X-Consul-Knownleader")).toBe("true");
});
