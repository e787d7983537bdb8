import { createServer } from "node:http";
import { once } from "node:events";
import { connect, type AddressInfo } from "node:net";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PLAIN_MAX_BYTES, PlainRequests, type PlainRequest } from "./plain-request.ts";

const read = (text: string) => new PlainRequests().read(Buffer.from(text, "latin1"));
function readPlain(text: string): PlainRequest {
  const request = read(text);
  if (typeof request === "string") throw new Error(`${request}: ${text}`);
  return request;
}

test("a plain request", () => {
  const request = readPlain(
    "PUT /v1/kv/a?cas=1 HTTP/1.1\r\nHost: x:8500\r\nX-Empty:\r\nContent-Length: 3 \r\n\r\nabc",
  );
  expect(request).toMatchObject({ method: "PUT", url: "/v1/kv/a?cas=1" });
  expect(request.headers).toEqual({ host: "x:8500", "x-empty": "", "content-length": "3" });
  expect(Buffer.from(request.body).toString()).toBe("abc");
});

const HOST = "Host: x\r\n";
test.each([
  ["garbage before a line ends", "\0\x01 no request"],
  ["a wrong line before the head ends", `GET / HTTP/1.0\r\n${HOST}`],
  ["half a head that is too long", `GET /${"x".repeat(9000)}`],
  ["HTTP/1.0", `GET / HTTP/1.0\r\n${HOST}\r\n`],
  ["another method", `PATCH / HTTP/1.1\r\n${HOST}\r\n`],
  ["two spaces", `GET  / HTTP/1.1\r\n${HOST}\r\n`],
  ["a byte above ASCII in the target", `GET /\xe9 HTTP/1.1\r\n${HOST}\r\n`],
  ["no Host", "GET / HTTP/1.1\r\nA: b\r\n\r\n"],
  ["no header", "GET / HTTP/1.1\r\n\r\n"],
  ["two Hosts", `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`],
  ["a header twice", `GET / HTTP/1.1\r\n${HOST}A: 1\r\na: 2\r\n\r\n`],
  ["a folded header", `GET / HTTP/1.1\r\n${HOST}A: 1\r\n 2\r\n\r\n`],
  ["a space before the colon", `GET / HTTP/1.1\r\n${HOST}A : 1\r\n\r\n`],
  ["a bare line feed", `GET / HTTP/1.1\r\n${HOST}A: 1\nB: 2\r\n\r\n`],
  ["a bare carriage return", `GET / HTTP/1.1\r\n${HOST}A: 1\rB: 2\r\n\r\n`],
  ["a control character", `GET / HTTP/1.1\r\n${HOST}A: \x01\r\n\r\n`],
  ["chunked", `PUT / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ["an expectation", `PUT / HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 0\r\n\r\n`],
  ["an upgrade", `GET / HTTP/1.1\r\n${HOST}Upgrade: h2c\r\n\r\n`],
  ["Connection: close", `GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`],
  ["a length that is no number", `PUT / HTTP/1.1\r\n${HOST}Content-Length: +1\r\n\r\na`],
  ["a long head", `GET / HTTP/1.1\r\n${HOST}A: ${"x".repeat(9000)}\r\n\r\n`],
  [
    "a long body",
    `PUT / HTTP/1.1\r\n${HOST}Content-Length: ${PLAIN_MAX_BYTES}\r\n\r\n${"x".repeat(PLAIN_MAX_BYTES)}`,
  ],
])("is left to Node: %s", (_, text) => {
  expect(read(text)).toBe("other");
});

test("at every place where a plain request may be cut it is half a head, then half a body", () => {
  const head = `PUT /v1/kv/a HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\n`;
  for (let end = 0; end < head.length; end++) {
    expect(read(head.slice(0, end))).toBe("half a head");
  }
  for (const body of ["", "a", "ab"]) expect(read(head + body)).toBe("half a body");
});

test("what follows a request is left alone", () => {
  const first = `PUT / HTTP/1.1\r\n${HOST}Content-Length: 1\r\n\r\na`;
  for (const rest of ["b", first, "\0", "x".repeat(2 * PLAIN_MAX_BYTES)]) {
    expect(readPlain(first + rest)).toMatchObject({ sizeBytes: first.length });
  }
  const without = `PUT / HTTP/1.1\r\n${HOST}\r\n`;
  expect(readPlain(`${without}ab`)).toMatchObject({ sizeBytes: without.length });
});

test("what it keeps of headers is bounded, and is never another client's", () => {
  const requests = new PlainRequests();
  for (let i = 0; i < 2000; i++) {
    const text = `GET /${i} HTTP/1.1\r\nHost: x\r\nX-Consul-Token: ${i}\r\n\r\n`;
    expect(requests.read(Buffer.from(text))).toMatchObject({
      headers: { host: "x", "x-consul-token": `${i}` },
    });
  }
});

const node = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const { method, url, headers } = request;
    const body = Buffer.concat(chunks).toString("latin1");
    response.end(JSON.stringify({ method, url, headers, body }));
  });
});
beforeAll(async () => {
  node.listen(0, "127.0.0.1");
  await once(node, "listening");
});
afterAll(() => void node.close());

/** What Node's server makes of the bytes: the answers it gave, or the empty text when it refused them. */
async function byNode(bytes: Buffer): Promise<string> {
  const socket = connect((node.address() as AddressInfo).port, "127.0.0.1");
  socket.end(bytes);
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  socket.on("error", () => {});
  await once(socket, "close");
  return text;
}

test("whatever is taken for plain means the same to Node", async () => {
  const piece = fc.constantFrom(
    ..."GET |PUT |/|?a=b| HTTP/1.1|\r\n|\r|\n|\r\n\r\n|Host: x\r\n|host:y|Content-Length: 1|Content-Length: 0\r\n".split(
      "|",
    ),
    ..."A: b\r\n|: |,|\t| |x|é|\0|Connection: keep-alive\r\n|Connection: close\r\n|Expect: x\r\n".split(
      "|",
    ),
  );
  const plain = fc
    .tuple(
      fc.constantFrom("GET", "PUT"),
      fc.constantFrom("", "a", "abc"),
      fc.array(piece, { maxLength: 3 }),
    )
    .map(([method, body, noise]) => {
      const length = body === "" ? "" : `Content-Length: ${body.length}\r\n`;
      return `${method} /v1/${noise.join("")} HTTP/1.1\r\nHost: x\r\nB: ${noise.join("")}\r\n${length}\r\n${body}`;
    });
  const seen = { plain: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        plain,
        fc.array(piece).map((p) => p.join("")),
      ),
      async (text) => {
        const bytes = Buffer.from(text, "latin1");
        const request = new PlainRequests().read(bytes);
        if (typeof request === "string") return;
        seen.plain++;
        const { method, url, headers } = request;
        const body = Buffer.from(request.body).toString("latin1");
        const answer = await byNode(bytes.subarray(0, request.sizeBytes));
        const json = answer.slice(answer.indexOf("\r\n\r\n") + 4);
        expect(JSON.parse(json)).toEqual({ method, url, headers, body });
        expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
      },
    ),
    { numRuns: 1500 },
  );
  expect(seen.plain).toBeGreaterThan(50);
});
