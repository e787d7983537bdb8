/** Whatever comes from outside: a node neither fails nor grows, and goes on working. */
import * as fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { noMeter } from "../platform/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { encodeSerfMessage, type SerfMessage } from "../wire/index.ts";
import { gossipDelegate } from "./delegate.ts";
import { LAN_PROFILE, type GossipDelegate } from "../gossip/index.ts";
import { SERF_DEFAULTS } from "./options.ts";
import { assemble, newClocks, type Parts } from "./parts.ts";
import { compilePattern, gossipMember, recordingLogger } from "./testkit.ts";

const RUNS = 5000;
let parts: Parts;
let delegate: GossipDelegate;
let log: string[];

beforeEach(() => {
  log = [];
  const logger = recordingLogger(log);
  const platform = simPlatform({ seed: 1 });
  const options = {
    ...SERF_DEFAULTS,
    platform,
    logger,
    name: "self",
    bind: { host: "10.0.0.1", port: 7946 },
    protocol: 5 as const,
    tags: {},
    profile: LAN_PROFILE,
    compilePattern,
  };
  const clocks = newClocks();
  const self = { tags: {}, gossip: undefined, joinsIgnoringOld: 0 };
  parts = assemble(options, { self, clocks, snapshot: undefined });
  delegate = gossipDelegate({
    ...parts,
    tags: () => ({}),
    checkMerge: undefined,
    oldEvents: () => "deliver",
    logger,
    metrics: noMeter,
  });
  for (const name of ["self", "a", "b"]) delegate.onJoin(gossipMember(name));
});
afterEach(() => parts[Symbol.dispose]());

const name = fc.constantFrom("self", "a", "b", "c", "__proto__", "");
const time = fc.oneof(fc.nat(2000), fc.maxSafeInteger().map(Math.abs));
const bytes = fc.uint8Array({ maxLength: 40 });
const arbitraryMessage: fc.Arbitrary<SerfMessage> = fc.oneof(
  fc.record({
    kind: fc.constant("leave" as const),
    body: fc.record({ LTime: time, Node: name, Prune: fc.boolean() }),
  }),
  fc.record({
    kind: fc.constant("join" as const),
    body: fc.record({ LTime: time, Node: name }),
  }),
  fc.record({
    kind: fc.constant("userEvent" as const),
    body: fc.record({ LTime: time, Name: name, Payload: bytes, CC: fc.boolean() }),
  }),
  fc.record({
    kind: fc.constant("query" as const),
    body: fc.record({
      LTime: time,
      ID: fc.nat(5),
      Addr: bytes,
      Port: fc.nat(65_535),
      SourceNode: name,
      Filters: fc.option(fc.array(bytes, { maxLength: 3 })),
      Flags: fc.nat(7),
      RelayFactor: fc.nat(255),
      Timeout: fc.maxSafeInteger(),
      Name: fc.constantFrom("q", "_serf_ping", "_serf_conflict", "_serf_install-key", "_serf_?"),
      Payload: fc.option(bytes),
    }),
  }),
  fc.record({
    kind: fc.constant("queryResponse" as const),
    body: fc.record({
      LTime: time,
      ID: fc.nat(5),
      From: name,
      Flags: fc.nat(3),
      Payload: fc.option(bytes),
    }),
  }),
  fc.record({
    kind: fc.constant("relay" as const),
    body: fc.record({
      DestAddr: fc.record({ IP: bytes, Port: fc.integer(), Zone: name }),
      DestName: name,
      inner: bytes,
    }),
  }),
  fc.record({
    kind: fc.constant("pushPull" as const),
    body: fc.record({
      LTime: time,
      StatusLTimes: fc.dictionary(name, time),
      LeftMembers: fc.array(name, { maxLength: 4 }),
      EventLTime: time,
      Events: fc.array(
        fc.option(
          fc.record({
            LTime: time,
            Events: fc.array(fc.record({ Name: name, Payload: bytes }), { maxLength: 3 }),
          }),
        ),
        { maxLength: 5 },
      ),
      QueryLTime: time,
    }),
  }),
);

/** A message with some bytes replaced, and perhaps cut off. */
const damaged = fc
  .tuple(
    arbitraryMessage.map((message) => new Uint8Array(encodeSerfMessage(message))),
    fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { maxLength: 3 }),
    fc.nat(400),
  )
  .map(([message, changes, length]) => {
    for (const [at, byte] of changes) if (at < message.length) message[at] = byte;
    return message.subarray(0, length);
  });

test("nothing that comes in makes it throw, and it can still speak", () => {
  const input = fc.oneof(
    { weight: 3, arbitrary: damaged },
    { weight: 1, arbitrary: fc.uint8Array() },
  );
  fc.assert(
    fc.property(input, fc.boolean(), (message, join) => {
      delegate.onUserMessage(message.slice());
      delegate.mergeRemoteState(message.slice(), join);
      delegate.onPingAnswered(gossipMember("a"), 3, message.slice());
      delegate.localState(join);
      delegate.broadcasts(3, 1400);
    }),
    { numRuns: RUNS },
  );
  expect(parts.membership.table.get("self")?.status).toBe("alive");
  for (const clock of Object.values(parts.clocks)) expect(clock.time).toBeLessThan(2 ** 53);
});

test("members, clocks and events of damaged state stay bounded in number", () => {
  fc.assert(
    fc.property(fc.array(arbitraryMessage, { maxLength: 20 }), (messages) => {
      for (const message of messages) delegate.onUserMessage(encodeSerfMessage(message));
    }),
    { numRuns: 500 },
  );
  expect(parts.membership.table.size).toBeLessThanOrEqual(3);
  for (const name of ["intent", "query", "event"] as const) {
    expect(parts.broadcasts.depth(name)).toBeLessThanOrEqual(4096);
  }
});
