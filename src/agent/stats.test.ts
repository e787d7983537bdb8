import { expect, test } from "vitest";
import { wholeAgent } from "./testkit.ts";

/** `consul info` 1.8.7 of a development agent, names only. */
const CONSUL: Readonly<Record<string, string>> = {
  agent: "check_monitors check_ttls checks services",
  build: "prerelease revision version",
  consul: "acl bootstrap known_datacenters leader leader_addr server",
  raft: `applied_index commit_index fsm_pending last_contact last_log_index last_log_term
    last_snapshot_index last_snapshot_term latest_configuration latest_configuration_index num_peers
    protocol_version protocol_version_max protocol_version_min snapshot_version_max
    snapshot_version_min state term`,
  runtime: "arch cpu_count goroutines max_procs os version",
  serf_lan: `coordinate_resets encrypted event_queue event_time failed health_score intent_queue left
    member_time members query_queue query_time`,
  serf_wan: `coordinate_resets encrypted event_queue event_time failed health_score intent_queue left
    member_time members query_queue query_time`,
};
const GO_ONLY = ["goroutines", "version"];

type Stats = Readonly<Record<string, Readonly<Record<string, string>>>>;
const statsIn = async (get: (path: string) => Promise<unknown>): Promise<Stats> =>
  ((await get("/v1/agent/self")) as { Stats: Stats }).Stats;

test("every figure of Consul's is there, but those of Go's", async () => {
  await using running = await wholeAgent("");
  const stats = await statsIn(running.get);
  expect(Object.keys(stats).toSorted()).toEqual(Object.keys(CONSUL));
  for (const [section, names] of Object.entries(CONSUL)) {
    const all = names.split(/\s+/);
    const wanted = section === "runtime" ? all.filter((name) => !GO_ONLY.includes(name)) : all;
    expect(Object.keys(stats[section] ?? {}), section).toEqual(wanted);
  }
});

test("they follow what happens", async () => {
  await using running = await wholeAgent('check { id = "a", name = "a", ttl = "1m" }');
  const before = await statsIn(running.get);
  expect(before["agent"]).toMatchObject({ checks: "1", check_ttls: "1", services: "0" });
  expect(before["consul"]).toMatchObject({ bootstrap: "false", leader: "true" });
  await running.put("/v1/agent/service/register", { Name: "web" });
  await running.put("/v1/kv/a", "1");
  const after = await statsIn(running.get);
  expect(after["agent"]).toMatchObject({ services: "1" });
  expect(Number(after["raft"]?.["applied_index"])).toBeGreaterThan(
    Number(before["raft"]?.["applied_index"]),
  );
  expect(after["raft"]?.["latest_configuration"]).toMatch(
    /^\[\{Suffrage:Voter ID:[\da-f-]{36} Address:127\.0\.0\.1:8300\}\]$/,
  );
});
