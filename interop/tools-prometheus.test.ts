/**
 * Prometheus discovers its targets at our agent (`consul_sd_configs`): what is registered is scraped with the labels
 * that the catalog gives it, and what is deregistered is dropped.
 */
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Agent } from "../src/agent/index.ts";
import { Program, agentAt, eventually, http } from "./testkit.ts";

const AGENT = "127.0.0.131";
const PROMETHEUS = "127.0.0.132";
const SCRAPED_PORT = 18_131;

const directory = mkdtempSync(join(tmpdir(), "rollcall-prometheus-"));
let agent: Agent;
let scraped: Server;
let prometheus: Program;

const CONFIG = `
global:
  scrape_interval: 1s
scrape_configs:
  - job_name: catalog
    consul_sd_configs:
      - server: ${AGENT}:8500
        refresh_interval: 1s
    relabel_configs:
      - { source_labels: [__meta_consul_service], regex: consul, action: drop }
      - { source_labels: [__meta_consul_service], target_label: service }
      - { source_labels: [__meta_consul_service_id], target_label: id }
      - { source_labels: [__meta_consul_tags], target_label: tags }
      - { source_labels: [__meta_consul_node], target_label: node }
      - { source_labels: [__meta_consul_dc], target_label: dc }
      - { source_labels: [__meta_consul_health], target_label: health }
      - { source_labels: [__meta_consul_service_metadata_team], target_label: team }
`;

interface Target {
  readonly labels: Readonly<Record<string, string>>;
  readonly scrapeUrl: string;
  readonly health: string;
}

async function targets(): Promise<readonly Target[]> {
  const answer = await fetch(`http://${PROMETHEUS}:9090/api/v1/targets?state=active`);
  const { data } = (await answer.json()) as { data: { activeTargets: Target[] } };
  return data.activeTargets;
}

const put = async (path: string, body: object | string = ""): Promise<void> => {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const { status } = await http(AGENT, path, { method: "PUT", body: text });
  expect(status).toBe(200);
};

beforeAll(async () => {
  agent = await agentAt(AGENT, ["-node=here"]);
  scraped = createServer((_request, response) => response.end("jobs_done_total 7\n"));
  scraped.listen(SCRAPED_PORT, AGENT);
  await once(scraped, "listening");
  writeFileSync(join(directory, "prometheus.yml"), CONFIG);
  prometheus = new Program([
    "prometheus",
    `--config.file=${directory}/prometheus.yml`,
    `--storage.tsdb.path=${directory}/data`,
    `--web.listen-address=${PROMETHEUS}:9090`,
  ]);
  await eventually("Prometheus answers", targets, () => true);
});
afterAll(async () => {
  await prometheus[Symbol.asyncDispose]();
  scraped.closeAllConnections();
  scraped.close();
  await agent[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

test("a service is a target for as long as it is registered", async () => {
  await put("/v1/agent/service/register", {
    ID: "web-1",
    Name: "web",
    Address: AGENT,
    Port: SCRAPED_PORT,
    Tags: ["v1", "public"],
    Meta: { team: "red" },
    Check: { TTL: "60s", Status: "passing" },
  });
  const [target] = await eventually(
    "web is scraped",
    targets,
    (found) => found.length === 1 && found[0]?.health === "up",
  );
  expect(target?.scrapeUrl).toBe(`http://${AGENT}:${SCRAPED_PORT}/metrics`);
  expect(target?.labels).toEqual({
    instance: `${AGENT}:${SCRAPED_PORT}`,
    job: "catalog",
    service: "web",
    id: "web-1",
    tags: ",v1,public,",
    node: "here",
    dc: "dc1",
    health: "passing",
    team: "red",
  });

  await put("/v1/agent/check/fail/service:web-1");
  await eventually(
    "its health is told",
    targets,
    ([found]) => found?.labels["health"] === "critical",
  );

  await put("/v1/agent/service/deregister/web-1");
  await eventually("it is dropped", targets, (found) => found.length === 0);
});

test("Prometheus met no error in its discovery", async () => {
  const answer = await fetch(`http://${PROMETHEUS}:9090/metrics`);
  expect(await answer.text()).toMatch(/^prometheus_sd_consul_rpc_failures_total 0$/m);
  expect(prometheus.output).not.toMatch(/level=(warn|error)/);
});
