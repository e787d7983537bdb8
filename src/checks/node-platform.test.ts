/** The checks against real sockets and a real shell: only what virtual time cannot show. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { expect, test, vi } from "vitest";
import { SECOND, type CheckDefinition } from "../model/index.ts";
import { nodePlatform } from "../platform/node/index.ts";
import { start } from "./testkit.ts";

/** The real platform, with a first run that does not wait. */
function impatient() {
  const platform = nodePlatform();
  const random = { ...platform.random, float: () => 0, fork: () => random };
  return { ...platform, random };
}

async function firstReport(fields: Partial<CheckDefinition>): Promise<string | undefined> {
  using run = start(impatient(), fields);
  await vi.waitUntil(() => run.reports.length > 0, { timeout: 20_000 });
  return run.reports[0];
}

async function withHttpServer<T>(use: (port: number) => Promise<T>): Promise<T> {
  const server = createServer((request, response) => {
    response.statusCode = request.url === "/busy" ? 429 : 200;
    response.end(`${request.headers["user-agent"]}`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await use((server.address() as AddressInfo).port);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

test("HTTP and TCP against a real server", () =>
  withHttpServer(async (port) => {
    const url = `http://127.0.0.1:${port}`;
    expect(await firstReport({ HTTP: url })).toBe(
      `passing: HTTP GET ${url}: 200 OK Output: Consul Health Check`,
    );
    expect(await firstReport({ HTTP: `${url}/busy` })).toBe(
      `warning: HTTP GET ${url}/busy: 429 Too Many Requests Output: Consul Health Check`,
    );
    expect(await firstReport({ TCP: `localhost:${port}` })).toBe(
      `passing: TCP connect localhost:${port}: Success`,
    );
  }));

test("gRPC and HTTP/2 over TLS: the protocol is negotiated", async () => {
  const pem = (name: string): Buffer =>
    readFileSync(new URL(`../platform/node/testdata/${name}`, import.meta.url));
  const server = createSecureServer({
    key: pem("server.key"),
    cert: pem("server.pem"),
    allowHTTP1: true,
  });
  server.on("stream", (stream) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc", "grpc-status": "12" });
    stream.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    expect(await firstReport({ H2PING: target, TLSSkipVerify: true })).toBe(
      "passing: HTTP2 ping was successful",
    );
    expect(await firstReport({ H2PING: target })).toBe(
      `critical: Failed to dial to ${target}: x509: certificate signed by unknown authority`,
    );
    expect(await firstReport({ GRPC: target, GRPCUseTLS: true, TLSSkipVerify: true })).toBe(
      "critical: rpc error: code = Unimplemented desc = ",
    );
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test("nobody listens", async () => {
  const refused = "dial tcp 127.0.0.1:1: connect: connection refused";
  expect(await firstReport({ TCP: "127.0.0.1:1" })).toBe(`critical: ${refused}`);
  expect(await firstReport({ HTTP: "http://127.0.0.1:1/" })).toBe(
    `critical: Get "http://127.0.0.1:1/": ${refused}`,
  );
});

test("scripts run by a real shell", async () => {
  const script = (text: string, fields: Partial<CheckDefinition> = {}) =>
    firstReport({ ScriptArgs: ["/bin/sh", "-c", text], ...fields });
  expect(await script("echo out; echo err >&2; exit 1")).toBe("warning: out\nerr\n");
  expect(await script("kill -9 $$")).toBe("critical: ");
  // The shell's child is killed too: it would hold the output open for an hour.
  expect(await script("echo part; sleep 3600 & wait", { Timeout: SECOND })).toBe(
    "critical: Timed out (1s) running check\n\npart\n",
  );
  expect(await firstReport({ ScriptArgs: ["/no/such"] })).toBe(
    "critical: fork/exec /no/such: no such file or directory",
  );
});
