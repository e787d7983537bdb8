import { createServer, type ServerHttp2Stream } from "node:http2";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { simPlatform } from "../platform/sim/index.ts";
import { unframed } from "./grpc-call.ts";
import { encodeHealthRequest, isServing } from "./grpc-health-message.ts";
import { start } from "./testkit.ts";

type Answer = (stream: ServerHttp2Stream) => void;

interface Asked {
  readonly path: string | undefined;
  readonly authority: string | undefined;
  readonly body: string;
}

/** What is reported of a gRPC server on 127.0.0.1:80 that answers so. */
async function reportOf(answer: Answer, target = "127.0.0.1:80") {
  const platform = simPlatform({ seed: 1 });
  const asked: Asked[] = [];
  const server = createServer();
  server
    .on("sessionError", () => {})
    .on("stream", (stream, headers) => {
      const chunks: Buffer[] = [];
      stream.on("error", () => {}).on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const body = Buffer.concat(chunks).toString("hex");
        asked.push({ path: headers[":path"], authority: headers[":authority"], body });
        answer(stream);
      });
    });
  let open = 0;
  await platform.network.listen({ host: "127.0.0.1", port: 80 }, (stream) => {
    open += 1;
    stream.on("close", () => (open -= 1));
    server.emit("connection", stream);
  });
  using run = start(platform, { GRPC: target });
  await platform.clock.run(1_000);
  // HTTP/2 takes its turns at leisure; only then may the time run out.
  await turns(platform, () => run.reports.length > 0);
  if (run.reports.length === 0) await platform.clock.run(10_000);
  const report = run.reports[0];
  run[Symbol.dispose]();
  await turns(platform, () => open === 0);
  // The last bytes on their way to who has gone.
  await platform.clock.run(100);
  return { report, asked, open, timers: platform.clock.timerCount };
}

async function turns(platform: ReturnType<typeof simPlatform>, until: () => boolean) {
  for (let turn = 0; turn < 100 && !until(); turn += 1) await platform.clock.settle();
}

const GRPC_HEADERS = { ":status": 200, "content-type": "application/grpc" };

const withMessage =
  (message: readonly number[], status = "0"): Answer =>
  (stream) => {
    stream.respond(GRPC_HEADERS, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": status }));
    stream.end(Buffer.from([0, 0, 0, 0, message.length, ...message]));
  };
const withStatus =
  (status: string, message: string): Answer =>
  (stream) => {
    const headers = { ...GRPC_HEADERS, "grpc-status": status, "grpc-message": message };
    stream.respond(headers, { endStream: true });
  };
const withHttp =
  (status: number, contentType: string): Answer =>
  (stream) => {
    stream.respond({ ":status": status, "content-type": contentType });
    stream.end("nope");
  };

describe("a gRPC check", () => {
  const unhealthy = "critical: gRPC application didn't report service healthy";
  const failed = (code: string, text: string): string =>
    `critical: rpc error: code = ${code} desc = ${text}`;

  // As Consul 1.8.7 shows the same answers.
  test.each<[string, Answer, string]>([
    ["serving", withMessage([8, 1]), "passing: gRPC check 127.0.0.1:80: success"],
    ["not serving", withMessage([8, 2]), unhealthy],
    ["an unknown status", withMessage([8, 3]), unhealthy],
    ["an empty message", withMessage([]), unhealthy],
    ["no message", withStatus("0", ""), "critical: EOF"],
    [
      "not found",
      withStatus("5", "unknown service x%20y"),
      failed("NotFound", "unknown service x y"),
    ],
    ["a code of the future", withStatus("99", "odd"), failed("Code(99)", "odd")],
    [
      "a message that is none",
      withMessage([0xff, 0xff]),
      failed("Internal", "grpc: failed to unmarshal the received message unexpected EOF"),
    ],
    [
      "a 404",
      withHttp(404, "text/plain"),
      failed(
        "Unimplemented",
        'Not Found: HTTP status code 404; transport: received the unexpected content-type "text/plain"',
      ),
    ],
    [
      "a web page",
      withHttp(200, "text/html"),
      failed(
        "Unknown",
        'OK: HTTP status code 200; transport: received the unexpected content-type "text/html"',
      ),
    ],
    [
      "no trailers",
      (stream) => {
        stream.respond(GRPC_HEADERS);
        stream.end(Buffer.from([0, 0, 0, 0, 2, 8, 1]));
      },
      failed("Internal", "server closed the stream without sending trailers"),
    ],
    [
      "a reset",
      (stream) => stream.close(2),
      failed("Internal", "stream terminated by RST_STREAM with error code: INTERNAL_ERROR"),
    ],
    [
      "a connection that ends",
      (stream) => stream.session?.destroy(),
      failed("Unavailable", "transport is closing"),
    ],
    ["silence", () => {}, failed("DeadlineExceeded", "context deadline exceeded")],
    [
      "more than a health check can say",
      (stream) => {
        stream.respond(GRPC_HEADERS);
        stream.end(Buffer.alloc(200_000));
      },
      failed("ResourceExhausted", "grpc: received message larger than max"),
    ],
  ])("%s", async (_name, answer, expected) => {
    const { report, open, timers } = await reportOf(answer);
    expect(report).toBe(expected);
    expect(open).toBe(0);
    expect(timers).toBe(0);
  });

  test.each([
    ["127.0.0.1:80", "0000000000"],
    ["127.0.0.1:80/", "0000000000"],
    ["127.0.0.1:80/my.svc", "00000000080a066d792e737663"],
    ["127.0.0.1:80/a/b", "00000000050a03612f62"],
  ])("%s asks with the bytes that Consul sends", async (target, body) => {
    const { report, asked } = await reportOf(withMessage([8, 1]), target);
    expect(report).toBe(`passing: gRPC check ${target}: success`);
    const path = "/grpc.health.v1.Health/Check";
    expect(asked[0]).toStrictEqual({ path, authority: "127.0.0.1:80", body });
  });

  const dialing = (problem: string): string =>
    failed("Unavailable", `connection error: desc = "transport: Error while dialing ${problem}"`);
  test.each([
    ["127.0.0.1:1", "dial tcp 127.0.0.1:1: connect: connection refused"],
    ["127.0.0.1", "dial tcp: address 127.0.0.1: missing port in address"],
    ["127.0.0.1:foo", "dial tcp: address tcp/foo: unknown port"],
  ])("nobody at %s", async (target, problem) => {
    const { report } = await reportOf(withMessage([8, 1]), target);
    expect(report).toBe(dialing(problem));
  });

  test("a server that speaks something else", async () => {
    const platform = simPlatform({ seed: 1 });
    await platform.network.listen({ host: "127.0.0.1", port: 80 }, (stream) =>
      stream.once("data", () => stream.end("HTTP/1.1 400 Bad Request\r\n\r\n")),
    );
    using run = start(platform, { GRPC: "127.0.0.1:80" });
    await platform.clock.run(1_000);
    await turns(platform, () => run.reports.length > 0);
    expect(run.reports).toStrictEqual([failed("Unavailable", "connection closed")]);
  });
});

describe("the messages", () => {
  test("a long service name has a length of two bytes", () => {
    const bytes = encodeHealthRequest("s".repeat(300));
    expect([...bytes.subarray(0, 3)]).toStrictEqual([0x0a, 0xac, 0x02]);
    expect(bytes).toHaveLength(303);
  });

  test.each([
    [[8, 1], true],
    [[8, 2], false],
    [[8, 2, 8, 1], true],
    [[8, 0x81, 0], true],
    [[0x12, 2, 8, 1], false],
    [[0x12, 1, 8, 8, 1], true],
    [[0x11, 0, 0, 0, 0, 0, 0, 0, 0, 8, 1], true],
    [[0x15, 0, 0, 0, 0, 8, 1], true],
    [[8], undefined],
    [[0x12, 9, 8, 1], undefined],
    [[0x13, 1], undefined],
    [[0, 1], undefined],
    [Array.from({ length: 12 }, () => 0xff), undefined],
  ])("%j: serving %j", (bytes, expected) => {
    expect(isServing(Uint8Array.from(bytes))).toBe(expected);
  });

  test("any bytes are a message or refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect([true, false, undefined]).toContain(isServing(bytes));
      }),
    );
  });

  test("any frame is unframed or refused in words", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
        const received = Buffer.from(bytes);
        try {
          const message = unframed(received);
          expect(message.length).toBe(received.readUInt32BE(1));
        } catch (error) {
          expect(String(error)).toMatch(/^Error: (EOF|rpc error: code = Internal desc = .+)$/);
        }
      }),
    );
  });
});
