/** Both lanes answer alike, and the fast one keeps its connections in order. */
import { once } from "node:events";
import type { Duplex } from "node:stream";
import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { nodePlatform } from "../platform/node/index.ts";
import { PlainRequests } from "./plain-request.ts";
import { anEntry, META, requestText, startTestServer, type TestServer } from "./testkit.ts";

const large = anEntry("large", "é".repeat(30_000));
const waiting: Array<{ readonly signal: AbortSignal; answer(): void }> = [];
let server: TestServer;
let onWaiting: () => void = () => {};
/** The keys that were read, in the order in which their requests were served. */
let served: string[] = [];
const platform = nodePlatform();
/** Answers of 60 KB that are not read: the kernel's buffers are far smaller. */
const MORE_THAN_BUFFERS_HOLD = 1000;
const AT_ONCE = 40;

beforeAll(async () => {
  server = await startTestServer({
    platform,
    handlers: {
      "KVS.Get": ({ Key, MinQueryIndex }, signal) => {
        served.push(Key);
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

beforeEach(() => {
  served = [];
});

/** Without `Connection: close`, which is not plain. */
const plainText = (path: string, method = "GET", body?: string): string =>
  requestText({ path, method, ...(body === undefined ? {} : { body }) }).replace(
    "Connection: close\r\n",
    "",
  );

/** The same request, which only Node reads: one of its headers comes twice. */
const involved = (text: string): string =>
  text.replace("Host: test\r\n", "Host: test\r\nX-A: 1\r\nX-A: 2\r\n");

/** How far the first answer in `text` reaches; 0 while it is not whole. */
function answerEnd(text: string): number {
  const head = text.indexOf("\r\n\r\n");
  const length = /Content-Length: (\d+)/.exec(text.slice(0, Math.max(head, 0)))?.[1];
  const end = head + 4 + Number(length);
  return length === undefined || text.length < end ? 0 : end;
}

function readAnswers(stream: Duplex, count: number): Promise<string[]> {
  let text = "";
  const answers: string[] = [];
  return new Promise((resolve) => {
    const onData = (chunk: Buffer): void => {
      text += chunk.toString("latin1");
      for (let end = answerEnd(text); end > 0; end = answerEnd(text)) {
        answers.push(text.slice(0, end).replace(/Date: [^\r]+ GMT\r\n/, "Date: now\r\n"));
        text = text.slice(end);
      }
      if (answers.length < count) return;
      stream.off("data", onData);
      expect(text).toBe("");
      resolve(answers);
    };
    stream.on("data", onData);
    stream.resume();
  });
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
  expect(new PlainRequests().read(Buffer.from(text))).toMatchObject({ url: path });
  const stream = await server.connect();
  stream.write(text);
  const [fast] = await readAnswers(stream, 1);
  stream.write(involved(text) + involved(text));
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

test("wherever the network cuts requests sent at once, their answers are the same", async () => {
  const requests = [
    plainText("/v1/kv/a"),
    plainText("/v1/kv/b", "PUT", "value"),
    plainText("/v1/kv/none"),
    involved(plainText("/v1/kv/c")),
    plainText("/v1/kv/d"),
  ];
  const text = requests.join("");
  const whole = await server.connect();
  whole.write(text);
  const expected = await readAnswers(whole, requests.length);
  whole.destroy();
  const cuts = fc.array(fc.nat({ max: text.length }), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(cuts, async (places) => {
      const stream = await server.connect();
      const answers = readAnswers(stream, requests.length);
      let from = 0;
      for (const place of [...places.toSorted((a, b) => a - b), text.length]) {
        stream.write(text.slice(from, place));
        from = place;
        // The server has this piece before the next is sent.
        await server.send({ path: "/v1/kv/other" });
      }
      expect(await answers).toEqual(expected);
      stream.destroy();
    }),
    { numRuns: 60 },
  );
});

test.each([
  ["plain", plainText("/v1/kv/greedy")],
  ["left to Node", involved(plainText("/v1/kv/greedy"))],
])(
  "who sends much at once gets one answer a turn, others theirs in between: %s",
  async (_, text) => {
    const [greedy, modest] = [await server.connect(), await server.connect()];
    const answers = readAnswers(greedy, AT_ONCE);
    greedy.write(text.repeat(AT_ONCE));
    for (let i = 0; i < 3; i++) {
      modest.write(plainText("/v1/kv/modest"));
      await readAnswers(modest, 1);
    }
    await answers;
    expect(served.filter((key) => key === "greedy")).toHaveLength(AT_ONCE);
    expect(served.lastIndexOf("modest")).toBeLessThan(AT_ONCE);
    greedy.destroy();
    modest.destroy();
  },
);

test.each([
  ["plain", plainText("/v1/kv/a")],
  ["left to Node", involved(plainText("/v1/kv/a"))],
  ["left to Node, with a body", involved(plainText("/v1/kv/a", "PUT", "x\r\n\r\n".repeat(20)))],
  ["left to Node, with a large body", involved(plainText("/v1/kv/a", "PUT", "x".repeat(90_000)))],
])("requests sent at once may be as many as one likes: %s", async (_, text) => {
  const stream = await server.connect();
  stream.write(text.repeat(300));
  expect(await readAnswers(stream, 300)).toHaveLength(300);
  stream.destroy();
});

test.each([
  ["of what was sent before", plainText("/v1/kv/a")],
  ["in Node's lane too", requestText({ path: "/v1/kv/a" })],
])("who ends its side still gets the answers: %s", async (_, last) => {
  const stream = await server.connect();
  const answers = readAnswers(stream, 3);
  stream.end(plainText("/v1/kv/a").repeat(2) + last);
  expect(await answers).toHaveLength(3);
  await once(stream, "close");
});

test("who ends its side within a request is told so", async () => {
  const stream = await server.connect();
  stream.end(plainText("/v1/kv/a").slice(0, -2));
  const [answer] = (await once(stream, "data")) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
});

test("who ends its side while waiting for a change ends the wait", async () => {
  const stream = await server.connect();
  const begun = new Promise<void>((resolve) => (onWaiting = resolve));
  stream.write(plainText("/v1/kv/first?index=9"));
  await begun;
  const signal = waiting.pop()?.signal;
  const aborted = signal === undefined ? undefined : once(signal, "abort");
  stream.end();
  await aborted;
  expect(signal?.aborted).toBe(true);
});

test.each([
  ["plain", plainText("/v1/kv/large?raw")],
  ["left to Node", involved(plainText("/v1/kv/large?raw"))],
])("who does not read gets no answers ahead, and all of them when it does: %s", async (_, text) => {
  const stream = await server.connect();
  stream.pause();
  stream.write(text.repeat(MORE_THAN_BUFFERS_HOLD));
  // In each of these rounds there would have been a turn for the next answer.
  const roundsOfOthers = async (): Promise<number> => {
    for (let i = 0; i < 20; i++) await server.send({ path: "/v1/kv/a" });
    return served.filter((key) => key === "large").length;
  };
  let before = -1;
  let count = await roundsOfOthers();
  while (count > before) {
    before = count;
    count = await roundsOfOthers();
  }
  expect(count).toBeLessThan(MORE_THAN_BUFFERS_HOLD / 2);
  expect(await readAnswers(stream, MORE_THAN_BUFFERS_HOLD)).toHaveLength(MORE_THAN_BUFFERS_HOLD);
  stream.destroy();
});
