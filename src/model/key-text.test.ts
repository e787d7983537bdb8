import * as fc from "fast-check";
import { expect, test } from "vitest";
import { compareKeys, decodeKeyText, encodeKeyText, percentDecodeKey } from "./key-text.ts";

/** Bytes that are often nearly UTF-8. */
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc
    .array(
      fc.constantFrom(
        0x41,
        0x80,
        0xa0,
        0xbf,
        0xc2,
        0xe0,
        0xed,
        0xef,
        0xf0,
        0x9f,
        0x98,
        0x80,
        0xf4,
        0xff,
      ),
      { maxLength: 12 },
    )
    .map((codes) => Uint8Array.from(codes)),
  fc.string({ unit: "grapheme" }).map((text) => new TextEncoder().encode(text)),
);

test("any bytes survive the way to text and back", () => {
  fc.assert(
    fc.property(bytes, (key) => {
      expect(encodeKeyText(decodeKeyText(key))).toEqual(key);
    }),
    { numRuns: 500 },
  );
});

test.each([
  ["plain", [0x61, 0x62], "ab"],
  ["two bytes", [0xc3, 0xa9], "é"],
  ["a byte order mark is a character", [0xef, 0xbb, 0xbf, 0x61], "\ufeffa"],
  ["a stray byte", [0x61, 0xff, 0x62], "a\udcffb"],
  ["a cut sequence", [0xe2, 0x82], "\udce2\udc82"],
  ["an encoded surrogate", [0xed, 0xa0, 0x80], "\udced\udca0\udc80"],
  ["an overlong slash", [0xc0, 0xaf], "\udcc0\udcaf"],
  ["beyond U+10FFFF", [0xf4, 0x90, 0x80, 0x80], "\udcf4\udc90\udc80\udc80"],
  ["a character after a stray byte", [0x80, 0xf0, 0x9f, 0x98, 0x80], "\udc80😀"],
])("%s", (_name, key, text) => {
  expect(decodeKeyText(Uint8Array.from(key))).toBe(text);
  expect(encodeKeyText(text)).toEqual(Uint8Array.from(key));
});

test("a lone surrogate that is no byte becomes U+FFFD", () => {
  expect(encodeKeyText("a\ud800\udd00")).toEqual(new TextEncoder().encode("a\u{10100}"));
  expect(encodeKeyText("a\ud800b\udfff")).toEqual(new TextEncoder().encode("a\ufffdb\ufffd"));
});

test.each([
  ["a/b+c", "a/b+c"],
  ["a%2Fb%20c", "a/b c"],
  ["%C3%a9", "é"],
  ["%ff", "\udcff"],
  ["\u00c3\u00a9", "é"],
  ["é漢", "\udce9漢"],
  ["%", undefined],
  ["%4", undefined],
  ["%zz", undefined],
  ["a%+1", undefined],
])("percentDecodeKey(%j)", (path, key) => {
  expect(percentDecodeKey(path)).toBe(key);
});

test("percent-encoded bytes are decoded as the bytes would be", () => {
  fc.assert(
    fc.property(bytes, (key) => {
      const path = Array.from(key, (byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
      expect(percentDecodeKey(path)).toBe(decodeKeyText(key));
    }),
  );
});

test("keys sort as their bytes do", () => {
  const units = fc.constantFrom(
    "a",
    "é",
    "\ue000",
    "\uffff",
    "😀",
    "😁",
    "\u{10ffff}",
    "\udc80",
    "\udcff",
  );
  fc.assert(
    fc.property(fc.array(units), fc.array(units), (left, right) => {
      const a = decodeKeyText(encodeKeyText(left.join("")));
      const b = decodeKeyText(encodeKeyText(right.join("")));
      const expected = Buffer.compare(encodeKeyText(a), encodeKeyText(b));
      expect(Math.sign(compareKeys(a, b))).toBe(expected);
    }),
    { numRuns: 1000 },
  );
});
