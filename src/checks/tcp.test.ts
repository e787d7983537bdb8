import { describe, expect, test } from "vitest";
import { SECOND } from "../model/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { parseDialAddress } from "./dial-address.ts";
import { start } from "./testkit.ts";

async function firstReport(target: string) {
  const platform = simPlatform({ seed: 1 });
  await using _listener = await platform.network.listen({ host: "127.0.0.1", port: 80 }, () => {});
  using run = start(platform, { TCP: target, Timeout: SECOND });
  await platform.clock.run(1_000);
  return run.reports[0];
}

describe("a TCP check", () => {
  // As Consul 1.8.7 shows the same targets.
  test.each([
    ["127.0.0.1:80", "passing: TCP connect 127.0.0.1:80: Success"],
    ["localhost:http", "passing: TCP connect localhost:http: Success"],
    [":80", "passing: TCP connect :80: Success"],
    ["127.0.0.1:1", "critical: dial tcp 127.0.0.1:1: connect: connection refused"],
    ["[::1]:1", "critical: dial tcp [::1]:1: connect: connection refused"],
    ["127.0.0.1", "critical: dial tcp: address 127.0.0.1: missing port in address"],
    ["127.0.0.1:foo", "critical: dial tcp: address tcp/foo: unknown port"],
    ["127.0.0.1:70000", "critical: dial tcp: address 70000: invalid port"],
    ["127.0.0.1:-1", "critical: dial tcp: address -1: invalid port"],
    ["::1:1", "critical: dial tcp: address ::1:1: too many colons in address"],
    ["a:b:c", "critical: dial tcp: address a:b:c: too many colons in address"],
    ["[::1", "critical: dial tcp: address [::1: missing ']' in address"],
    ["[::1]x:1", "critical: dial tcp: address [::1]x:1: missing port in address"],
    ["unix:///tmp/x", "critical: dial tcp: address tcp////tmp/x: unknown port"],
  ])("%s", async (target, expected) => {
    expect(await firstReport(target)).toBe(expected);
  });

  test("a host that keeps silent", async () => {
    const platform = simPlatform({ seed: 1 });
    using _silence = platform.network.silence("10.0.0.9");
    using run = start(platform, { TCP: "10.0.0.9:80" });
    await platform.clock.run(12_000);
    expect(run.reports).toStrictEqual(["critical: dial tcp 10.0.0.9:80: i/o timeout"]);
    const error = "dial tcp 10.0.0.9:80: i/o timeout";
    expect(run.log[0]).toBe(`WARN Check socket connection failed check=c error=${error}`);
  });

  test("every connection is closed, that of a check which was disposed of included", async () => {
    const platform = simPlatform({ seed: 1 });
    let opened = 0;
    let closed = 0;
    await using _listener = await platform.network.listen(
      { host: "127.0.0.1", port: 80 },
      (stream) => {
        opened += 1;
        stream.resume().on("close", () => (closed += 1));
      },
    );
    const run = start(platform, { TCP: "127.0.0.1:80" });
    await platform.clock.run(5_000);
    run[Symbol.dispose]();
    await platform.clock.settle();
    expect(opened).toBe(5);
    expect(closed).toBe(5);
    expect(platform.clock.timerCount).toBe(0);
  });
});

test.each([
  ["unexpected '[' in address", "a[b:1"],
  ["unexpected ']' in address", "a]b:1"],
  ["too many colons in address", "[::1]:1:2"],
])("%s: %s", (problem, target) => {
  const message = `dial tcp: address ${target}: ${problem}`;
  expect(parseDialAddress(target)).toStrictEqual({ kind: "invalid", message });
});
