import { expect, test } from "vitest";
import type { LogSink } from "../platform/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { startTestServer } from "./testkit.ts";

function logs() {
  const sinks = new Set<LogSink>();
  let onSubscribe: () => void = () => {};
  const subscribed = new Promise<void>((resolve) => (onSubscribe = resolve));
  return {
    sinks,
    subscribed,
    log: (line: string) => sinks.forEach((sink) => sink.write(line)),
    subscribe(sink: LogSink): Disposable {
      sinks.add(sink);
      onSubscribe();
      return { [Symbol.dispose]: () => void sinks.delete(sink) };
    },
  };
}

test.each([
  ["fast lane", "GET /v1/agent/monitor?loglevel=warn&logjson HTTP/1.1\r\nHost: t\r\n\r\n"],
  [
    "Node's lane",
    "GET /v1/agent/monitor?loglevel=warn&logjson HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n",
  ],
])("lines arrive as they are logged until the client goes (%s)", async (_, request) => {
  const source = logs();
  await using server = await startTestServer({ platform: simPlatform({ seed: 1 }), logs: source });
  const received = server.exchange(request, (text) => text.includes("second"));
  await source.subscribed;
  expect([...source.sinks]).toMatchObject([{ level: "warn", json: true }]);
  source.log("first é");
  source.log("second");
  const text = await received;
  expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(text).toContain("Transfer-Encoding: chunked\r\n");
  expect(text).toContain(`9\r\n${Buffer.from("first é\n").toString("latin1")}\r\n7\r\nsecond`);
  await expect.poll(() => source.sinks.size).toBe(0);
});

test("an agent that stops ends it", async () => {
  const source = logs();
  const server = await startTestServer({ platform: simPlatform({ seed: 1 }), logs: source });
  const received = server.exchange("GET /v1/agent/monitor HTTP/1.1\r\nHost: t\r\n\r\n");
  await source.subscribed;
  await server[Symbol.asyncDispose]();
  expect(await received).toContain("200 OK");
  await expect.poll(() => source.sinks.size).toBe(0);
});

test("who does not read loses lines, and is told how many", async () => {
  const source = logs();
  await using server = await startTestServer({ platform: simPlatform({ seed: 1 }), logs: source });
  const stream = await server.connect();
  stream.pause();
  stream.write("GET /v1/agent/monitor HTTP/1.1\r\nHost: t\r\n\r\n");
  await source.subscribed;
  const line = "x".repeat(1024);
  for (let i = 0; i < 2000; i++) source.log(line);
  let text = "";
  stream.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  stream.resume();
  await expect
    .poll(() => {
      source.log("later");
      return text;
    })
    .toMatch(/Monitor dropped \d+ logs during monitor request/);
  expect(text.length).toBeLessThan(1_000_000);
  stream.destroy();
});
