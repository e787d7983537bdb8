import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadConfig } from "../config/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { debugConfig } from "./debug-config.ts";

/** Of parts that no agent has yet, and that nobody can configure. */
const LEFT_OUT = [
  "AutoConfig",
  "Cache",
  "ConnectCAProvider",
  "ConnectTestCALeafRootChangeSpread",
  "ConsulCoordinateUpdatePeriod",
  "ConsulRaftElectionTimeout",
  "ConsulRaftHeartbeatTimeout",
  "ConsulRaftLeaderLeaseTimeout",
  "ConsulServerHealthInterval",
  "RaftProtocol",
  "RaftSnapshotInterval",
  "RaftSnapshotThreshold",
  "RaftTrailingLogs",
];

async function shownFor(...argv: string[]): Promise<Record<string, unknown>> {
  const platform = simPlatform({ seed: 1 });
  const loaded = await loadConfig({ platform, argv: ["-dev", "-node=n1", ...argv] });
  return debugConfig({ ...loaded, nodeId: "id", version: "1.8.7" });
}

function recorded(): Record<string, unknown> {
  const file = new URL("../../interop/testdata/http/agent/agent-self.json", import.meta.url);
  const { response } = JSON.parse(readFileSync(file, "utf8")) as { response: { body: string } };
  return (JSON.parse(response.body) as { DebugConfig: Record<string, unknown> }).DebugConfig;
}

/** Names at all depths of objects; where the recording's is empty, so may ours be anything. */
function namesOf(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "";
  return Object.keys(value);
}

test("all of Consul's names are there, in its order, and below them those of its parts", async () => {
  const ours = await shownFor();
  const consuls = recorded();
  expect(Object.keys(ours)).toEqual(
    Object.keys(consuls).filter((name) => !LEFT_OUT.includes(name)),
  );
  for (const name of ["DNSSOA", "Logging", "Telemetry"]) {
    expect(namesOf(ours[name]), name).toEqual(namesOf(consuls[name]));
  }
});

test("values are of Consul's types", async () => {
  const ours = await shownFor();
  const typeOf = (value: unknown): string => (Array.isArray(value) ? "list" : typeof value);
  const consuls = recorded();
  for (const [name, value] of Object.entries(ours)) {
    expect(`${name}: ${typeOf(value)}`).toBe(`${name}: ${typeOf(consuls[name])}`);
  }
});

test("what is configured is shown, also where nothing makes use of it", async () => {
  const ours = await shownFor(
    "-client=127.0.0.2",
    "-recursor=127.0.0.9",
    '-hcl=autopilot { max_trailing_logs = 7 } telemetry { prefix_filter = ["-a", "+a.b"] }',
    '-hcl=dns_config { service_ttl = { "*" = "90s" } node_ttl = "1h" } check_update_interval = "0.5s"',
  );
  expect(ours).toMatchObject({
    AutopilotMaxTrailingLogs: 7,
    CheckUpdateInterval: "500ms",
    DNSAddrs: ["tcp://127.0.0.2:8600", "udp://127.0.0.2:8600"],
    DNSNodeTTL: "1h0m0s",
    DNSRecursors: ["127.0.0.9"],
    DNSServiceTTL: { "*": "1m30s" },
    HTTPAddrs: ["tcp://127.0.0.2:8500"],
    HTTPSAddrs: [],
    NodeID: "id",
    NodeName: "n1",
    Telemetry: { AllowedPrefixes: ["a.b"], BlockedPrefixes: ["a"], MetricsPrefix: "consul" },
  });
});

test("secrets are not shown, at any depth", async () => {
  const ours = await shownFor(
    '-hcl=acl { tokens { default = "s3cret-1" master = "s3cret-2" } } encrypt = "pUqJrVyVRj5jsiYEkM/tFQ=="',
    '-hcl=telemetry { circonus_api_token = "s3cret-3" } service { name = "web" token = "s3cret-4" }',
    "-retry-join=provider=aws secret_access_key=s3cret-5 region=x",
  );
  expect(JSON.stringify(ours)).not.toMatch(/s3cret|pUqJrVy/);
  expect(ours).toMatchObject({
    ACLToken: "hidden",
    EncryptKey: "hidden",
    Services: [{ Name: "web", Token: "hidden" }],
    RetryJoinLAN: ["provider=aws secret_access_key=hidden region=x"],
    Telemetry: { CirconusAPIToken: "hidden" },
  });
});
