/** A reload's effect on what lives longer than the configuration that it started with. */
import { expect, test } from "vitest";
import { loadConfig } from "../config/index.ts";
import { lineLogger, noLogger } from "../platform/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { startAgent } from "./agent.ts";

test("the log level changes, and the data directory of -dev stays empty", async () => {
  const platform = simPlatform({ seed: 1 });
  await platform.disk.makeDirectory("/etc");
  const configure = (text: string): Promise<void> =>
    platform.disk.replace("/etc/a.hcl", new TextEncoder().encode(text));
  await configure('log_level = "WARN"\n service { name = "web" }');
  const argv = ["-dev", "-bind=127.0.0.1", "-config-file=/etc/a.hcl", "-data-dir=/data"];
  const readConfig = () => loadConfig({ argv, platform });
  const lines: string[] = [];
  const logger = lineLogger({
    level: "warn",
    json: false,
    write: (line) => lines.push(line),
    clock: platform.clock,
  });
  const loaded = await readConfig();
  const agent = await startAgent({
    platform,
    logger,
    loaded,
    readConfig,
    onLeave: () => {},
    onFailure: () => {},
  });
  try {
    logger.info("quiet");
    await configure('log_level = "INFO"\n service { name = "web" }');
    await agent.reload();
    logger.info("heard");
    await configure('log_level = "ERR"');
    await agent.reload();
    logger.warn("quiet again");
    expect(lines.filter((line) => /quiet|heard/.test(line))).toEqual([
      expect.stringContaining("[INFO]  heard"),
    ]);
    expect(await platform.disk.list("/data/services")).toBeUndefined();
  } finally {
    await agent[Symbol.asyncDispose]();
  }
});

test("what is measured follows telemetry.prefix_filter", async () => {
  const platform = simPlatform({ seed: 1 });
  await platform.disk.makeDirectory("/etc");
  const filter = (rules: string): Promise<void> =>
    platform.disk.replace(
      "/etc/a.hcl",
      new TextEncoder().encode(`telemetry { prefix_filter = [${rules}] }`),
    );
  const argv = ["-dev", "-bind=127.0.0.1", "-config-file=/etc/a.hcl"];
  const readConfig = () => loadConfig({ argv, platform });
  await filter('"-consul.http"');
  const agent = await startAgent({
    platform,
    logger: noLogger,
    loaded: await readConfig(),
    readConfig,
    onLeave: () => {},
    onFailure: () => {},
  });
  const metrics = async (): Promise<string> => {
    const { signal } = new AbortController();
    const stream = await platform.network.connect({ host: "127.0.0.1", port: 8500 }, { signal });
    stream.write("GET /v1/agent/metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let text = "";
    stream.on("data", (bytes: Buffer) => (text += bytes.toString()));
    await platform.clock.until(new Promise((resolve) => stream.once("close", resolve)));
    return text;
  };
  try {
    await metrics();
    expect(await metrics()).not.toContain("consul.http.");
    await filter('"-consul.client"');
    await agent.reload();
    await metrics();
    expect(await metrics()).toContain("consul.http.GET.v1.agent.metrics");
  } finally {
    await agent[Symbol.asyncDispose]();
  }
});
