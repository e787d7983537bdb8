import * as fc from "fast-check";
import { expect, test } from "vitest";
import { capturedHead, capturedTail, OutputTail, textOf } from "./output.ts";

test("the tail of any chunks is the tail of all of them", () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 12 }), { maxLength: 12 });
  fc.assert(
    fc.property(chunks, fc.integer({ min: 0, max: 20 }), (pieces, maxBytes) => {
      const tail = new OutputTail(maxBytes);
      for (const piece of pieces) tail.push(piece);
      const all = Buffer.concat(pieces);
      expect(tail.totalBytes).toBe(all.length);
      expect(Buffer.from(tail.bytes())).toStrictEqual(
        all.subarray(Math.max(0, all.length - maxBytes)),
      );
    }),
  );
});

test.each([
  ["0123456789", 10, "0123456789"],
  ["aaaaaaaaaa", 6000, "Captured 10 of 6000 bytes\n...\naaaaaaaaaa"],
  ["", 0, ""],
])("a command's %j of %i bytes", (tail, totalBytes, expected) => {
  expect(capturedTail(Buffer.from(tail), totalBytes)).toBe(expected);
});

test.each([
  ["hello", 5, "hello"],
  ["hello-world", 5, "hello ... (captured 5 of 11 bytes)"],
  ["héé", 5, "héé"],
  ["abcdéé", 5, "abcd\ufffd ... (captured 5 of 8 bytes)"],
])("a note %j within %i bytes", (note, maxBytes, expected) => {
  expect(capturedHead(note, maxBytes)).toBe(expected);
});

test("bytes that are no text are replaced, a byte order mark is kept", () => {
  expect(textOf(Buffer.from("a\u0000\xff\xc3(b", "latin1"))).toBe("a\u0000\ufffd\ufffd(b");
  expect(textOf(Buffer.from([0xef, 0xbb, 0xbf, 0x61]))).toBe("\ufeffa");
});
