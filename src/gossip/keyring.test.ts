import { expect, test } from "vitest";
import { Keyring } from "./keyring.ts";

const key = (fill: number, length = 16) => new Uint8Array(length).fill(fill);
const shown = (keyring: Keyring) => keyring.keys.map(({ bytes }) => bytes[0]);

test("a key is changed by installing, using and removing", () => {
  const keyring = new Keyring([key(1)]);
  keyring.install(key(2, 32));
  keyring.install(key(2, 32));
  expect(shown(keyring)).toEqual([1, 2]);
  keyring.use(key(2, 32));
  expect(shown(keyring)).toEqual([2, 1]);
  keyring.remove(key(1));
  keyring.remove(key(1));
  expect(shown(keyring)).toEqual([2]);
});

test("what cannot be done is refused in memberlist's words", () => {
  const keyring = new Keyring([key(1)]);
  expect(() => keyring.use(key(9))).toThrow("Requested key is not in the keyring");
  expect(() => keyring.remove(key(1))).toThrow("Removing the primary key is not allowed");
  expect(() => keyring.install(key(1, 15))).toThrow("key size must be 16, 24 or 32 bytes");
});

test("what the caller does with its bytes afterwards does not change the key", () => {
  const bytes = key(1);
  const keyring = new Keyring([bytes]);
  bytes.fill(7);
  expect(shown(keyring)).toEqual([1]);
});
