/** For tests: bytes as hex, and arbitrary values of schemas. */
import * as fc from "fast-check";
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
