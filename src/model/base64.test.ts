import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeBase64, encodeBase64 } from "./base64.ts";

test("decodes what it encoded, with line breaks or without", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(), (bytes, position) => {
      const text = encodeBase64(bytes);
      const at = position % (text.length + 1);
      expect(decodeBase64(text)).toEqual(bytes);
      expect(decodeBase64(`${text.slice(0, at)}\n${text.slice(at)}`)).toEqual(bytes);
    }),
  );
});

// RFC 4648 §10.
test.each([
  ["f", "Zg=="],
  ["fo", "Zm8="],
  ["foobar", "Zm9vYmFy"],
])("%s is encoded as %s", (plain, encoded) => {
  expect(encodeBase64(new TextEncoder().encode(plain))).toBe(encoded);
});

test("line breaks are skipped, and spare bits ignored", () => {
  expect(decodeBase64("Y\nQ=\r=\n")).toEqual(Uint8Array.of(97));
  expect(decodeBase64("YR==")).toEqual(Uint8Array.of(97));
  expect(decodeBase64("")).toEqual(new Uint8Array());
});

// Offsets as Consul 1.8.7 answered them to a transaction.
describe("what is not base64 is refused where Go refuses it", () => {
  test.each([
    ["!!", 0],
    ["YQ", 0],
    ["YWJj!", 4],
    ["YQ=a", 2],
    ["YQ==YQ==", 4],
    ["YWJjZ", 4],
    ["YQ=", 3],
    ["=", 0],
    ["A===", 1],
    ["YWé=", 2],
    ["====", 0],
  ])("%s at byte %i", (text, offset) => {
    expect(() => decodeBase64(text)).toThrow(`illegal base64 data at input byte ${offset}`);
  });
});

test("any text is decoded or refused", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        decodeBase64(text);
      } catch (error) {
        expect(error).toMatchObject({ code: "request/bad" });
      }
    }),
  );
});
