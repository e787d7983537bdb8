/** What stands for what on the wire. Peers know these numbers: append, and change nothing. */
import { expect, test } from "vitest";
import {
  ACL_MODES,
  COMPOUND_HEADER_BYTES,
  COMPOUND_PART_BYTES,
  compound,
  encodeGossipMessage,
  encodeSerfMessage,
  MEMBER_STATUSES,
  NODE_STATES,
  QUERY_FLAGS,
  RESPONSE_FLAGS,
} from "./index.ts";
import { codecOf } from "./msgpack-codec.ts";
import { GOSSIP_BODIES, type GossipMessage } from "./gossip-messages.ts";
import { SERF_BODIES, type SerfMessage } from "./serf-messages.ts";

test("type bytes of memberlist", () => {
  const bytes = Object.entries(GOSSIP_BODIES).map(([kind, schema]) => {
    const message = { kind, body: codecOf(schema).zero } as GossipMessage;
    return [kind, encodeGossipMessage(message)[0]];
  });
  expect(Object.fromEntries(bytes)).toEqual({
    ping: 0,
    indirectPing: 1,
    ack: 2,
    suspect: 3,
    alive: 4,
    dead: 5,
    nack: 11,
    err: 13,
  });
  expect(encodeGossipMessage({ kind: "user", body: new Uint8Array() })[0]).toBe(8);
});

test("type bytes of serf", () => {
  const bytes = Object.entries(SERF_BODIES).map(([kind, schema]) => {
    const message = { kind, body: codecOf(schema).zero } as SerfMessage;
    return [kind, encodeSerfMessage(message)[0]];
  });
  expect(Object.fromEntries(bytes)).toEqual({
    leave: 0,
    join: 1,
    pushPull: 2,
    userEvent: 3,
    query: 4,
    queryResponse: 5,
    conflictResponse: 6,
    keyRequest: 7,
    keyResponse: 8,
  });
});

test("states, flags and modes", () => {
  expect(NODE_STATES).toEqual(["alive", "suspect", "dead", "left"]);
  expect(MEMBER_STATUSES).toEqual(["none", "alive", "leaving", "left", "failed"]);
  expect(QUERY_FLAGS).toEqual({ ack: 1, noBroadcast: 2 });
  expect(RESPONSE_FLAGS).toEqual({ ack: 1 });
  expect(ACL_MODES).toEqual(["disabled", "enabled", "legacy", "unknown"]);
});

test("a compound costs what was said", () => {
  const parts = [Uint8Array.of(1), Uint8Array.of(2, 3)];
  const cost = COMPOUND_HEADER_BYTES + 2 * COMPOUND_PART_BYTES;
  expect(compound(parts)).toHaveLength(3 + cost);
});
