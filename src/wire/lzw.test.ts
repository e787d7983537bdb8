/** Against outputs of Go's compress/lzw (testdata/vectors/lzw.json). */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { compress, decompress } from "./index.ts";
import { hex, unhex } from "./testkit.ts";

interface Vector {
  readonly Name: string;
  readonly InputHex: string;
  readonly InputLen: number;
  readonly CompressedHex: string;
  readonly CompressedSHA256: string;
}
const testdata = (file: string) => readFileSync(new URL(`testdata/${file}`, import.meta.url));
const VECTORS = JSON.parse(testdata("vectors/lzw.json").toString()) as readonly Vector[];
const MAX_BYTES = 1_000_000;

test.each(VECTORS)("$Name is compressed as Go does", (vector) => {
  const plain = plainOf(vector);
  expect(plain).toHaveLength(vector.InputLen);
  const packed = compress(plain);
  if (vector.CompressedHex !== "") expect(hex(packed)).toBe(vector.CompressedHex);
  expect(sha256(packed).toString("hex")).toBe(vector.CompressedSHA256);
  expect(Buffer.compare(decompress(packed, MAX_BYTES), plain)).toBe(0);
});

test("what was compressed is decompressed, through changes of width and a full table", () => {
  const plains = fc.oneof(
    fc.uint8Array({ maxLength: 3000 }),
    fc.array(fc.constantFrom(0, 1, 2), { maxLength: 20_000, size: "max" }),
    fc.integer({ min: 3600, max: 9000 }).map((length) => chain(length)),
  );
  fc.assert(
    fc.property(plains, (values) => {
      const plain = Uint8Array.from(values);
      expect(Buffer.compare(decompress(compress(plain), plain.length), plain)).toBe(0);
    }),
    { numRuns: 60 },
  );
});

test("the clear code at the start may be missing", () => {
  // Codes of nine bits, the least significant bit first: "a" (97), end (257).
  expect(hex(decompress(unhex("61 02 02"), MAX_BYTES))).toBe("61");
});

test("more than the caller takes is refused, however small it came", () => {
  const bomb = compress(new Uint8Array(500_000));
  expect(bomb.length).toBeLessThan(2000);
  expect(() => decompress(bomb, 65_536)).toThrow("compressed data is larger than 65536 bytes");
  expect(decompress(bomb, 500_000)).toHaveLength(500_000);
  expect(() => decompress(bomb, 499_999)).toThrow("larger");
});

test.each([
  ["nothing", "", "ends early"],
  ["no end code", "00c304", "ends early"],
  ["a code that nothing stands for yet", "00 59 02", "unknown code"],
  ["a string before there is one", "02 03 02", "unknown code"],
])("%s is malformed", (_name, packed, text) => {
  expect(() => decompress(unhex(packed), MAX_BYTES)).toThrow(text);
});

function plainOf({ Name, InputHex, InputLen }: Vector): Buffer {
  if (Name === "zeros") return Buffer.alloc(InputLen);
  return InputHex === "" ? chain(InputLen) : unhex(InputHex);
}

/** Bytes that look random: hashes of hashes. */
function chain(length: number): Buffer {
  const parts: Buffer[] = [];
  for (let hash = sha256("lzw"), have = 0; have < length; hash = sha256(hash)) {
    parts.push(hash);
    have += hash.length;
  }
  return Buffer.concat(parts).subarray(0, length);
}

function sha256(data: string | Uint8Array): Buffer {
  return createHash("sha256").update(data).digest();
}
