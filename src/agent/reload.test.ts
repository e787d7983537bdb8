/** A reload's effect on what lives longer than the configuration that it started with. */
import { expect, test } from "vitest";
import { loadConfig } from "../config/index.ts";
import { lineLogger } from "../platform/index.ts";
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
