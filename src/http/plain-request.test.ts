import { createServer } from "node:http";
import { once } from "node:events";
import { connect, type AddressInfo } from "node:net";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PLAIN_MAX_BYTES, PlainRequests } from "./plain-request.ts";

const read = (text: string) => new PlainRequests().read(Buffer.from(text, "latin1"));

test("a plain request", () => {
  const request = read(
    "PUT /v1/kv/a?cas=1 HTTP/1.1\r\nHost: x:8500\r\nX-Empty:\r\nContent-Length: 3 \r\n\r\nabc",
  );
  expect(request).toMatchObject({ method: "PUT", url: "/v1/kv/a?cas=1" });
  expect(request?.headers).toEqual({ host: "x:8500", "x-empty": "", "content-length": "3" });
  expect(Buffer.from(request?.body ?? []).toString()).toBe("abc");
});

const HOST = "Host: x\r\n";
test.each([
  ["not whole", `GET / HTTP/1.1\r\n${HOST}`],
  ["two in one", `GET / HTTP/1.1\r\n${HOST}\r\nGET / HTTP/1.1\r\n${HOST}\r\n`],
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
  ["a body too short", `PUT / HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\na`],
  ["a body too long", `PUT / HTTP/1.1\r\n${HOST}Content-Length: 1\r\n\r\nab`],
  ["a body without length", `PUT / HTTP/1.1\r\n${HOST}\r\nab`],
  ["a long head", `GET / HTTP/1.1\r\n${HOST}A: ${"x".repeat(9000)}\r\n\r\n`],
  [
    "a long body",
    `PUT / HTTP/1.1\r\n${HOST}Content-Length: ${PLAIN_MAX_BYTES}\r\n\r\n${"x".repeat(PLAIN_MAX_BYTES)}`,
  ],
])("is left to Node: %s", (_, text) => {
  expect(read(text)).toBeUndefined();
});

test("what it keeps of headers is bounded, and is never another client's", () => {
  const requests = new PlainRequests();
  for (let i = 0; i < 2000; i++) {
    const text = `GET /${i} HTTP/1.1\r\nHost: x\r\nX-Consul-Token: ${i}\r\n\r\n`;
    expect(requests.read(Buffer.from(text))?.headers).toEqual({
      host: "x",
      "x-consul-token": `${i}`,
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
        if (request === undefined) return;
        seen.plain++;
        const { method, url, headers } = request;
        const body = Buffer.from(request.body).toString("latin1");
        const answer = await byNode(bytes);
        const json = answer.slice(answer.indexOf("\r\n\r\n") + 4);
        expect(JSON.parse(json)).toEqual({ method, url, headers, body });
        expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
      },
    ),
    { numRuns: 1500 },
  );
  expect(seen.plain).toBeGreaterThan(50);
});
