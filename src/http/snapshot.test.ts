import { afterEach, expect, test } from "vitest";
import { RollcallError } from "../errors/index.ts";
import { simPlatform, type SimPlatform } from "../platform/sim/index.ts";
import type { SnapshotOptions, Snapshots } from "../rpc/index.ts";
import { headerOf, startTestServer, type TestServer } from "./testkit.ts";

let server: TestServer | undefined;
afterEach(async () => server?.[Symbol.asyncDispose]());

interface Given {
  readonly options: SnapshotOptions[];
  readonly archives: Buffer[];
}
async function* slices(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
}
async function started(
  of: Partial<Snapshots> = {},
): Promise<Given & { platform: SimPlatform; server: TestServer }> {
  const given: Given = { options: [], archives: [] };
  const platform = simPlatform({ seed: 1 });
  const snapshots: Snapshots = {
    save: async (options) => {
      given.options.push(options);
      const archive = slices(ARCHIVE);
      return { index: 357, knownLeader: true, lastContactMs: 0, archive };
    },
    restore: async (archive, options) => {
      given.options.push(options);
      const parts: Uint8Array[] = [];
      for await (const part of archive) parts.push(part);
      given.archives.push(Buffer.concat(parts));
    },
    ...of,
  };
  server = await startTestServer({ platform, snapshots });
  return { ...given, platform, server };
}
const ARCHIVE = Buffer.alloc(100_000, "archive");

/** Of a body in chunks (RFC 9112 §7.1). @returns undefined where its end is missing */
function unchunked(body: string): string | undefined {
  let text = "";
  for (let at = 0; ;) {
    const lineEnd = body.indexOf("\r\n", at);
    const length = Number.parseInt(body.slice(at, lineEnd), 16);
    if (lineEnd === -1 || Number.isNaN(length)) return undefined;
    if (length === 0) return text;
    text += body.slice(lineEnd + 2, lineEnd + 2 + length);
    at = lineEnd + 4 + length;
  }
}

// `Connection: close` and a plain request take the fast lane, `TE` the other.
test.each([
  ["a plain request", {}],
  ["one for Node's server", { TE: "trailers" }],
])("%s gets the archive in chunks, with Consul's headers", async (_, headers) => {
  const { server: own, options } = await started();
  const answer = await own.send({ path: "/v1/snapshot?stale&dc=dc1", headers });
  expect(answer.status).toBe(200);
  for (const [name, value] of [
    ["X-Consul-Index", "357"],
    ["X-Consul-Knownleader", "true"],
    ["X-Consul-Lastcontact", "0"],
    ["Content-Type", "application/x-gzip"],
    ["Transfer-Encoding", "chunked"],
    ["Vary", "Accept-Encoding"],
    ["Content-Length", undefined],
  ] as const) {
    expect([name, headerOf(answer, name)]).toEqual([name, value]);
  }
  expect(unchunked(answer.body)).toBe(ARCHIVE.toString());
  expect(options).toEqual([{ datacenter: "dc1", consistency: "stale" }]);
});

test.each([
  ["a plain request", {}],
  ["one for Node's server", { TE: "trailers" }],
])("an archive that fails on the way has no end: %s", async (_, headers) => {
  const failing = async function* (): AsyncGenerator<Uint8Array, void> {
    yield ARCHIVE;
    throw new RollcallError("disk/failed", "decayed");
  };
  const { server: own } = await started({
    save: async () => ({ index: 1, knownLeader: true, lastContactMs: 0, archive: failing() }),
  });
  const answer = await own.send({ path: "/v1/snapshot", headers });
  expect(unchunked(answer.body)).toBeUndefined();
  expect(own.lines.some(({ fields }) => fields["error"] === "decayed")).toBe(true);
});

test("the connection can be used for more after it", async () => {
  const { server: own, platform } = await started();
  const request = "GET /v1/snapshot HTTP/1.1\r\nHost: a\r\n\r\n";
  const isAll = (text: string): boolean => text.split("\r\n0\r\n\r\n").length > 2;
  const twice = await platform.clock.until(own.exchange(request + request, isAll));
  expect(twice.split("HTTP/1.1 200 OK")).toHaveLength(3);
});

test("a body of any length is what is restored, with its length given and without", async () => {
  const large = "x".repeat(20 * 1024 * 1024);
  const { server: own, archives } = await started();
  expect(await own.send({ method: "PUT", path: "/v1/snapshot", body: large })).toMatchObject({
    status: 200,
    body: "",
  });
  const head = "PUT /v1/snapshot HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
  await own.exchange(`${head}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`);
  await own.send({ method: "PUT", path: "/v1/snapshot", body: "short" });
  expect(archives.map((bytes) => bytes.length)).toEqual([large.length, 5, 5]);
});

test("a refusal reaches a client that reads nothing before it has sent all", async () => {
  const { server: own } = await started({
    restore: async (archive) => {
      for await (const _part of archive) break;
      throw new RollcallError(
        "request/refused",
        "failed to decompress snapshot: gzip: invalid header",
      );
    },
  });
  const body = "x".repeat(4 * 1024 * 1024);
  expect(await own.send({ method: "PUT", path: "/v1/snapshot", body })).toMatchObject({
    status: 500,
    body: "failed to decompress snapshot: gzip: invalid header",
  });
});
