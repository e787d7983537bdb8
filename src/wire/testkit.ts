/** For tests: bytes as hex, arbitrary values of schemas, and damaged bytes. */
import * as fc from "fast-check";
import { RollcallError } from "../errors/index.ts";
import { SimRandom } from "../platform/sim/index.ts";
import type { AnyValue, Schema, ValueOf } from "./msgpack-schema.ts";

export interface Fixture {
  readonly file: string;
  readonly program: string;
  readonly transport: "udp" | "tcp";
  /** Hex. */
  readonly key?: string;
  readonly decoded: unknown;
}

/** @param index the text of testdata/index.json */
export function fixturesOf(index: string): readonly Fixture[] {
  return (JSON.parse(index) as { readonly fixtures: readonly Fixture[] }).fixtures;
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

export function unhex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/[^0-9a-fA-F]/g, ""), "hex");
}

export function arbitraryBytes(maxLength = 40): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ maxLength });
}

export function arbitraryOf<const S extends Schema>(schema: S): fc.Arbitrary<ValueOf<S>> {
  return arbitrary(schema) as fc.Arbitrary<ValueOf<S>>;
}

function arbitrary(schema: Schema): fc.Arbitrary<unknown> {
  switch (schema.kind) {
    case "bool":
      return fc.boolean();
    case "integer":
      return fc.maxSafeInteger().chain((seed) => {
        const { min, max } = schema;
        return fc.oneof(
          fc.constant(Math.min(Math.max(seed, min), max)),
          fc.integer({ min: Math.max(min, -70_000), max: Math.min(max, 70_000) }),
        );
      });
    case "duration":
      return fc.integer({ min: -1e9, max: 1e9 }).map((seconds) => seconds * 1e9);
    case "wide":
      return schema.signed
        ? fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n })
        : fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
    case "float32":
      return fc.float();
    case "float64":
      return fc.double();
    case "text":
      return arbitraryText();
    case "bytes":
      return arbitraryBytes();
    case "time":
      return fc.record({
        unixSeconds: fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }),
        nanoseconds: fc.integer({ min: 0, max: 999_999_999 }),
        zoneMinutes: fc.option(fc.integer({ min: 0, max: 840 }), { nil: undefined }),
      });
    case "any":
      return arbitraryAny();
    case "list":
      return fc.array(arbitrary(schema.of), { maxLength: 20 });
    case "map":
      return fc.dictionary(arbitraryText(), arbitrary(schema.of), {
        maxKeys: 20,
        noNullPrototype: false,
      });
    case "nullable":
      return fc.option(arbitrary(schema.of));
    case "omitEmpty":
    case "sparse":
    case "instead":
      return arbitrary(schema.of);
    case "struct":
      return fc.record(
        Object.fromEntries(
          Object.entries(schema.fields).map(([name, field]) => [name, arbitrary(field)]),
        ),
      );
  }
}

function arbitraryText(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.string({ unit: "grapheme", maxLength: 20 }),
    fc.constantFrom("__proto__", "constructor", "x".repeat(31), "x".repeat(32), "x".repeat(300)),
  );
}

function arbitraryAny(): fc.Arbitrary<AnyValue> {
  const { any } = fc.letrec<{ any: AnyValue }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.constant(null),
      fc.boolean(),
      fc.double(),
      fc.bigInt({ min: -(1n << 63n), max: (1n << 64n) - 1n }),
      arbitraryText(),
      fc.array(tie("any"), { maxLength: 4 }),
      fc.dictionary(arbitraryText(), tie("any"), { maxKeys: 4 }),
    ),
  }));
  return any;
}

/** Bytes that mean something: lengths, headers and types at their limits. */
const TELLING = [
  0x00, 0x01, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0c, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0,
  0xc1, 0xc4, 0xc7, 0xca, 0xcb, 0xcf, 0xd3, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xf4, 0xff,
];

/** Runs `act` often. Errors that are meant are counted, any other ends the test. */
export function tally(runs: number, act: () => unknown): { read: number; refused: number } {
  const seen = { read: 0, refused: 0 };
  for (let run = 0; run < runs; run += 1) {
    try {
      act();
      seen.read += 1;
    } catch (error) {
      if (!(error instanceof RollcallError) || error.code !== "wire/malformed") throw error;
      seen.refused += 1;
    }
  }
  return seen;
}

/** What is drawn for a test. */
export class Draw {
  readonly #random: SimRandom;

  constructor(label: string, seed: number) {
    this.#random = new SimRandom(seed).fork(label);
  }

  below(limit: number): number {
    return Math.floor(this.#random.float() * limit);
  }

  chance(): boolean {
    return this.below(2) === 0;
  }

  from<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new Error("nothing to draw from");
    return value;
  }

  /** All of `bytes`, in one piece or several. */
  *pieces(bytes: Uint8Array): Generator<Uint8Array, void> {
    for (let at = 0; at < bytes.length;) {
      const end = Math.min(bytes.length, at + 1 + this.below(bytes.length));
      yield bytes.subarray(at, end);
      at = end;
    }
  }

  noise(): Uint8Array {
    return Uint8Array.from({ length: this.below(80) }, () => this.#byte());
  }

  /** One to three changes: a bit, a byte, a cut, a stretch repeated or left out, noise put in. */
  damaged(bytes: Uint8Array): Uint8Array {
    let damaged = bytes.slice();
    for (let left = 1 + this.below(3); left > 0; left -= 1) damaged = this.#damage(damaged);
    return damaged;
  }

  #damage(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const at = this.below(bytes.length);
    const end = at + this.below(bytes.length - at);
    const [before, stretch, after] = [bytes.slice(0, at), bytes.slice(at, end), bytes.slice(end)];
    switch (this.below(6)) {
      case 0:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << this.below(8));
        return bytes;
      case 1:
        bytes[at] = this.#byte();
        return bytes;
      case 2:
        return before;
      case 3:
        return joined(before, stretch, stretch, after);
      case 4:
        return joined(before, after);
      default:
        return joined(before, this.noise(), after);
    }
  }

  #byte(): number {
    return this.chance() ? this.from(TELLING) : this.below(256);
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(parts));
}
