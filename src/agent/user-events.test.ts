import { describe, expect, test } from "vitest";
import { BLANK_SERVICE, type UserEventRequest } from "../model/index.ts";
import { regexMatcher } from "../filter/index.ts";
import { LAN_PROFILE } from "../gossip/index.ts";
import { startSerf, type Serf } from "../serf/index.ts";
import { noLogger } from "../platform/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { serfNameOfEvent } from "../wire/index.ts";
import { UserEvents } from "./user-events.ts";

/** An agent's events over a pool of its own. */
async function underTest() {
  const platform = simPlatform({ seed: 1 });
  const service = { ...BLANK_SERVICE, ID: "web-1", Service: "web", Tags: ["v1", "eu"] };
  const pool: Serf = await startSerf({
    platform,
    logger: noLogger,
    name: "node-a",
    bind: { host: "127.0.0.1", port: 8301 },
    protocol: 4,
    tags: {},
    profile: LAN_PROFILE,
    compilePattern: regexMatcher,
    listener: (event) => {
      if (event.kind === "user") events.receive(event);
    },
  });
  const events = new UserEvents({
    ...platform,
    logger: noLogger,
    nodeName: "node-a",
    services: () => [service],
    send: async (name, payload) => pool.fireEvent(serfNameOfEvent(name), payload),
  });
  return { platform, events };
}

const request = (of: Partial<UserEventRequest>): UserEventRequest => ({
  Name: "abc",
  Payload: null,
  NodeFilter: "",
  ServiceFilter: "",
  TagFilter: "",
  ...of,
});

describe("an event is kept where it is for", () => {
  test.each<readonly [Partial<UserEventRequest>, boolean]>([
    [{}, true],
    [{ NodeFilter: "^node-" }, true],
    [{ NodeFilter: "^other" }, false],
    [{ ServiceFilter: "we" }, true],
    [{ ServiceFilter: "web-1" }, true],
    [{ ServiceFilter: "db" }, false],
    [{ ServiceFilter: "web", TagFilter: "^v1$" }, true],
    [{ ServiceFilter: "web", TagFilter: "v2" }, false],
    [{ NodeFilter: "x", ServiceFilter: "web" }, false],
  ])("%j: %s", async (of, isKept) => {
    const { events } = await underTest();
    await events.fire(request(of), "");
    expect(events.events).toHaveLength(isKept ? 1 : 0);
  });
});

describe("is refused, in Consul's words", () => {
  test.each<readonly [Partial<UserEventRequest>, string]>([
    [{ TagFilter: "x" }, "Cannot provide tag filter without service filter"],
    [{ NodeFilter: "(" }, "Invalid node filter: error parsing regexp: missing closing ): `(`"],
    [
      { ServiceFilter: "(" },
      "Invalid service filter: error parsing regexp: missing closing ): `(`",
    ],
    [
      { ServiceFilter: "x", TagFilter: "(" },
      "Invalid tag filter: error parsing regexp: missing closing ): `(`",
    ],
  ])("%j", async (of, text) => {
    const { events } = await underTest();
    await expect(events.fire(request(of), "")).rejects.toThrow(text);
    expect(events.events).toEqual([]);
  });
});

// Found with Consul 1.8.7: the longest payload that it still sends.
describe("size limit", () => {
  const n = (count: number): string => "n".repeat(count);
  test.each<readonly [Partial<UserEventRequest>, number]>([
    [{}, 410],
    [{ Name: "abcdefghij" }, 396],
    [{ NodeFilter: "x" }, 405],
    [{ NodeFilter: "x", ServiceFilter: "yy", TagFilter: "z" }, 394],
    [{ Name: n(200) }, 14],
    [{ NodeFilter: n(200) }, 206],
    [{ NodeFilter: n(40) }, 365],
  ])("%#: %s", async (of, longest) => {
    const { events } = await underTest();
    const Payload = new Uint8Array(longest);
    expect(await events.fire(request({ ...of, Payload }), "")).toMatchObject({ LTime: 0 });
    const fired = events.fire(request({ ...of, Payload: new Uint8Array(longest + 1) }), "");
    await expect(fired).rejects.toThrow(
      "encoded user event exceeds configured limit of 512 bytes after encoding",
    );
  });

  test("what is far too much is refused before it is packed", async () => {
    const { events } = await underTest();
    const fired = events.fire(request({ Payload: new Uint8Array(600) }), "");
    await expect(fired).rejects.toThrow(
      '1 error occurred:\n\t* error broadcasting event to segment "": user event exceeds configured limit of 512 bytes before encoding\n\n',
    );
  });
});

test("the latest 256 are kept, oldest first, with rising Lamport times", async () => {
  const { events } = await underTest();
  for (let i = 0; i < 300; i++) await events.fire(request({ Name: `e${i}` }), "");
  expect(events.events).toHaveLength(256);
  expect(events.events[0]).toMatchObject({ Name: "e44", LTime: 45 });
  expect(events.events.at(-1)).toMatchObject({ Name: "e299", LTime: 300 });
  expect(new Set(events.events.map(({ ID }) => ID)).size).toBe(256);
});

test("who waits is told of the next event, of the end of its time, and of its own going", async () => {
  const { events, platform } = await underTest();
  const log: string[] = [];
  const wait = (name: string, signal = new AbortController().signal): Promise<void> =>
    events.changed(events.events, 1000, signal).then(() => void log.push(name));
  const gone = new AbortController();
  const aborted = wait("gone", gone.signal);
  gone.abort();
  await aborted;
  const first = wait("event");
  await events.fire(request({}), "");
  await first;
  const second = wait("time");
  platform.clock.advance(1000);
  await second;
  expect(log).toEqual(["gone", "event", "time"]);
  await events.changed([], 1000, gone.signal);
});
