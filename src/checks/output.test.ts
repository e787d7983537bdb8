import { expect, test } from "vitest";
import { capturedHead, capturedTail, textOf } from "./output.ts";

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
