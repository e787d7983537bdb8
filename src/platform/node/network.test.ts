import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { describe, expect, test } from "vitest";
import { DisposableScope } from "../disposable-scope.ts";
import type { TlsOptions } from "../platform.ts";
import { nodeNetwork } from "./network.ts";

const NEVER = new AbortController().signal;
const pem = (name: string): string =>
  readFileSync(new URL(`testdata/${name}`, import.meta.url), "utf8");
const ca = pem("ca.pem");

describe("TLS", () => {
  test.each<[string, TlsOptions, string]>([
    ["server", { ca }, "hello"],
    ["server", { ca, serverName: "rollcall.test" }, "hello"],
    ["server", {}, "x509: certificate signed by unknown authority"],
    ["server", { skipVerify: true }, "hello"],
    [
      "server",
      { ca, serverName: "other.test" },
      "x509: certificate is valid for rollcall.test, not other.test",
    ],
    ["name-only", { ca, serverName: "rollcall.test" }, "hello"],
    [
      "name-only",
      { ca },
      "x509: cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs",
    ],
    ["server", { ca: "no certificate", cert: "none", key: "none" }, "tls: "],
  ])("%s with %j: %s", async (certificate, tls, outcome) => {
    await using scope = new DisposableScope();
    const key = pem(`${certificate}.key`);
    const cert = pem(`${certificate}.pem`);
    const server = createTlsServer({ key, cert }, (stream) => stream.end("hello"));
    server.on("tlsClientError", () => {});
    const port = await open(scope, server);
    const connecting = nodeNetwork.connect({ host: "127.0.0.1", port }, { signal: NEVER, tls });
    if (outcome !== "hello") {
      await expect(connecting).rejects.toMatchObject({
        code: "net/dial",
        message: expect.stringContaining(outcome) as string,
      });
      return;
    }
    const stream = await connecting;
    const [bytes] = (await once(stream, "data")) as [Buffer];
    expect(bytes.toString()).toBe("hello");
    stream.destroy();
  });

  test.each<[readonly string[] | undefined, string | false]>([
    [["h2"], "h2"],
    [["http/1.1", "h2"], "h2"],
    [undefined, false],
  ])("of the protocols %j the server, which prefers h2, takes %j", async (alpn, taken) => {
    await using scope = new DisposableScope();
    const ALPNProtocols = ["h2", "http/1.1"];
    const options = { key: pem("server.key"), cert: pem("server.pem"), ALPNProtocols };
    const server = createTlsServer(options, (stream) => stream.end(String(stream.alpnProtocol)));
    const port = await open(scope, server);
    const tls = { ca, ...(alpn === undefined ? {} : { alpn }) };
    const remote = { host: "127.0.0.1", port };
    const stream = await nodeNetwork.connect(remote, { signal: NEVER, tls });
    const [bytes] = (await once(stream, "data")) as [Buffer];
    expect(bytes.toString()).toBe(String(taken));
    stream.destroy();
  });

  test.each<[string, (stream: Socket) => unknown, string]>([
    [
      "answers in clear text",
      (stream) => stream.end("HTTP/1.1 400 Bad Request\r\n\r\n"),
      "tls: first record does not look like a TLS handshake",
    ],
    ["hangs up", (stream) => stream.end(), "EOF"],
  ])("a server that %s", async (_name, answer, message) => {
    await using scope = new DisposableScope();
    const port = await open(
      scope,
      createTcpServer((stream) => {
        stream.on("error", () => {});
        stream.once("data", () => answer(stream));
      }),
    );
    const remote = { host: "127.0.0.1", port };
    await expect(nodeNetwork.connect(remote, { signal: NEVER, tls: {} })).rejects.toMatchObject({
      code: "net/dial",
      message,
    });
  });

  test("an abort during the handshake gives the signal's reason and hangs up", async () => {
    await using scope = new DisposableScope();
    const server = createTcpServer();
    const port = await open(scope, server);
    const controller = new AbortController();
    const connecting = nodeNetwork.connect(
      { host: "127.0.0.1", port },
      { signal: controller.signal, tls: {} },
    );
    const [stream] = (await once(server, "connection")) as [Socket];
    const [hello] = (await once(stream, "data")) as [Buffer];
    expect(hello[0]).toBe(22);
    const reason = new Error("i/o timeout");
    controller.abort(reason);
    await expect(connecting).rejects.toBe(reason);
    stream.on("error", () => {});
    await new Promise((resolve) => stream.on("close", resolve));
  });
});

describe("addresses", () => {
  test("an unknown host, in Go's words", async () => {
    const remote = { host: "nosuch.invalid", port: 80 };
    await expect(nodeNetwork.connect(remote, { signal: NEVER })).rejects.toMatchObject({
      code: "net/dial",
      message: expect.stringMatching(
        /^dial tcp: lookup nosuch\.invalid: (no such host|Temporary failure in name resolution)$/,
      ) as string,
    });
  });

  test.each([
    [{ host: "127.0.0.1", port: 70_000 }, "listen tcp 127.0.0.1:70000: bind: "],
    [
      { host: "192.0.2.1", port: 0 },
      "listen tcp 192.0.2.1:0: bind: cannot assign requested address",
    ],
  ])("%j cannot be bound", async (local, message) => {
    await expect(nodeNetwork.listen(local, () => {})).rejects.toThrow(message);
    const udp = message.replace("tcp", "udp");
    await expect(nodeNetwork.bindDatagram(local, () => {})).rejects.toThrow(udp);
  });

  test("IPv6 addresses are told in brackets", async () => {
    await using scope = new DisposableScope();
    const listener = scope.use(await nodeNetwork.listen({ host: "::1", port: 0 }, () => {}));
    expect(listener.address).toMatchObject({ host: "::1" });
    if ("path" in listener.address) throw new Error("not a path");
    const refused = { host: "::1", port: 1 };
    await expect(nodeNetwork.connect(refused, { signal: NEVER })).rejects.toThrow(
      "dial tcp [::1]:1: connect: connection refused",
    );
  });
});

async function open(scope: DisposableScope, server: Server): Promise<number> {
  const streams = new Set<Socket>();
  server.on("connection", (stream: Socket) => streams.add(stream));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  scope.defer(() => {
    for (const stream of streams) stream.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}
