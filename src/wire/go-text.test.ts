import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decodeGoText, encodeGoText } from "./go-text.ts";
import { hex, unhex } from "./testkit.ts";

test("any bytes become text and the same bytes again", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.array(
      fc.constantFrom(0x41, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xed, 0xa0, 0x80, 0xf0, 0x9f, 0x98),
    ),
  );
  fc.assert(
    fc.property(bytes, (values) => {
      const original = Buffer.from(values);
      const text = decodeGoText(original, 0, original.length);
      expect(hex(encodeGoText(text))).toBe(hex(original));
    }),
    { numRuns: 2000 },
  );
});

test("text that can be UTF-8 becomes what it is in UTF-8", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const encoded = encodeGoText(text);
      expect(hex(encoded)).toBe(hex(Buffer.from(text, "utf8")));
      expect(decodeGoText(Buffer.from(encoded), 0, encoded.length)).toBe(text);
    }),
  );
});

test.each([
  ["plain", "6e6f6465", "node"],
  ["UTF-8", "c3a9 e282ac f09f9880", "é€😀"],
  ["a byte of Latin-1", "61 e9 62", "a\udce9b"],
  ["a replacement character that was sent", "efbfbd", "\ufffd"],
  ["a replacement character beside a bad byte", "efbfbd ff", "\ufffd\udcff"],
  ["a surrogate", "eda080", "\udced\udca0\udc80"],
  ["an overlong form", "c080", "\udcc0\udc80"],
  ["a sequence that is cut off", "e282", "\udce2\udc82"],
  ["nothing", "", ""],
])("%s: %s", (_name, encoded, text) => {
  const bytes = unhex(encoded);
  expect(decodeGoText(bytes, 0, bytes.length)).toBe(text);
  expect(hex(encodeGoText(text))).toBe(hex(bytes));
});
