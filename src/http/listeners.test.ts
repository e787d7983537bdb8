import { expect, test } from "vitest";
import { lineLogger } from "../platform/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { closeListeners, openListeners } from "./listeners.ts";
import type { HttpNeeds } from "./needs.ts";
import { TEST_CONFIG } from "./testkit.ts";

function needsFor(httpAddrs: readonly string[], port = 8500) {
  const platform = simPlatform({ seed: 1 });
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line.replace(/^\S+ /, ""));
  const logger = lineLogger({ clock: platform.clock, level: "info", json: false, write });
  const ports = { ...TEST_CONFIG.ports, http: port };
  const config = { ...TEST_CONFIG, httpAddrs, ports };
  const needs: Pick<HttpNeeds, "platform" | "logger" | "config"> = {
    platform,
    logger,
    config: () => config,
  };
  return { platform, lines, open: () => openListeners(needs, (stream) => stream.end("hello")) };
}

test("addresses and socket files are listened on, and told of", async () => {
  const { open, lines, platform } = needsFor(["127.0.0.1", "::1", "unix:///run/a.sock"]);
  const listeners = await open();
  expect(lines).toEqual([
    "[INFO]  Started HTTP server: address=127.0.0.1:8500 network=tcp",
    "[INFO]  Started HTTP server: address=[::1]:8500 network=tcp",
    "[INFO]  Started HTTP server: address=/run/a.sock network=unix",
  ]);
  const { signal } = new AbortController();
  (await platform.network.connect({ path: "/run/a.sock" }, { signal })).destroy();
  await closeListeners(listeners);
  await expect(platform.network.connect({ path: "/run/a.sock" }, { signal })).rejects.toThrow();
});

test("without a port there is no API, on socket files either", async () => {
  const { open } = needsFor(["127.0.0.1", "unix:///run/a.sock"], -1);
  expect(await open()).toEqual([]);
});

test("a socket file that an agent left behind gives way", async () => {
  const { open, lines, platform } = needsFor(["unix:///run/a.sock"]);
  await platform.disk.makeDirectory("/run");
  await platform.disk.replace("/run/a.sock", new Uint8Array());
  const listeners = await open();
  expect(lines[0]).toBe("[WARN]  Replacing socket: path=/run/a.sock");
  expect(await platform.disk.read("/run/a.sock")).toBeUndefined();
  await closeListeners(listeners);
});

test("an address that is taken is an error, and the others are given up", async () => {
  const { open, platform } = needsFor(["127.0.0.1", "127.0.0.2"]);
  const local = { host: "127.0.0.2", port: 8500 };
  const taken = await platform.network.listen(local, () => {});
  await expect(open()).rejects.toThrow("listen tcp 127.0.0.2:8500: bind: address already in use");
  await taken[Symbol.asyncDispose]();
  await closeListeners(await open());
});
