import * as fc from "fast-check";
import { expect, test } from "vitest";
import { bytesOfHex, hexOf } from "./hex.ts";

test("hexadecimal both ways", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
      expect(bytesOfHex(hexOf(bytes))).toEqual(bytes);
    }),
  );
  expect(bytesOfHex("0g")).toBeUndefined();
  expect(bytesOfHex("012")).toBeUndefined();
});
