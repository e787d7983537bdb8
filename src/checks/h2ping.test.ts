import { createServer } from "node:http2";
import type { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { SECOND } from "../model/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { start } from "./testkit.ts";

/** What is reported of whatever accepts on 127.0.0.1:80, and what is left open then. */
async function reportOf(accept: (stream: Duplex) => void) {
  const platform = simPlatform({ seed: 1 });
  let open = 0;
  await platform.network.listen({ host: "127.0.0.1", port: 80 }, (stream) => {
    open += 1;
    stream.on("error", () => {}).on("close", () => (open -= 1));
    accept(stream);
  });
  using run = start(platform, {
    H2PING: "127.0.0.1:80",
    H2PingUseTLS: false,
    Timeout: 5 * SECOND,
    InitialDelay: SECOND,
  });
  const turns = async (until: () => boolean): Promise<void> => {
    for (let turn = 0; turn < 100 && !until(); turn += 1) await platform.clock.settle();
  };
  await platform.clock.run(1_000);
  await turns(() => run.reports.length > 0);
  if (run.reports.length === 0) await platform.clock.run(5_000);
  await turns(() => run.reports.length > 0);
  const report = run.reports[0];
  run[Symbol.dispose]();
  await turns(() => open === 0);
  return { report, open, timers: platform.clock.timerCount };
}

const NOTHING_LEFT = { open: 0, timers: 0 };

test("a server that speaks HTTP/2 answers, and nothing stays open", async () => {
  const server = createServer().on("sessionError", () => {});
  expect(await reportOf((stream) => void server.emit("connection", stream))).toStrictEqual({
    report: "passing: HTTP2 ping was successful",
    ...NOTHING_LEFT,
  });
});

test("a server that hangs up", async () => {
  expect(await reportOf((stream) => void stream.destroy())).toStrictEqual({
    report: "critical: HTTP2 ping failed: connection closed",
    ...NOTHING_LEFT,
  });
});

test("a server that speaks something else", async () => {
  const { report, ...left } = await reportOf((stream) => {
    stream.resume();
    stream.write("HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  expect(report).toMatch(/^critical: HTTP2 ping failed: .+/);
  expect(left).toStrictEqual(NOTHING_LEFT);
});

test("a server that keeps silent", async () => {
  expect(await reportOf((stream) => void stream.resume())).toStrictEqual({
    report: "critical: HTTP2 ping failed: context deadline exceeded",
    ...NOTHING_LEFT,
  });
});
