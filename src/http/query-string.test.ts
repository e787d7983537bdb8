import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseQuery } from "./query-string.ts";

test("names may repeat, lack a value, and be separated by semicolons", () => {
  const query = parseQuery("tag=a&tag=b;stale&x=1=2&=y&&pl+us=%C3%A9+z");
  expect(query?.all("tag")).toEqual(["a", "b"]);
  expect(query?.has("stale")).toBe(true);
  expect(query?.get("stale")).toBe("");
  expect(query?.get("x")).toBe("1=2");
  expect(query?.get("")).toBe("y");
  expect(query?.get("pl us")).toBe("é z");
  expect(query?.has("nothing")).toBe(false);
});

test.each(["a=%zz", "%", "a=1&b=%2", "a%g1=1"])("%s is refused", (raw) => {
  expect(parseQuery(raw)).toBeUndefined();
});

// Consul quotes the query in `Conflicting flags`.
test.each([
  ["recurse&cas=1", "cas=1&recurse="],
  ["cas=1&release=a%20b*~", "cas=1&release=a+b%2A~"],
  ["b=1&a=2&b=0", "a=2&b=1&b=0"],
])("%s is encoded as %s", (raw, encoded) => {
  expect(parseQuery(raw)?.encode()).toBe(encoded);
});

test("what is encoded is read back", () => {
  const pairs = fc.array(fc.tuple(fc.string({ unit: "grapheme" }), fc.string()));
  fc.assert(
    fc.property(pairs, (given) => {
      const raw = given
        .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
        .join("&");
      const query = parseQuery(raw);
      for (const [name, value] of given) expect(query?.all(name)).toContain(value);
    }),
  );
});
