import * as fc from "fast-check";
import { expect, test } from "vitest";
import { endpointOf, parseUrl, resolveUrl, showUrl } from "./http-url.ts";

function parsed(text: string) {
  const result = parseUrl(text);
  if (result.kind === "invalid") throw new Error(result.problem);
  return result.url;
}

// RFC 3986 §5.4, with http instead of the base's own scheme.
test.each([
  ["g", "http://a/b/c/g"],
  ["./g", "http://a/b/c/g"],
  ["g/", "http://a/b/c/g/"],
  ["/g", "http://a/g"],
  ["//g", "http://g"],
  ["?y", "http://a/b/c/d;p?y"],
  ["g?y", "http://a/b/c/g?y"],
  ["#s", "http://a/b/c/d;p?q#s"],
  ["g?y#s", "http://a/b/c/g?y#s"],
  [";x", "http://a/b/c/;x"],
  ["", "http://a/b/c/d;p?q"],
  [".", "http://a/b/c/"],
  ["..", "http://a/b/"],
  ["../g", "http://a/b/g"],
  ["../..", "http://a/"],
  ["../../g", "http://a/g"],
  ["../../../g", "http://a/g"],
  ["g..", "http://a/b/c/g.."],
  ["https://x:1/y", "https://x:1/y"],
])("%j from http://a/b/c/d;p?q leads to %s", (location, expected) => {
  const resolved = resolveUrl(parsed("http://a/b/c/d;p?q"), location);
  expect(resolved.kind === "url" ? showUrl(resolved.url) : resolved.problem).toBe(expected);
});

test.each([
  ["http://h/", { host: "h", port: 80 }],
  ["https://h/", { host: "h", port: 443 }],
  ["http://h:/", { host: "h", port: 80 }],
  ["http://[::1]:8080/", { host: "::1", port: 8080 }],
  ["http://[::1]/", { host: "::1", port: 80 }],
  ["http://:8080/", { host: "127.0.0.1", port: 8080 }],
  ["http://u:p@h:1/", { host: "h", port: 1 }],
  ["http://h:70000/", "dial tcp: address 70000: invalid port"],
])("%s is found at %j", (text, expected) => {
  expect(endpointOf(parsed(text))).toStrictEqual(expected);
});

test.each([
  ["http://a b/", `parse "http://a b/": invalid character " " in host name`],
  ["http://h/\u0001", `parse "http://h/\\u0001": net/url: invalid control character in URL`],
  [":x", `parse ":x": missing protocol scheme`],
  ["http://h%zz/", `parse "http://h%zz/": invalid URL escape "%zz"`],
])("%j is refused", (text, problem) => {
  expect(parseUrl(text)).toStrictEqual({ kind: "invalid", problem });
});

test("any text is parsed or refused, and what is sent of it is plain ASCII", () => {
  const urls = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: "grapheme" }).map((rest) => `http://h/${rest}`),
    fc.string({ unit: "binary-ascii" }).map((rest) => `http://${rest}`),
  );
  fc.assert(
    fc.property(urls, urls, (text, location) => {
      const result = parseUrl(text);
      if (result.kind === "invalid") return;
      expect(result.url.path + result.url.query).toMatch(/^[\u0021-\u007e]*$/);
      expect(parseUrl(showUrl({ ...result.url, userInfo: undefined })).kind).toBe("url");
      resolveUrl(result.url, location);
      endpointOf(result.url);
    }),
    { numRuns: 2_000 },
  );
});
