/** Both lanes answer alike, and the fast one keeps its connections in order. */
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { nodePlatform } from "../platform/node/index.ts";
import { PlainRequests } from "./plain-request.ts";
import { anEntry, META, requestText, startTestServer, type TestServer } from "./testkit.ts";

const large = anEntry("large", "é".repeat(30_000));
const waiting: Array<{ readonly signal: AbortSignal; answer(): void }> = [];
let server: TestServer;
let onWaiting: () => void = () => {};
let onRead: () => void = () => {};
const platform = nodePlatform();
/** Answers of 60 KB that are not read: the kernel's buffers are far smaller. */
const MORE_THAN_BUFFERS_HOLD = 2000;

beforeAll(async () => {
  server = await startTestServer({
    platform,
    handlers: {
      "KVS.Get": ({ Key, MinQueryIndex }, signal) => {
        onRead();
        if (Key === "none") return { value: { Entries: [] }, meta: META };
        const found = {
          value: { Entries: [Key === "large" ? large : anEntry(Key, "v")] },
          meta: META,
        };
        if (MinQueryIndex === 0 || signal === undefined) return found;
        return new Promise((resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason as Error));
          waiting.push({ signal, answer: () => resolve(found) });
          onWaiting();
        });
      },
      "KVS.Apply": () => true,
    },
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

/** Without `Connection: close`, which is not plain. */
const plainText = (path: string, method = "GET", body?: string): string =>
  requestText({ path, method, ...(body === undefined ? {} : { body }) }).replace(
    "Connection: close\r\n",
    "",
  );

/** How far the first answer in `text` reaches; 0 while it is not whole. */
function answerEnd(text: string): number {
  const head = text.indexOf("\r\n\r\n");
  const length = /Content-Length: (\d+)/.exec(text.slice(0, Math.max(head, 0)))?.[1];
  const end = head + 4 + Number(length);
  return length === undefined || text.length < end ? 0 : end;
}

async function readAnswers(stream: Duplex, count: number): Promise<string[]> {
  let text = "";
  const answers: string[] = [];
  while (answers.length < count) {
    const [chunk] = (await once(stream, "data")) as [Buffer];
    text += chunk.toString("latin1");
    for (let end = answerEnd(text); end > 0; end = answerEnd(text)) {
      answers.push(text.slice(0, end).replace(/Date: [^\r]+ GMT\r\n/, "Date: now\r\n"));
      text = text.slice(end);
    }
  }
  expect(text).toBe("");
  return answers;
}

test.each([
  ["a value", "/v1/kv/a", "GET", undefined],
  ["bytes", "/v1/kv/a?raw", "GET", undefined],
  ["a large answer", "/v1/kv/large", "GET", undefined],
  ["large bytes", "/v1/kv/large?raw", "GET", undefined],
  ["nothing", "/v1/kv/none", "GET", undefined],
  ["a refusal", "/v1/kv/a?cas=x", "PUT", "v"],
  ["an unknown path", "/v1/nope", "GET", undefined],
  ["a redirect", "/v1//kv/a", "GET", undefined],
  ["a wrong method", "/v1/kv/a", "POST", "v"],
  ["a write", "/v1/kv/a", "PUT", "v"],
  ["a body too large", "/v1/kv/a", "PUT", "x".repeat(60_000)],
])("the same in both lanes: %s", async (_, path, method, body) => {
  const text = plainText(path, method, body);
  expect(new PlainRequests().read(Buffer.from(text))).toBeDefined();
  const stream = await server.connect();
  stream.write(text);
  const [fast] = await readAnswers(stream, 1);
  // Two at once are not plain, and the connection moves to Node's lane.
  stream.write(text + text);
  expect(await readAnswers(stream, 2)).toEqual([fast, fast]);
  stream.destroy();
});

test("requests sent before the first is answered are answered in order", async () => {
  const stream = await server.connect();
  const begun = new Promise<void>((resolve) => (onWaiting = resolve));
  stream.write(plainText("/v1/kv/first?index=9"));
  await begun;
  stream.write(plainText("/v1/kv/second"));
  stream.write(plainText("/v1/kv/none"));
  const answers = readAnswers(stream, 3);
  waiting.pop()?.answer();
  const statuses = (await answers).map((answer) => answer.slice(0, 12));
  expect(statuses).toEqual(["HTTP/1.1 200", "HTTP/1.1 200", "HTTP/1.1 404"]);
  stream.destroy();
});

test("who hangs up ends the wait", async () => {
  const stream = await server.connect();
  const begun = new Promise<void>((resolve) => (onWaiting = resolve));
  stream.write(plainText("/v1/kv/first?index=9"));
  await begun;
  const signal = waiting.pop()?.signal;
  const aborted = signal === undefined ? undefined : once(signal, "abort");
  stream.destroy();
  await aborted;
  expect(signal?.aborted).toBe(true);
});

test("who never reads is not read from for ever", async () => {
  const stream = await server.connect();
  stream.pause();
  const text = plainText("/v1/kv/large?raw");
  const quiet = { isOver: false };
  for (let sent = 0; sent < MORE_THAN_BUFFERS_HOLD && !quiet.isOver; sent++) {
    const begun = new Promise<void>((resolve) => (onRead = resolve));
    stream.write(text);
    // The answers are there at once, until they are not asked for any more.
    await new Promise<void>((resolve) => {
      const timer = platform.clock.after(500, () => {
        quiet.isOver = true;
        resolve();
      });
      void begun.then(() => {
        timer[Symbol.dispose]();
        resolve();
      });
    });
  }
  expect(quiet.isOver).toBe(true);
  stream.destroy();
  expect((await server.send({ path: "/v1/kv/a" })).status).toBe(200);
});
