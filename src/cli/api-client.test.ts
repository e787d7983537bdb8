import { createServer } from "node:http";
import type { Duplex } from "node:stream";
import { describe, expect, test } from "vitest";
import { simPlatform, type SimPlatform } from "../platform/sim/index.ts";
import { ApiClient } from "./api-client.ts";
import type { ApiConfig } from "./api-config.ts";

const remote = { host: "127.0.0.66", port: 80 };
const config: ApiConfig = {
  origin: "http://agent",
  pathPrefix: "",
  remote,
  tls: undefined,
  headers: {},
  query: [],
  stale: false,
};
const get = { method: "GET", path: "/v1/x" } as const;

/** Sends one request to an agent that does what `serve` says with the connection. */
async function ask(
  serve: (stream: Duplex) => void,
  platform: SimPlatform = simPlatform({ seed: 1 }),
): Promise<string> {
  await using _listener = await platform.network.listen(remote, serve);
  using api = new ApiClient(config, platform);
  return await api.ok(get).then(
    (body) => `answer: ${body}`,
    (error: Error) => error.message,
  );
}

const replying =
  (bytes: string) =>
  (stream: Duplex): void => {
    stream.once("data", () => stream.end(Buffer.from(bytes)));
  };

describe("what an agent may do to a request", () => {
  test.each([
    ["nothing but close", "", 'Get "http://agent/v1/x": EOF'],
    [
      "close amid the answer",
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
      'Get "http://agent/v1/x": unexpected EOF',
    ],
    [
      "answer 503",
      "HTTP/1.1 503 X\r\nContent-Length: 4\r\n\r\nbusy",
      "Unexpected response code: 503 (busy)",
    ],
    ["answer", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "answer: ok"],
    [
      "lead elsewhere",
      "HTTP/1.1 301 X\r\nLocation: http://evil/\r\nContent-Length: 0\r\n\r\n",
      'Get "http://agent/v1/x": 301 response leads elsewhere: http://evil/',
    ],
  ])("%s", async (_what, bytes, said) => {
    expect(await ask(replying(bytes))).toBe(said);
  });

  test("speak another protocol", async () => {
    expect(await ask(replying("SSH-2.0-x\r\n"))).toMatch(
      /^Get "http:\/\/agent\/v1\/x": malformed HTTP response \(/,
    );
  });

  test("lead in circles", async () => {
    let count = 0;
    const server = createServer((_request, response) => {
      count += 1;
      response.writeHead(301, { location: "/v1/x" }).end();
    });
    expect(await ask((stream) => void server.emit("connection", stream))).toBe(
      'Get "http://agent/v1/x": stopped after 10 redirects',
    );
    expect(count).toBe(11);
  });
});

test("an agent that never takes the connection is given up after 30 s", async () => {
  const platform = simPlatform({ seed: 1 });
  platform.network.silence("127.0.0.66");
  using api = new ApiClient(config, platform);
  const failed = expect(api.ok(get)).rejects.toThrow('Get "http://agent/v1/x": ');
  await platform.clock.run(30_000);
  await failed;
});

test("one connection serves many requests, one after the other", async () => {
  const platform = simPlatform({ seed: 1 });
  let connectionCount = 0;
  const server = createServer((request, response) => response.end(request.url));
  await using _listener = await platform.network.listen(remote, (stream) => {
    connectionCount += 1;
    server.emit("connection", stream);
  });
  using api = new ApiClient(
    { ...config, pathPrefix: "/p", query: [["dc", "a"]], stale: true },
    platform,
  );
  for (let index = 0; index < 20; index += 1) {
    expect(await api.ok({ ...get, path: `/v1/kv/${index} b` })).toBe(
      `/p/v1/kv/${index}%20b?dc=a&stale=`,
    );
  }
  expect(await api.ok({ method: "PUT", path: "/v1/x", body: "b" })).toBe("/p/v1/x?dc=a");
  expect(connectionCount).toBe(1);
});
