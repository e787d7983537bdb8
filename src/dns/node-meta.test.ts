import { expect, test } from "vitest";
import { metaText } from "./node-meta.ts";

// RFC 1464, one row a rule.
test.each([
  ["key", "value", "key=value"],
  ["key", "", "key="],
  ["k=1", "a b`c", "k`=1=a b``c"],
  ["k`1", "v", "k``1=v"],
  [" sp ace ", "v=1", "` sp ace` =v=1"],
  ["  two", "v", "` ` two=v"],
  ["rfc1035-note", "hello=`x`", "hello=`x`"],
  ["RFC1035-note", "hello", "hello"],
])("%j and %j become %s", (key, value, expected) => {
  expect(metaText(key, value)).toBe(expected);
});
