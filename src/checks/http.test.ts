import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { describe, expect, test } from "vitest";
import type { CheckDefinition } from "../model/index.ts";
import { SECOND } from "../model/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { start } from "./testkit.ts";

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** A server on 127.0.0.1:80 that notes what it was asked. */
async function withServer(answer: Answer) {
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      asked.push({ request, body });
      answer(request, response, body);
    });
  });
  const asked: { request: IncomingMessage; body: string }[] = [];
  const at = await withStreams((stream) => server.emit("connection", stream));
  return { ...at, asked };
}

async function withStreams(accept: (stream: Duplex) => void) {
  const platform = simPlatform({ seed: 1 });
  let open = 0;
  await platform.network.listen({ host: "127.0.0.1", port: 80 }, (stream) => {
    open += 1;
    stream.on("close", () => (open -= 1));
    accept(stream);
  });
  return { platform, openStreams: () => open };
}

async function firstReport(
  platform: ReturnType<typeof simPlatform>,
  fields: Partial<CheckDefinition>,
  outputMaxBytes = 4096,
) {
  using run = start(platform, { Timeout: SECOND, ...fields }, { outputMaxBytes });
  await platform.clock.run(3_000);
  return { report: run.reports[0], log: run.log };
}

/** What is reported of a server that answers with these very bytes, and then closes. */
async function reportOfBytes(bytes: string) {
  const { platform } = await withStreams((stream) => stream.once("data", () => stream.end(bytes)));
  return (await firstReport(platform, { HTTP: "http://127.0.0.1/" })).report;
}

describe("an HTTP check's status and output, as of Consul 1.8.7", () => {
  test.each([
    [200, "passing", "200 OK"],
    [201, "passing", "201 Created"],
    [204, "passing", "204 No Content"],
    [299, "passing", "299 unknown"],
    [300, "critical", "300 Multiple Choices"],
    [304, "critical", "304 Not Modified"],
    [404, "critical", "404 Not Found"],
    [429, "warning", "429 Too Many Requests"],
    [430, "critical", "430 unknown"],
    [503, "critical", "503 Service Unavailable"],
  ])("%i is %s", async (statusCode, status, text) => {
    const { platform } = await withServer((_request, response) => {
      response.statusCode = statusCode;
      response.end("body");
    });
    const { report } = await firstReport(platform, { HTTP: "http://127.0.0.1/x" });
    const body = statusCode === 204 || statusCode === 304 ? "" : "body";
    expect(report).toBe(`${status}: HTTP GET http://127.0.0.1/x: ${text} Output: ${body}`);
  });

  test("of a long body the end is kept", async () => {
    const { platform } = await withServer((_request, response) => {
      response.end(`${"a".repeat(100_000)}0123456789`);
    });
    const { report } = await firstReport(platform, { HTTP: "http://127.0.0.1/" }, 12);
    expect(report).toBe("passing: HTTP GET http://127.0.0.1/: 200 OK Output: aa0123456789");
  });

  const URL = "http://127.0.0.1/";
  const broken = `Get "${URL}": net/http: HTTP/1.x transport connection broken: `;
  test.each([
    ["HTTP/1.0 200 OK\r\n\r\nold body", `passing: HTTP GET ${URL}: 200 OK Output: old body`],
    ["HTTP/1.1 200 Very Fine\r\n\r\nx", `passing: HTTP GET ${URL}: 200 Very Fine Output: x`],
    ["", `critical: Get "${URL}": EOF`],
    ["garbage here\r\n\r\n", `critical: ${broken}malformed HTTP status code "here"`],
    ["garbage\r\n\r\n", `critical: ${broken}malformed HTTP response "garbage"`],
    ["HTTP/1.1 abc OK\r\n\r\n", `critical: ${broken}malformed HTTP status code "abc"`],
    [
      "HTTP/1.1 200 OK\r\nbad header line\r\n\r\nbody",
      `critical: ${broken}malformed MIME header: missing colon: "bad header line"`,
    ],
    [
      "HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\nbody",
      `critical: ${broken}bad Content-Length "abc"`,
    ],
    [
      "HTTP/1.1 200 OK\r\nX: LONG\r\n\r\n",
      `critical: ${broken}net/http: server response headers exceeded 1048576 bytes; aborted`,
    ],
  ])("of the answer %j", async (bytes, expected) => {
    const sent = bytes.replace("LONG", "y".repeat(1_100_000));
    expect(await reportOfBytes(sent)).toBe(expected);
  });

  test.each([
    ["Content-Length: 100\r\n\r\npart", "part"],
    ["Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n", "part"],
    ["Transfer-Encoding: chunked\r\n\r\nzz\r\nbody", ""],
  ])("a body that breaks off does not change the status: %j", async (rest, body) => {
    const { platform } = await withStreams((stream) =>
      stream.once("data", () => stream.end(`HTTP/1.1 200 OK\r\n${rest}`)),
    );
    const { report, log } = await firstReport(platform, { HTTP: URL });
    expect(report).toBe(`passing: HTTP GET ${URL}: 200 OK Output: ${body}`);
    expect(log[0]).toBe("WARN Check error while reading body check=c error=unexpected EOF");
  });

  test.each([
    [
      "http://127.0.0.1:1/",
      'Get "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused',
    ],
    [
      "http://nosuch.invalid/x",
      'Get "http://nosuch.invalid/x": dial tcp: lookup nosuch.invalid: no such host',
    ],
    [
      "http://127.0.0.1:99999/x",
      'Get "http://127.0.0.1:99999/x": dial tcp: address 99999: invalid port',
    ],
    ["http://127.0.0.1:abc/x", 'parse "http://127.0.0.1:abc/x": invalid port ":abc" after host'],
    ["ftp://x/y", 'Get "ftp://x/y": unsupported protocol scheme "ftp"'],
    ["/foo", 'Get "/foo": unsupported protocol scheme ""'],
    ["http:///x", 'Get "http:///x": http: no Host in request URL'],
    ["http://[::1", `parse "http://[::1": missing ']' in host`],
    ["127.0.0.1:80/x", 'parse "127.0.0.1:80/x": first path segment in URL cannot contain colon'],
    ["http://127.0.0.1/%zz", 'parse "http://127.0.0.1/%zz": invalid URL escape "%zz"'],
    [
      "http://me:pw@127.0.0.1:1/",
      'Get "http://me:***@127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused',
    ],
  ])("of %s", async (url, expected) => {
    const platform = simPlatform({ seed: 1 });
    const { report } = await firstReport(platform, { HTTP: url });
    expect(report).toBe(`critical: ${expected}`);
  });

  test.each<[Partial<CheckDefinition>, string]>([
    [{ Method: "A B" }, 'net/http: invalid method "A B"'],
    [
      { Header: { "bad name": ["1"] } },
      `Get "${URL}": net/http: invalid header field name "bad name"`,
    ],
    [
      { Header: { X: ["a\nb"] } },
      `Get "${URL}": net/http: invalid header field value "a\\nb" for key X`,
    ],
  ])("of a request that cannot be sent: %j", async (fields, expected) => {
    const platform = simPlatform({ seed: 1 });
    const { report } = await firstReport(platform, { HTTP: URL, ...fields });
    expect(report).toBe(`critical: ${expected}`);
  });
});

describe("time", () => {
  const text =
    'Get "http://127.0.0.1/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)';

  test("a server that does not answer", async () => {
    const { platform, openStreams } = await withStreams((stream) => stream.resume());
    using run = start(platform, { HTTP: "http://127.0.0.1/" });
    await platform.clock.run(12_000);
    expect(run.reports).toStrictEqual([`critical: ${text}`]);
    run[Symbol.dispose]();
    await platform.clock.settle();
    expect(openStreams()).toBe(0);
  });

  test("a host that does not answer", async () => {
    const platform = simPlatform({ seed: 1 });
    using _silence = platform.network.silence("127.0.0.1");
    const { report } = await firstReport(platform, { HTTP: "http://127.0.0.1/" });
    expect(report).toBe(`critical: ${text}`);
  });

  test("a body that does not end counts with what has come", async () => {
    const { platform, openStreams } = await withServer((_request, response) => {
      response.write("part");
    });
    const { report, log } = await firstReport(platform, { HTTP: "http://127.0.0.1/" });
    expect(report).toBe("passing: HTTP GET http://127.0.0.1/: 200 OK Output: part");
    expect(log[0]).toBe(
      "WARN Check error while reading body check=c error=context deadline exceeded (Client.Timeout or context cancellation while reading body)",
    );
    await platform.clock.settle();
    expect(openStreams()).toBe(0);
  });

  test("disposed while it waits, it closes its connection", async () => {
    const { platform, openStreams } = await withStreams((stream) => stream.resume());
    const run = start(platform, { HTTP: "http://127.0.0.1/" });
    await platform.clock.run(1_000);
    expect(openStreams()).toBe(1);
    run[Symbol.dispose]();
    await platform.clock.settle();
    expect(openStreams()).toBe(0);
    expect(platform.clock.timerCount).toBe(0);
    expect(run.reports).toStrictEqual([]);
  });
});

describe("the connection is closed", () => {
  test.each([
    ["once the answer is whole", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "passing"],
    [
      "at a redirect, whatever its body",
      "HTTP/1.1 302 Found\r\nLocation: ftp://x\r\n\r\nmoved",
      "critical",
    ],
    [
      "when the server switches protocols",
      "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
      "critical",
    ],
    ["when the answer is no HTTP", "SSH-2.0-x\r\n", "critical"],
  ])("%s, though the server would keep it", async (_when, bytes, status) => {
    const { platform, openStreams } = await withStreams((stream) =>
      stream.once("data", () => stream.write(bytes)),
    );
    using run = start(platform, { HTTP: "http://127.0.0.1/" });
    await platform.clock.run(1_000);
    expect(run.reports).toStrictEqual([expect.stringMatching(`^${status}: `)]);
    expect(openStreams()).toBe(0);
  });
});

describe("the request", () => {
  async function ask(fields: Partial<CheckDefinition>) {
    const { platform, asked } = await withServer((_request, response) => response.end());
    await firstReport(platform, { HTTP: "http://127.0.0.1/", ...fields });
    const first = asked[0];
    if (first === undefined) throw new Error("nothing was asked");
    return {
      line: `${first.request.method} ${first.request.url}`,
      headers: first.request.headers,
      body: first.body,
    };
  }

  test("says who it is, and that it keeps no connection", async () => {
    expect(await ask({})).toStrictEqual({
      line: "GET /",
      headers: {
        host: "127.0.0.1",
        "user-agent": "Consul Health Check",
        accept: "text/plain, text/*, */*",
        connection: "close",
      },
      body: "",
    });
  });

  test("carries the definition's method, body and headers, lists included", async () => {
    const { line, headers, body } = await ask({
      Method: "POST",
      Body: "héllo",
      Header: {
        Host: ["my.host"],
        "User-Agent": ["mine"],
        Accept: [],
        "X-A": ["1", "2"],
        "X-Uni": ["ü"],
        "Content-Length": ["3"],
        Connection: ["keep-alive"],
      },
    });
    expect({ line, body }).toStrictEqual({ line: "POST /", body: "héllo" });
    expect(headers).toStrictEqual({
      host: "my.host",
      "user-agent": "mine",
      accept: "text/plain, text/*, */*",
      "x-a": "1, 2",
      "x-uni": Buffer.from("ü").toString("latin1"),
      "content-length": "6",
      connection: "close",
    });
  });

  test.each([
    ["http://127.0.0.1", "GET /"],
    ["http://127.0.0.1?x=1", "GET /?x=1"],
    ["HTTP://127.0.0.1/sp ace#top", "GET /sp%20ace"],
    ["http://127.0.0.1/a%2fb/ü?q=%20&r=ü", "GET /a%2fb/%C3%BC?q=%20&r=%C3%BC"],
  ])("to %s", async (url, line) => {
    expect((await ask({ HTTP: url })).line).toBe(line);
  });

  test("a name and password in the URL become a header", async () => {
    const { headers } = await ask({ HTTP: "http://me:p%40w@127.0.0.1/" });
    expect(headers.authorization).toBe(`Basic ${Buffer.from("me:p@w").toString("base64")}`);
  });

  test("an empty POST says that it is empty", async () => {
    expect((await ask({ Method: "POST" })).headers["content-length"]).toBe("0");
  });
});

describe("redirects", () => {
  test("are an answer like any other when they are not to be followed", async () => {
    const { platform, asked } = await withServer((_request, response) => {
      response.writeHead(302, { location: "/to" }).end("moved");
    });
    const fields = { HTTP: "http://127.0.0.1/from", DisableRedirects: true };
    const { report } = await firstReport(platform, fields);
    expect(report).toBe("critical: HTTP GET http://127.0.0.1/from: 302 Found Output: moved");
    expect(asked.map(({ request }) => request.url)).toStrictEqual(["/from", "/from", "/from"]);
  });

  const redirecting =
    (statusCode: number, location: string | undefined): Answer =>
    (request, response) => {
      if (request.url !== "/from") return void response.end("there");
      response.writeHead(statusCode, location === undefined ? {} : { location });
      response.end("moved");
    };

  test.each([
    [302, "POST", "GET /to", ""],
    [303, "PUT", "GET /to", ""],
    [301, "HEAD", "HEAD /to", ""],
    [307, "PUT", "PUT /to", "hello"],
    [308, "POST", "POST /to", "hello"],
  ])("%i after %s leads to %s", async (statusCode, method, expected, body) => {
    const { platform, asked } = await withServer(redirecting(statusCode, "/to"));
    const url = "http://127.0.0.1/from";
    const fields = { HTTP: url, Method: method, Body: "hello", Header: { Host: ["my.host"] } };
    const { report } = await firstReport(platform, fields);
    const seen = method === "HEAD" ? "" : "there";
    expect(report).toBe(`passing: HTTP ${method} ${url}: 200 OK Output: ${seen}`);
    const second = asked[1];
    expect(`${second?.request.method} ${second?.request.url}`).toBe(expected);
    expect(second?.body).toBe(body);
    expect(second?.request.headers.referer).toBe(url);
    expect(second?.request.headers.host).toBe("my.host");
  });

  test.each([
    [302, undefined, 'Get "http://127.0.0.1/from": 302 response missing Location header'],
    [
      302,
      "http://[::1",
      `Get "http://127.0.0.1/from": failed to parse Location header "http://[::1": parse "http://[::1": missing ']' in host`,
    ],
    [302, "ftp://x/", 'Get "ftp://x/": unsupported protocol scheme "ftp"'],
    [
      302,
      "http://127.0.0.1:1/z",
      'Get "http://127.0.0.1:1/z": dial tcp 127.0.0.1:1: connect: connection refused',
    ],
    [302, "/from", 'Get "/from": stopped after 10 redirects'],
  ])("%i to %j", async (statusCode, location, expected) => {
    const { platform } = await withServer(redirecting(statusCode, location));
    const { report } = await firstReport(platform, { HTTP: "http://127.0.0.1/from" });
    expect(report).toBe(`critical: ${expected}`);
  });

  test("307 without a location is an answer like any other", async () => {
    const { platform } = await withServer(redirecting(307, undefined));
    const { report } = await firstReport(platform, { HTTP: "http://127.0.0.1/from" });
    const text = "HTTP GET http://127.0.0.1/from: 307 Temporary Redirect Output: moved";
    expect(report).toBe(`critical: ${text}`);
  });

  test("another site is not told the credentials", async () => {
    const { platform, asked } = await withServer(redirecting(302, "http://other.test/to"));
    platform.network.addName("other.test", "127.0.0.1");
    const header = { Authorization: ["secret"], Cookie: ["a=b"], "X-Kept": ["yes"] };
    await firstReport(platform, { HTTP: "http://127.0.0.1/from", Header: header });
    const { authorization, cookie, host, "x-kept": kept } = asked[1]?.request.headers ?? {};
    expect({ authorization, cookie, host, kept }).toStrictEqual({
      authorization: undefined,
      cookie: undefined,
      host: "other.test",
      kept: "yes",
    });
  });
});
