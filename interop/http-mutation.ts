/** Requests that nobody should send: the recorded ones with something broken. */
import { FIXTURE_CASES } from "./fixture-replay.ts";

export interface Request {
  readonly method: string;
  readonly target: string;
  readonly body: string;
}

/** Uniform in [0, 1). */
export type Chance = () => number;

/** A small generator (mulberry32), so that a seed gives the same requests everywhere. */
export function chanceFrom(seed: number): Chance {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** These answer for as long as the client listens, or reach out to where they are told. */
const NOT_SENT = /monitor|metrics\/stream|\/join|\/leave|force-leave/;

const SEEDS: readonly Request[] = FIXTURE_CASES.flatMap(({ setup = [], request }) =>
  [...setup, request].map(({ method, path, body }) => ({
    method,
    target: path.replace(/\{\{\w+\}\}/g, "1"),
    body:
      body === undefined || (typeof body === "string" && body.startsWith("@repeat"))
        ? ""
        : typeof body === "string"
          ? body
          : JSON.stringify(body),
  })),
).filter(({ target }) => !NOT_SENT.test(target));
const WITH_BODY = SEEDS.filter(({ body }) => body !== "");

function pick<T>(chance: Chance, from: readonly T[]): T {
  const one = from[Math.floor(chance() * from.length)];
  if (one === undefined) throw new Error("nothing to pick from");
  return one;
}

const JSON_PIECES = [
  ...'{}[]:,"\\0\t\n'.split(""),
  "null",
  "true",
  "-1",
  "0.5",
  "1e999",
  "-0",
  "99999999999999999999",
  '"\\ud800"',
  '"\\u0000"',
  '"__proto__":',
  '"constructor":{',
  '"Node":',
  '"ID":',
  '"Checks":[{',
  '"Check":{"TTL":"1s"}',
  '"10s"',
  "é",
  "\xff\xfe",
  "[".repeat(2000),
  '{"a":'.repeat(500),
];
const TARGET_PIECES = [
  ..."/?&;=%#+.*~".split(""),
  "//",
  "/../",
  "%2F",
  "%00",
  "%zz",
  "%C3%28",
  "%ff",
  "é",
  "/v1/",
  "index=1",
  "index=18446744073709551616",
  "wait=1s",
  "wait=-1h",
  "stale",
  "consistent",
  "cached",
  "recurse",
  "keys&separator=/",
  "raw",
  "filter=Node%20==%20%22a%22",
  "filter=not",
  "filter=a%20matches%20%22(a*)*b%22",
  "near=_agent",
  "node-meta=a:b",
  "tag=a",
  "pretty",
  "explain=dns",
  "dc=dc2",
  "ns=x",
  "flags=1",
  "cas=0",
  "acquire=1",
  "token=%22",
  "format=text",
];
const HEAD_PIECES = [
  "\r\n",
  "\n",
  "\r",
  " ",
  ":",
  "\0",
  "\x80",
  "Content-Length: 5\r\n",
  "Content-Length: -1\r\n",
  "Content-Length: 99999999999999999999\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: gzip, chunked\r\n",
  "Expect: 100-continue\r\n",
  "Connection: upgrade\r\nUpgrade: websocket\r\n",
  "Connection: close\r\n",
  "Accept-Encoding: gzip\r\n",
  "Cache-Control: max-age=x\r\n",
  "Host: y\r\n",
  "HTTP/1.0",
  "HTTP/2.0",
  "ffffffffff\r\n",
  "5\r\nhello\r\n0\r\n\r\n",
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  `X: ${"a".repeat(9000)}\r\n`,
];

/** One to four times: a piece put in, a slice taken out, doubled or replaced, a byte turned over, the end cut off. */
function broken(chance: Chance, text: string, pieces: readonly string[]): string {
  let mutated = text;
  for (let times = 1 + Math.floor(chance() * 4); times > 0; times--) {
    const at = Math.floor(chance() * (mutated.length + 1));
    const end = Math.min(mutated.length, at + Math.floor(chance() * 12));
    const [before, slice, after] = [
      mutated.slice(0, at),
      mutated.slice(at, end),
      mutated.slice(end),
    ];
    mutated = pick(chance, [
      () => before + pick(chance, pieces) + slice + after,
      () => before + after,
      () => before + slice + slice + after,
      () => before + pick(chance, pieces) + after,
      () => before + String.fromCharCode(Math.floor(chance() * 256)) + after,
      () => before,
    ])();
  }
  return mutated;
}

/** A value somewhere in the JSON replaced by one of another kind, so that what follows the parser is reached. */
function retyped(chance: Chance, body: string): string {
  const values = [...body.matchAll(/(?<=[:[,])("(?:[^"\\]|\\.)*"|[\w.-]+)(?=[,}\]])/g)];
  if (values.length === 0) return body;
  const { 0: value, index } = pick(chance, values);
  const other = pick(chance, [
    "null",
    "0",
    "-1",
    "1.5",
    "true",
    '""',
    '"x"',
    "[]",
    "{}",
    "[null]",
    '[""]',
    '{"":""}',
    "1e30",
    '"1h"',
    `"${"y".repeat(600)}"`,
  ]);
  return body.slice(0, index) + other + body.slice(index + value.length);
}

export function brokenBody(chance: Chance): Request {
  const seed = pick(chance, WITH_BODY);
  const body = chance() < 0.5 ? retyped(chance, seed.body) : broken(chance, seed.body, JSON_PIECES);
  return { ...seed, body };
}

/** Never with what would end the request line or the head. */
export function brokenTarget(chance: Chance): Request {
  for (;;) {
    const seed = pick(chance, SEEDS);
    const target = broken(chance, seed.target, TARGET_PIECES).replace(/[\0-\x20\x7f]/g, "");
    const method =
      chance() < 0.1
        ? pick(chance, ["GET", "PUT", "DELETE", "POST", "HEAD", "OPTIONS"])
        : seed.method;
    if (target !== "" && !NOT_SENT.test(target)) return { method, target, body: seed.body };
  }
}

/** Latin-1 text of the bytes of a request, whose body is told by its length. */
export function requestBytes({ method, target, body }: Request): string {
  const length = body === "" && method === "GET" ? "" : `Content-Length: ${body.length}\r\n`;
  return `${method} ${target} HTTP/1.1\r\nHost: x\r\n${length}\r\n${body}`;
}

/** Anything at all. */
export function brokenBytes(chance: Chance): string {
  const seed = pick(chance, SEEDS);
  const whole = requestBytes(seed);
  const text = chance() < 0.2 ? whole + requestBytes(pick(chance, SEEDS)) : whole;
  const mutated = broken(chance, text, HEAD_PIECES);
  return NOT_SENT.test(mutated) ? whole : mutated;
}
