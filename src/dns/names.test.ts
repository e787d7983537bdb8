import * as dnsPacket from "dns-packet";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  encodeName,
  isWithin,
  labelsOf,
  readName,
  sameName,
  sharedSuffix,
  textOf,
} from "./names.ts";
import { query } from "./testkit.ts";

const bytes = (...parts: (number | string)[]): Uint8Array =>
  Uint8Array.from(
    parts.flatMap((part) => (typeof part === "number" ? [part] : [...Buffer.from(part, "latin1")])),
  );
const name = (text: string): Uint8Array => encodeName(text) ?? expect.fail(`not a name: ${text}`);

test.each([
  ["labels", bytes(3, "web", 6, "consul", 0), 0, "web.consul.", 12],
  ["the root", bytes(0), 0, ".", 1],
  ["a pointer backwards", bytes(6, "consul", 0, 3, "web", 0xc0, 0), 8, "web.consul.", 14],
  ["a pointer to a pointer", bytes(1, "a", 0, 0xc0, 0, 1, "b", 0xc0, 3), 5, "b.a.", 9],
])("reads %s", (_what, message, offset, text, next) => {
  const read = readName(message, offset);
  expect([textOf(read.name), read.next]).toEqual([text, next]);
});

test.each([
  ["a label that is cut off", bytes(5, "web"), 0],
  ["nothing", bytes(), 0],
  ["no end", bytes(3, "web"), 0],
  ["a pointer to itself", bytes(0xc0, 0), 0],
  ["a pointer forwards", bytes(0xc0, 2, 0), 0],
  ["a pointer into its own labels", bytes(1, "a", 0xc0, 0), 0],
  ["two pointers at each other", bytes(0xc0, 2, 0xc0, 0), 0],
  ["half a pointer", bytes(1, "a", 0xc0), 0],
  ["a label kind that is not used", bytes(0x45, "abcde", 0), 0],
  ["more than 255 bytes", bytes(...Array.from({ length: 130 }, () => [1, "a"]).flat(), 0), 0],
])("refuses %s", (_what, message, offset) => {
  expect(() => readName(message, offset)).toThrow(/^dns: /);
});

test("reads what an independent encoder wrote", () => {
  const label = fc.stringMatching(/^[a-z0-9_-]{1,20}$/);
  fc.assert(
    fc.property(fc.array(label, { minLength: 1, maxLength: 8 }), (labels) => {
      const packet = query(labels.join("."), "A");
      const read = readName(packet, 12);
      expect(labelsOf(read.name)).toEqual(labels);
      expect(read.next).toBe(packet.length - 4);
    }),
  );
});

test("whatever the bytes, a name is read or refused, and stays within its limit", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(299), (message, offset) => {
      let read: ReturnType<typeof readName>;
      try {
        read = readName(message, offset);
      } catch (error) {
        expect(error).toMatchObject({ code: "wire/malformed" });
        return;
      }
      expect(read.name.length).toBeLessThanOrEqual(255);
      expect(read.next).toBeLessThanOrEqual(message.length);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ["web.service.consul", "web.service.consul."],
  ["web.service.consul.", "web.service.consul."],
  [".", "."],
  ["a..b", undefined],
  [".a", undefined],
  ["x".repeat(63), `${"x".repeat(63)}.`],
  ["x".repeat(64), undefined],
  [`${"x".repeat(60)}.`.repeat(4), `${"x".repeat(60)}.`.repeat(4)],
  [`${"x".repeat(60)}.`.repeat(5), undefined],
])("encodes %s as %s", (text, expected) => {
  const encoded = encodeName(text);
  expect(encoded && textOf(encoded)).toBe(expected);
  if (encoded !== undefined) expect(readName(encoded, 0).name).toEqual(encoded);
});

test("a dot within a label is not a border", () => {
  expect(labelsOf(bytes(7, "Web.x\\y", 1, 0xe9, 0))).toEqual(["web\\.x\\\\y", "\\233"]);
});

test.each([
  ["web.service.consul", "db.service.CONSUL", { keep: 4, at: 3 }],
  ["consul", "web.service.consul", { keep: 0, at: 12 }],
  ["web.service.consul", "consul", { keep: 12, at: 0 }],
  ["web.consul", "web.consul", { keep: 0, at: 0 }],
  ["consul", "xconsul", undefined],
  ["a.com", "a.org", undefined],
  [".", "consul", undefined],
])("%s shares with %s: %o", (text, other, expected) => {
  expect(sharedSuffix(name(text), name(other))).toEqual(expected);
});

test("zones end at label borders and ignore case", () => {
  expect(isWithin(name("web.Service.CONSUL"), name("consul"))).toBe(true);
  expect(isWithin(name("consul"), name("consul"))).toBe(true);
  expect(isWithin(name("xconsul"), name("consul"))).toBe(false);
  expect(isWithin(name("com"), name("consul"))).toBe(false);
  expect(sameName(name("A.b"), name("a.B"))).toBe(true);
  expect(sameName(name("a.b"), name("a.c"))).toBe(false);
});

test("the independent parser agrees on what a name is", () => {
  const { questions } = dnsPacket.decode(query("web.service.consul", "A"));
  expect(questions[0]?.name).toBe("web.service.consul");
});
