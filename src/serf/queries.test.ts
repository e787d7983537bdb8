/** Both sides of a query: serf.md §8. */
import { beforeEach, describe, expect, test } from "vitest";
import { hostOf } from "../gossip/index.ts";
import { noMeter, type IpAddress } from "../platform/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { decodeSerfMessage, encodeFilter, type Query, type SerfMessage } from "../wire/index.ts";
import { Answers } from "./answers.ts";
import { Broadcasts } from "./broadcasts.ts";
import type { IncomingQuery } from "./incoming-query.ts";
import { LamportClock } from "./lamport-clock.ts";
import { memberOf, type SerfMember } from "./member.ts";
import { Queries } from "./queries.ts";
import type { QueryAnswer, RunningQuery } from "./running-query.ts";
import { compilePattern, gossipMember, recordingLogger, utf8 } from "./testkit.ts";

const platform = simPlatform({ seed: 1 });
const { clock } = platform;
const ASKER = Uint8Array.of(10, 0, 0, 9);
let sent: { to: IpAddress; message: SerfMessage }[];
let queue: SerfMessage[];
let delivered: IncomingQuery[];
let log: string[];
let members: SerfMember[];
let queries: Queries;
let aliveCount: number;

beforeEach(() => {
  [sent, queue, delivered, log, members, aliveCount] = [[], [], [], [], [], 3];
  const logger = recordingLogger(log);
  const shared = { self: "self", random: platform.random, logger, metrics: noMeter };
  const broadcasts = new Broadcasts({
    ...shared,
    retransmitMult: 4,
    packetBytesMax: 1400,
    queueDepthMax: 100,
    queueDepthMin: 0,
    queueDepthWarning: 100,
    memberCount: () => 1,
  });
  broadcasts.add = (_name, bytes) => queue.push(decodeSerfMessage(bytes));
  queries = new Queries({
    ...shared,
    clock,
    broadcasts,
    tags: () => ({ role: "web" }),
    address: () => ({ addr: Uint8Array.of(10, 0, 0, 1), port: 7946 }),
    aliveCount: () => aliveCount,
    gossipIntervalMs: 200,
    time: new LamportClock(),
    answers: new Answers({
      ...shared,
      members: () => members,
      send: (to, bytes) => sent.push({ to, message: decodeSerfMessage(bytes) }),
    }),
    compilePattern,
    onSeen: () => {},
    onQuery: (query) => delivered.push(query),
  });
});

function query(fields: Partial<Query> = {}): Query {
  return {
    LTime: 4,
    ID: 77,
    Addr: ASKER,
    Port: 7946,
    SourceNode: "asker",
    Filters: null,
    Flags: 0,
    RelayFactor: 0,
    Timeout: 5e9,
    Name: "uptime",
    Payload: utf8("now"),
    ...fields,
  };
}

function alive(name: string, protocolMax = 5): SerfMember {
  return { ...memberOf(gossipMember(name), "alive"), protocolMax };
}

describe("a query from others", () => {
  test("is delivered and passed on once", () => {
    expect(queries.receive(query())).toBe(true);
    expect(queries.receive(query())).toBe(false);
    expect(queries.receive(query({ ID: 78 }))).toBe(true);
    expect(delivered.map(({ name, source }) => `${name} by ${source}`)).toEqual([
      "uptime by asker",
      "uptime by asker",
    ]);
  });

  test("with flag 2 it is not passed on", () => {
    expect(queries.receive(query({ Flags: 2 }))).toBe(false);
    expect(delivered).toHaveLength(1);
  });

  test("with flag 1 it is acknowledged at once", () => {
    queries.receive(query({ Flags: 1 }));
    expect(sent).toEqual([
      {
        to: { host: hostOf(ASKER), port: 7946 },
        message: {
          kind: "queryResponse",
          body: { LTime: 4, ID: 77, From: "self", Flags: 1, Payload: null },
        },
      },
    ]);
  });

  const nodes = (...names: string[]): Uint8Array => encodeFilter({ kind: "nodes", names });
  const tag = (Tag: string, Expr: string): Uint8Array => encodeFilter({ kind: "tag", Tag, Expr });
  test.each([
    ["our name among others", [nodes("a", "self")], 1],
    ["other names", [nodes("a")], 0],
    ["a tag, anywhere in it", [tag("role", "e")], 1],
    ["another value", [tag("role", "^db$")], 0],
    ["a tag that we do not have is empty", [tag("dc", "^$")], 1],
    ["all must match", [tag("role", "web"), nodes("a")], 0],
    ["an expression that is none", [tag("role", "(")], 0],
    ["an unknown kind", [Uint8Array.of(9, 0x90)], 0],
    ["too many", Array.from({ length: 65 }, () => tag("role", "")), 0],
  ])("filters: %s", (_, Filters, count) => {
    expect(queries.receive(query({ Filters, Flags: 1 }))).toBe(true);
    expect(delivered).toHaveLength(count);
    expect(sent).toHaveLength(count);
  });

  test("is answered once, in time, with what fits into a datagram", () => {
    queries.receive(query());
    const [incoming] = delivered;
    expect(() => incoming?.respond(new Uint8Array(1024))).toThrow(
      "response exceeds limit of 1024 bytes",
    );
    incoming?.respond(utf8("35m"));
    expect(() => incoming?.respond(utf8("36m"))).toThrow("response already sent");
    expect(sent.map(({ message }) => message)).toMatchObject([
      { kind: "queryResponse", body: { Flags: 0, Payload: utf8("35m") } },
    ]);
  });

  test("is not answered after its time", () => {
    queries.receive(query());
    clock.advance(5001);
    expect(() => delivered[0]?.respond(utf8("35m"))).toThrow("response is past the deadline");
  });
});

describe("answers on detours", () => {
  test("go over as many able members as are wished for", () => {
    members = [alive("self"), alive("old", 4), alive("a"), alive("b"), alive("c")];
    members.push({ ...alive("gone"), status: "failed" });
    queries.receive(query({ Flags: 1, RelayFactor: 2 }));
    const relayed = sent.filter(({ message }) => message.kind === "relay");
    expect(relayed).toHaveLength(2);
    for (const { message } of relayed) {
      if (message.kind !== "relay") continue;
      expect(message.body.DestName).toBe("asker");
      expect(decodeSerfMessage(message.body.inner)).toMatchObject({ kind: "queryResponse" });
    }
  });

  test("are not taken in a pool that is no larger than that", () => {
    members = [alive("self"), alive("a")];
    queries.receive(query({ Flags: 1, RelayFactor: 2 }));
    expect(sent).toHaveLength(1);
  });
});

describe("a query of our own", () => {
  async function collect(running: RunningQuery): Promise<string[]> {
    const answers: QueryAnswer[] = [];
    for await (const answer of running) answers.push(answer);
    return answers.map(({ kind, from }) => `${kind} ${from}`);
  }
  const response = (from: string, fields: object = {}) => ({
    LTime: 1,
    ID: 0,
    From: from,
    Flags: 0,
    Payload: utf8(""),
    ...fields,
  });

  test("is spread, and handled here too", () => {
    const running = queries.ask("uptime", utf8("now"), { requestAck: true, relayFactor: 1 });
    expect(queue).toMatchObject([
      { kind: "query", body: { LTime: 1, ID: running.id, Flags: 1, RelayFactor: 1 } },
    ]);
    expect(delivered).toHaveLength(1);
    const next = queries.ask("uptime", utf8("now"));
    expect(next.ltime).toBe(2);
  });

  test("each member counts once, and no more than were asked", async () => {
    const running = queries.ask("uptime", utf8(""));
    const ID = running.id;
    for (const from of ["a", "a", "b"]) queries.receiveResponse(response(from, { ID, Flags: 1 }));
    for (const from of ["b", "a", "b", "c", "d"]) queries.receiveResponse(response(from, { ID }));
    queries.receiveResponse(response("x", { ID: ID + 1 }));
    queries.receiveResponse(response("x", { ID, LTime: 99 }));
    const collected = collect(running);
    await clock.run(running.deadline - clock.now());
    expect(await collected).toEqual(["ack a", "ack b", "response b", "response a", "response c"]);
    expect(log).toEqual([
      `WARN serf: query reply ID mismatch (Local: ${ID}, Response: ${ID + 1})`,
      `WARN serf: reply for non-running query (LTime: 99, ID: ${ID}) From: x`,
    ]);
    expect(queries.runningCount).toBe(0);
  });

  test("a reader who leaves ends it", async () => {
    const timers = clock.timerCount;
    const running = queries.ask("uptime", utf8(""));
    queries.receiveResponse(response("a", { ID: running.id }));
    for await (const _answer of running) break;
    expect(queries.runningCount).toBe(0);
    expect(clock.timerCount).toBe(timers);
  });

  test.each([
    [1, 200 * 16],
    [9, 200 * 16],
    [10, 200 * 16 * 2],
    [100, 200 * 16 * 3],
  ])("with %i members it runs for %i ms", (count, timeoutMs) => {
    aliveCount = count;
    expect(queries.defaultTimeoutMs()).toBe(timeoutMs);
    const running = queries.ask("uptime", utf8(""));
    expect(running.deadline - clock.now()).toBe(timeoutMs);
    running[Symbol.dispose]();
  });

  test("filters are sent along", () => {
    queries.ask("uptime", utf8(""), { filterNodes: ["a"], filterTags: { role: "^db" } });
    expect(delivered).toEqual([]);
    expect(queue[0]).toMatchObject({
      body: {
        Filters: [
          new Uint8Array(encodeFilter({ kind: "nodes", names: ["a"] })),
          new Uint8Array(encodeFilter({ kind: "tag", Tag: "role", Expr: "^db" })),
        ],
      },
    });
  });

  test("one that is too large is refused", () => {
    expect(() => queries.ask("uptime", new Uint8Array(1024))).toThrow(
      "query exceeds limit of 1024 bytes",
    );
    expect(queries.runningCount).toBe(0);
  });

  test("so many at a time, and no more", () => {
    const running = Array.from({ length: 1024 }, () => queries.ask("uptime", utf8("")));
    expect(() => queries.ask("uptime", utf8(""))).toThrow("too many queries are running");
    for (const one of running) one[Symbol.dispose]();
    expect(queries.ask("uptime", utf8("")).asked).toBe(3);
  });
});
