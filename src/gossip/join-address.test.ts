import { expect, test } from "vitest";
import { addressText, parseJoinAddress } from "./join-address.ts";

test.each([
  ["10.0.0.1", "10.0.0.1:8301"],
  ["10.0.0.1:7946", "10.0.0.1:7946"],
  ["db.internal", "db.internal:8301"],
  ["node-1/10.0.0.1:7946", "10.0.0.1:7946"],
  ["[fe80::1]:7946", "[fe80::1]:7946"],
  ["[fe80::1]", "[fe80::1]:8301"],
  ["fe80::1", "[fe80::1]:8301"],
])("%s means %s", (text, address) => {
  expect(addressText(parseJoinAddress(text, 8301))).toBe(address);
});

test.each(["", ":7946", "10.0.0.1:", "10.0.0.1:x", "10.0.0.1:65536", "10.0.0.1:0", "node/"])(
  "%j is no address",
  (text) => {
    expect(() => parseJoinAddress(text, 8301)).toThrow(`Failed to resolve ${text}: `);
  },
);
