import { beforeEach, expect, test } from "vitest";
import { noMeter } from "../platform/index.ts";
import { Broadcasts } from "./broadcasts.ts";
import { recordingLogger, utf8 } from "./testkit.ts";

let members = 1;
let log: string[] = [];
beforeEach(() => {
  members = 1;
  log = [];
});

function broadcasts(queueDepthMin = 0): Broadcasts {
  return new Broadcasts({
    retransmitMult: 4,
    packetBytesMax: 1400,
    queueDepthMax: 10,
    queueDepthMin,
    queueDepthWarning: 5,
    memberCount: () => members,
    logger: recordingLogger(log),
    metrics: noMeter,
  });
}

const texts = (messages: readonly Uint8Array[]): string[] =>
  messages.map((message) => Buffer.from(message).toString());

// gossip.md §12
test("a packet takes intents first, then queries, then events, as many as fit", () => {
  const queues = broadcasts();
  queues.add("event", utf8("event"));
  queues.add("query", utf8("query"));
  queues.add("intent", utf8("intent"));
  expect(texts(queues.take(3, 1000))).toEqual(["intent", "query", "event"]);
  expect(texts(queues.take(3, "intent".length + "query".length + 2 * 3))).toEqual([
    "intent",
    "query",
  ]);
});

test("each is sent as often as the number of members asks for, then it is done", () => {
  members = 20;
  const queues = broadcasts();
  let done = 0;
  queues.add("intent", utf8("intent"), () => (done += 1));
  const limit = 4 * Math.ceil(Math.log10(21));
  for (let sent = 0; sent < limit; sent += 1) {
    expect(done).toBe(0);
    expect(queues.take(0, 1000)).toHaveLength(1);
  }
  expect(done).toBe(1);
  expect(queues.take(0, 1000)).toEqual([]);
});

test("a queue that is too long is cut, and that is told once", () => {
  const queues = broadcasts();
  for (let index = 0; index < 15; index += 1) queues.add("event", utf8(`event ${index}`));
  expect(queues.depth("event")).toBe(10);
  queues.check();
  queues.check();
  expect(log).toEqual([
    "WARN serf: Event queue depth: 10",
    "WARN serf: Event queue exceeded limit (10), dropped 5",
    "WARN serf: Event queue depth: 10",
  ]);
});

test("with a least depth the limit grows with the members", () => {
  const queues = broadcasts(4);
  members = 30;
  for (let index = 0; index < 100; index += 1) queues.add("query", utf8(`query ${index}`));
  expect(queues.depth("query")).toBe(60);
});

test("what fits into no packet is not queued, and is done at once", () => {
  const queues = broadcasts();
  let done = 0;
  queues.add("event", new Uint8Array(1401), () => (done += 1));
  expect([queues.depth("event"), done]).toEqual([0, 1]);
});
