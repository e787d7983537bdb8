/** The shell: what Go's server and Consul's `wrap` do around every endpoint. Expected texts are Consul 1.8.7's. */
import { testConfig } from "../config/testkit.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nodePlatform } from "../platform/node/index.ts";
import { eventLoopTurn } from "../platform/node/turn.ts";
import {
  aNode,
  anEntry,
  headerOf,
  META,
  parseResponse,
  startTestServer,
  type Handlers,
  type TestServer,
  type WireRequest,
} from "./testkit.ts";

const platform = nodePlatform();
const entry = anEntry("web/é", "hello");
const found = { value: { Entries: [entry] }, meta: META };
const HANDLERS: Handlers = {
  "KVS.Get": ({ Key }) => (Key === "none" ? { value: { Entries: [] }, meta: META } : found),
  "KVS.List": () => found,
  "KVS.ListKeys": () => ({ value: { Keys: ["a", "b"] }, meta: META }),
  "KVS.Apply": () => true,
  "Catalog.ListNodes": () => ({ value: { Nodes: [aNode] }, meta: META }),
  "Status.Leader": () => "127.0.0.1:8300",
};

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ platform, handlers: HANDLERS });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

/** Headers as `Name: value`, without what differs from run to run. */
async function answer(request: WireRequest, from = server): Promise<string[]> {
  const { status, headers, body } = await from.send(request);
  const shown = headers
    .filter(([name]) => name !== "Date" && name !== "Content-Length" && name !== "Connection")
    .map(([name, value]) => `${name}: ${value}`)
    .toSorted();
  return [String(status), ...shown, body];
}

const VARY = "Vary: Accept-Encoding";
const TEXT = "Content-Type: text/plain; charset=utf-8";
const JSON_TYPE = "Content-Type: application/json";
const INDEX = ["X-Consul-Index: 7", "X-Consul-Knownleader: true", "X-Consul-Lastcontact: 0"];
const NAMESPACES = " - Namespaces are a Consul Enterprise feature";

test.each<[string, WireRequest, string[]]>([
  ["unknown path", { path: "/v1/nope?a=%zz" }, ["404", ""]],
  ["unknown path outside of /v1", { path: "/nope" }, ["404", ""]],
  ["slash after an exact endpoint", { path: "/v1/agent/self/" }, ["404", ""]],
  ["the root", { path: "/" }, ["200", TEXT, "Consul Agent"]],
  ["robots", { path: "/robots.txt" }, ["404", ""]],
  ["unprintable", { path: "/v1/kv/fx%01" }, ["400", ""]],
  ["bad query", { path: "/v1/kv/fx?a=%zz" }, ["500", VARY, ""]],
  [
    "path to clean",
    { path: "/v1/kv//a" },
    [
      "301",
      "Content-Type: text/html; charset=utf-8",
      "Location: /v1/kv/a",
      '<a href="/v1/kv/a">Moved Permanently</a>.\n\n',
    ],
  ],
  ["path to clean, PUT", { path: "/v1/kv//a", method: "PUT" }, ["301", "Location: /v1/kv/a", ""]],
  ["no slash", { path: "/v1/kv?a", method: "PUT" }, ["301", "Location: /v1/kv/?a", ""]],
  [
    "wrong method",
    { path: "/v1/kv/a", method: "POST", body: "v" },
    ["405", "Allow: OPTIONS,GET,PUT,DELETE", TEXT, VARY, "method POST not allowed"],
  ],
  [
    "rare method",
    { path: "/v1/kv/a", method: "M-SEARCH" },
    ["405", "Allow: OPTIONS,GET,PUT,DELETE", TEXT, VARY, "method M-SEARCH not allowed"],
  ],
  [
    "HEAD",
    { path: "/v1/status/leader", method: "HEAD" },
    ["405", "Allow: OPTIONS,GET", TEXT, VARY, ""],
  ],
  [
    "OPTIONS",
    { path: "/v1/kv/x", method: "OPTIONS" },
    ["200", "Allow: OPTIONS,GET,PUT,DELETE", VARY, ""],
  ],
  ["OPTIONS *", { path: "*", method: "OPTIONS" }, ["200", ""]],
  ["GET *", { path: "*" }, ["400", ""]],
  ["JSON", { path: "/v1/status/leader" }, ["200", JSON_TYPE, VARY, '"127.0.0.1:8300"']],
  [
    "pretty",
    { path: "/v1/kv/?keys&pretty" },
    ["200", JSON_TYPE, VARY, ...INDEX, '[\n    "a",\n    "b"\n]\n'],
  ],
  [
    "encoded slash of an endpoint",
    { path: "/v1%2Fstatus%2Fleader" },
    ["200", JSON_TYPE, VARY, '"127.0.0.1:8300"'],
  ],
  ["not found", { path: "/v1/kv/none" }, ["404", VARY, ...INDEX, ""]],
  [
    "raw value",
    { path: "/v1/kv/a?raw" },
    [
      "200",
      "Content-Security-Policy: sandbox",
      "Content-Type: text/plain",
      VARY,
      ...INDEX,
      "X-Content-Type-Options: nosniff",
      "hello",
    ],
  ],
  ["failure", { path: "/v1/status/peers" }, ["500", TEXT, VARY, "No path to datacenter"]],
  [
    "failed read of the catalog",
    { path: "/v1/catalog/services" },
    [
      "500",
      TEXT,
      VARY,
      "X-Consul-Index: 1",
      "X-Consul-Knownleader: false",
      "X-Consul-Lastcontact: 0",
      "No path to datacenter",
    ],
  ],
  [
    "namespace",
    { path: "/v1/kv/x?ns=default" },
    ["400", TEXT, VARY, `Bad request: Invalid query parameter: "ns"${NAMESPACES}`],
  ],
  [
    "namespace header",
    { path: "/v1/kv/x?ns=y", headers: { "X-Consul-Namespace": "x" } },
    ["400", TEXT, VARY, `Bad request: Invalid header: "X-Consul-Namespace"${NAMESPACES}`],
  ],
])("%s", async (_, request, expected) => {
  expect(await answer(request)).toEqual(expected);
});

test("the entry of a key, with its headers in Go's letter case", async () => {
  expect(await answer({ path: "/v1/kv/web/%C3%A9" })).toEqual([
    "200",
    JSON_TYPE,
    VARY,
    ...INDEX,
    '[{"LockIndex":0,"Key":"web/Ã©","Flags":0,"Value":"aGVsbG8=","CreateIndex":7,"ModifyIndex":7}]',
  ]);
});

test("catalog reads say how consistent they were", async () => {
  const { headers } = await server.send({ path: "/v1/catalog/nodes?stale" });
  expect(headers).toContainEqual(["X-Consul-Effective-Consistency", "stale"]);
});

test.each(["/v1/kv/a", "/v1/status/leader", "/v1/status/peers", "/v1/kv/a?raw", "/v1/kv/"])(
  "%s is compressed on request, errors too, and reads the same",
  async (path) => {
    const plain = await server.send({ path });
    const zipped = await server.send({ path, headers: { "Accept-Encoding": "br, GZIP;q=0.1" } });
    expect(headerOf(zipped, "Content-Encoding")).toBe("gzip");
    expect(zipped.body).toBe(plain.body);
    const refused = await server.send({ path, headers: { "Accept-Encoding": "gzip;q=0, *" } });
    expect(headerOf(refused, "Content-Encoding")).toBeUndefined();
  },
);

test("an empty answer is not compressed", async () => {
  const { headers, body } = await server.send({
    path: "/v1/kv/none",
    headers: { "Accept-Encoding": "gzip" },
  });
  expect(headers).toContainEqual(["Content-Length", "0"]);
  expect(body).toBe("");
});

const BAD_REQUEST =
  "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request";
test.each([
  ["FOO\r\n\r\n", BAD_REQUEST],
  ["GET /v1/kv/a b HTTP/1.1\r\nHost: x\r\n\r\n", BAD_REQUEST],
  [
    `GET / HTTP/1.1\r\nHost: x\r\nX: ${"a".repeat(2_000_000)}\r\n\r\n`,
    BAD_REQUEST.replaceAll("400 Bad Request", "431 Request Header Fields Too Large"),
  ],
])("what is no HTTP gets Go's words and the door", async (bytes, expected) => {
  expect(await server.exchange(bytes)).toBe(expected);
});

test("a malformed path and a missing host are refused, and the connection closes", async () => {
  for (const bytes of [
    "GET /v1/kv/%zz HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /v1/kv/a HTTP/1.1\r\n\r\n",
  ]) {
    const response = parseResponse(await server.exchange(bytes));
    expect(response.status).toBe(400);
    expect(headerOf(response, "Connection")).toBe("close");
    expect(response.body).toMatch(/^400 Bad Request/);
  }
});

test("connections persist without saying so, and pipelined requests are answered in order", async () => {
  const bytes =
    "GET /v1/status/leader HTTP/1.1\r\nHost: x\r\n\r\n" +
    "DELETE /v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" +
    "GET /v1/kv/?keys HTTP/1.1\r\nHost: x\r\n\r\n";
  const text = await server.exchange(bytes, (sofar) => sofar.includes('["a","b"]'));
  expect(text.match(/HTTP\/1.1 200 OK/g)).toHaveLength(3);
  expect(text).not.toMatch(/keep-alive|Connection/i);
  expect(text.indexOf("127.0.0.1:8300")).toBeLessThan(text.indexOf("true"));
});

test("HTTP/1.0 clients are told that the connection ends", async () => {
  const text = await server.exchange("GET /v1/status/leader HTTP/1.0\r\n\r\n");
  expect(text).toContain("Connection: close");
});

describe("with a strict configuration", () => {
  let strict: TestServer;
  beforeAll(async () => {
    strict = await startTestServer({
      platform,
      handlers: HANDLERS,
      config: {
        devMode: true,
        translateWanAddrs: true,
        logLevel: "DEBUG",
        limits: {
          ...testConfig.limits,
          httpMaxConnsPerClient: 2,
          kvMaxValueSizeBytes: 100,
          txnMaxReqLenBytes: 600,
        },
        http: {
          blockEndpoints: ["/v1/agent/self"],
          responseHeaders: { "X-Extra": "yes", "access-control-allow-origin": "*" },
          allowWriteHttpFrom: ["10.0.0.0/8"],
          maxHeaderBytes: 1 << 20,
          disableUnprintableCharFilter: true,
          useCache: true,
        },
      },
    });
  });
  afterAll(async () => {
    await strict[Symbol.asyncDispose]();
  });
  const EXTRA = [
    "Access-Control-Allow-Origin: *",
    "X-Consul-Translate-Addresses: true",
    "X-Extra: yes",
  ];

  test.each<[string, WireRequest, string, string]>([
    ["blocked", { path: "/v1/agent/self" }, "403", "Endpoint is blocked by agent configuration"],
    [
      "blocked OPTIONS",
      { path: "/v1/agent/self", method: "OPTIONS" },
      "403",
      "Endpoint is blocked by agent configuration",
    ],
    [
      "write from outside",
      { path: "/v1/kv/x", method: "PUT", body: "v" },
      "403",
      "Access is restricted",
    ],
    ["dev mode is pretty", { path: "/v1/kv/?keys" }, "200", '[\n    "a",\n    "b"\n]\n'],
    ["unprintable allowed", { path: "/v1/kv/none?raw&%01" }, "404", ""],
    ["bad query has the headers", { path: "/v1/kv/none?%" }, "500", ""],
  ])("%s", async (_, request, status, body) => {
    const lines = await answer(request, strict);
    expect(lines[0]).toBe(status);
    expect(lines.at(-1)).toBe(body);
    for (const header of EXTRA) expect(lines).toContain(header);
  });

  test("unknown paths have no configured headers", async () => {
    expect(await answer({ path: "/v1/nope" }, strict)).toEqual(["404", ""]);
  });

  test("requests and errors are logged without tokens", async () => {
    strict.lines.length = 0;
    await strict.send({ path: "/v1/status/peers?dc=x&token=s3cret&%74oken=other" });
    expect(strict.lines).toMatchObject([
      {
        level: "error",
        message: "Request error",
        fields: {
          method: "GET",
          url: "/v1/status/peers?dc=x&token=<hidden>&%74oken=<hidden>",
          error: "No path to datacenter",
        },
      },
      { level: "debug", message: "Request finished", fields: { method: "GET" } },
    ]);
    expect(strict.lines[1]?.fields).toMatchObject({
      from: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
      latency: expect.stringMatching(/^[\d.]+(ns|µs|ms|s)$/) as string,
    });
  });

  test("a client's third connection is closed at once; its place is free again later", async () => {
    const [first, second] = [await strict.connect(), await strict.connect()];
    expect(await strict.exchange("GET / HTTP/1.1\r\nHost: x\r\n\r\n")).toBe("");
    const gone = new Promise((resolve) => first.once("close", resolve));
    first.destroy();
    await gone;
    let answered = "";
    // The server hears of the close when it reads it.
    while (answered === "") {
      answered = await strict.exchange("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    }
    expect(answered).toContain("Consul Agent");
    second.destroy();
  });
});

test("values above the limit are refused: by their length at once, without one when they get there", async () => {
  await using strict = await startTestServer({
    platform,
    handlers: HANDLERS,
    config: {
      limits: {
        ...testConfig.limits,
        httpMaxConnsPerClient: 9,
        kvMaxValueSizeBytes: 100,
        txnMaxReqLenBytes: 9,
      },
    },
  });
  const see = "See https://www.consul.io/docs/agent/options.html#kv_max_value_size.";
  const put = { method: "PUT", path: "/v1/kv/x" };
  const large = await strict.send({ ...put, body: "x".repeat(101) });
  expect(large.status).toBe(413);
  expect(large.body).toBe(`Request body(101 bytes) too large, max size: 100 bytes. ${see}`);
  expect(headerOf(large, "Connection")).toBe("close");
  // Only the head is sent: the length says enough.
  const declared = await strict.exchange(
    "PUT /v1/kv/x HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
    (text) => text.includes(see),
  );
  expect(parseResponse(declared).status).toBe(413);
  const chunk = `${(101).toString(16)}\r\n${"x".repeat(101)}\r\n`;
  const chunked = parseResponse(
    await strict.exchange(
      `PUT /v1/kv/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}${chunk}0\r\n\r\n`,
    ),
  );
  expect(chunked.status).toBe(413);
  expect(chunked.body).toBe(`Request body too large, max size: 100 bytes. ${see}`);
  expect((await strict.send({ ...put, body: "x".repeat(100) })).status).toBe(200);
  // Far more than any buffer between us: the answer still arrives whole.
  const huge = await strict.send({ ...put, body: "x".repeat(3_000_000) });
  expect(huge.status).toBe(413);
});

test.each([
  ["the fast lane", "GET /v1/status/leader HTTP/1.1\r\nHost: x\r\n\r\n"],
  ["Node's lane", "GET  /v1/status/leader HTTP/1.1\r\nHost: x\r\n\r\n"],
])(
  "a client that has ended its side is answered, and the connection closed: %s",
  async (_, bytes) => {
    let answerNow: (leader: string) => void = () => {};
    const leader = new Promise<string>((resolve) => (answerNow = resolve));
    await using slow = await startTestServer({
      platform,
      handlers: { "Status.Leader": () => leader },
    });
    const stream = await slow.connect();
    let text = "";
    stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
    const closed = new Promise((resolve) => stream.once("close", resolve));
    stream.end(bytes);
    while (slow.delegate.calls.length === 0) await eventLoopTurn();
    for (let turn = 0; turn < 20; turn++) await eventLoopTurn();
    answerNow("10.0.0.1:8300");
    await closed;
    expect(parseResponse(text)).toMatchObject({ status: 200, body: '"10.0.0.1:8300"' });
  },
);
