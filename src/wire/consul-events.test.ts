import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  decodeConsulUserEvent,
  encodeConsulUserEvent,
  eventOfSerfName,
  NEW_LEADER_EVENT,
  serfNameOfEvent,
  USER_EVENT_VERSION,
} from "./index.ts";
import { arbitraryBytes, hex, unhex } from "./testkit.ts";

const ID = "38696107-8f96-4d80-f07a-6805a50aebe8";
const DEPLOY = {
  ID,
  Name: "deploy",
  Payload: new Uint8Array(Buffer.from("evpayload")),
  NodeFilter: "cli.*",
  ServiceFilter: "",
  TagFilter: "",
  Version: USER_EVENT_VERSION,
};
const ENCODED =
  unhex(`85 a24944 d924 ${hex(Buffer.from(ID))} a16e a66465706c6f79 a26e66 a5636c692e2a
  a170 c409 65767061796c6f6164 a176 01`);

test("an event as Consul writes it, in the extended dialect", () => {
  expect(hex(encodeConsulUserEvent(DEPLOY))).toBe(hex(ENCODED));
  expect(decodeConsulUserEvent(ENCODED)).toEqual(DEPLOY);
});

test("the old dialect is read too", () => {
  const old = unhex(
    `84 a24944 da0024 ${hex(Buffer.from(ID))} a16e a66465706c6f79 a170 a9 65767061796c6f6164 a176 01`,
  );
  expect(decodeConsulUserEvent(old)).toEqual({ ...DEPLOY, NodeFilter: "" });
});

test("every event is read again as it was written", () => {
  const event = fc.record({
    ID: fc.uuid(),
    Name: fc.string({ maxLength: 300 }),
    Payload: arbitraryBytes(400),
    NodeFilter: fc.string(),
    ServiceFilter: fc.string(),
    TagFilter: fc.string(),
    Version: fc.nat(),
  });
  fc.assert(
    fc.property(event, (value) => {
      expect(decodeConsulUserEvent(encodeConsulUserEvent(value))).toEqual(value);
    }),
  );
});

test.each([
  ["deploy", "consul:event:deploy"],
  ["", "consul:event:"],
])("%j goes by the name of %j", (name, serfName) => {
  expect(serfNameOfEvent(name)).toBe(serfName);
  expect(eventOfSerfName(serfName)).toBe(name);
});

test("other events are not users'", () => {
  expect(eventOfSerfName(NEW_LEADER_EVENT)).toBeUndefined();
  expect(eventOfSerfName("deploy")).toBeUndefined();
});
