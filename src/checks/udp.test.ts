import { expect, test } from "vitest";
import { SECOND } from "../model/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { start } from "./testkit.ts";

const SERVER = { host: "127.0.0.1", port: 53 };

test("an answer is passing at once", async () => {
  const platform = simPlatform({ seed: 1 });
  const asked: number[] = [];
  const server = await platform.network.bindDatagram(SERVER, (bytes, from) => {
    asked.push(bytes.length);
    server.send(Buffer.from("hello"), from);
  });
  using run = start(platform, { UDP: "localhost:53", InitialDelay: SECOND });
  await platform.clock.run(1_000);
  expect(run.reports).toStrictEqual(["passing: UDP connect localhost:53: Success"]);
  expect(asked).toStrictEqual([0]);
});

test("silence is passing once the time is up", async () => {
  const platform = simPlatform({ seed: 1 });
  await platform.network.bindDatagram(SERVER, () => {});
  using run = start(platform, { UDP: "127.0.0.1:53", Timeout: 3 * SECOND, InitialDelay: SECOND });
  await platform.clock.run(3_999);
  expect(run.reports).toStrictEqual([]);
  await platform.clock.run(1);
  expect(run.reports).toStrictEqual(["passing: UDP connect 127.0.0.1:53: Success"]);
});

test.each([
  ["127.0.0.1:9", "read udp 127.0.0.1:9: read: connection refused"],
  ["nosuch.invalid:9", "dial udp: lookup nosuch.invalid: no such host"],
  ["127.0.0.1", "dial udp: address 127.0.0.1: missing port in address"],
  ["127.0.0.1:nosuch", "dial udp: address udp/nosuch: unknown port"],
])("%s is critical: %s", async (UDP, output) => {
  const platform = simPlatform({ seed: 1 });
  using run = start(platform, { UDP });
  await platform.clock.run(1_000);
  expect(run.reports).toStrictEqual([`critical: ${output}`]);
  expect(run.log).toContain(`WARN Check socket connection failed check=c error=${output}`);
});
