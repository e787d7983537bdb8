/**
 * A hundred thousand broken requests against a whole agent. None may crash it, hang, or be answered with a fault of
 * ours: what is refused is refused with an answer that is whole, or with a closed connection.
 *
 * `FUZZ_RUNS` says how many, `SEED` which.
 */
import { connect, type Socket } from "node:net";
import { once } from "node:events";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Agent } from "../src/agent/index.ts";
import { RollcallError } from "../src/errors/index.ts";
import { noLogger, type Logger, type Platform } from "../src/platform/index.ts";
import { nodePlatform } from "../src/platform/node/index.ts";
import {
  brokenBody,
  brokenBytes,
  brokenTarget,
  chanceFrom,
  requestBytes,
  type Chance,
} from "./http-mutation.ts";
import { agentWith, http } from "./testkit.ts";

const HOST = "127.0.0.74";
const PORT = 8500;
const RUNS = Number(process.env["FUZZ_RUNS"] ?? 100_000);
const SEED = Number(process.env["SEED"] ?? 20_261_125);
/** As long as a hundred thousand may take, for as many as there are. */
const LIMIT_MS = 60_000 * Math.max(1, RUNS / 100_000);
/** Of all runs. Raw bytes need a connection each. */
const SHARE = { bodies: 0.5, targets: 0.4, raw: 0.1 };
const LANES = 8;
/** Blocking queries are held for 20 ms; nothing else takes as long as this. */
const ANSWER_MAX_MS = 10_000;

/** Stacks that the agent logged: exceptions that are no refusals. */
const faults: unknown[] = [];
const logger: Logger = {
  ...noLogger,
  error: (message, fields) => {
    if (fields?.["stack"] !== undefined) faults.push({ message, ...fields });
  },
  named: () => logger,
};

/** Checks are registered with broken addresses: none is dialled, and nothing is run. */
function secludedPlatform(): Platform {
  const real = nodePlatform();
  return {
    ...real,
    network: {
      bindDatagram: (local, receive) => real.network.bindDatagram(local, receive),
      listen: (local, accept) => real.network.listen(local, accept),
      resolve: async (host) => host,
      interfaces: () => real.network.interfaces(),
      connect: () => Promise.reject(new RollcallError("net/dial", "dial tcp: not in this test")),
      exchangeDatagram: () =>
        Promise.reject(new RollcallError("net/dial", "dial udp: not in this test")),
    },
    processes: { run: async () => ({ kind: "unstartable", message: "not in this test" }) },
  };
}

let agent: Agent;
beforeAll(async () => {
  agent = await agentWith(
    [
      "-dev",
      `-bind=${HOST}`,
      `-client=${HOST}`,
      "-node=fuzzed",
      '-hcl=default_query_time = "20ms"',
      '-hcl=max_query_time = "20ms"',
    ],
    { platform: secludedPlatform(), logger },
  );
});
beforeEach(() => {
  faults.length = 0;
});
afterAll(async () => {
  await agent[Symbol.asyncDispose]();
});

/** One connection at a time, opened again when the server has closed it. */
class Lane implements Disposable {
  #socket: Socket | undefined;
  #received = "";
  #onChange: () => void = () => {};

  /** @returns the answer; "" for a connection that was closed instead */
  async ask(bytes: string, isHead: boolean): Promise<string> {
    const socket = await this.#open();
    this.#received = "";
    socket.write(bytes, "latin1");
    for (;;) {
      const length = answerLength(this.#received, isHead);
      if (length !== undefined) {
        if (/\r\nConnection: close\r\n/.test(this.#received)) socket.destroy();
        return this.#received.slice(0, length);
      }
      if (socket.closed || socket.destroyed) return this.#received;
      await this.#change(bytes);
    }
  }

  async #open(): Promise<Socket> {
    const known = this.#socket;
    if (known !== undefined && !known.destroyed && known.writable && !known.readableEnded)
      return known;
    const socket = connect(PORT, HOST);
    await once(socket, "connect");
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#received += text;
      this.#onChange();
    });
    socket.on("error", () => {});
    socket.on("close", () => this.#onChange());
    this.#socket = socket;
    return socket;
  }

  #change(bytes: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error(`no answer to ${JSON.stringify(bytes)}`)),
        ANSWER_MAX_MS,
      );
      this.#onChange = () => {
        clearTimeout(late);
        resolve();
      };
    });
  }

  [Symbol.dispose](): void {
    this.#socket?.destroy();
  }
}

const HEAD = /^HTTP\/1\.1 [1-5]\d\d [^\r\n]+\r\n(?:[A-Z][A-Za-z0-9-]*: [^\r\n]*\r\n)*\r\n/;

/** @returns undefined while it is not whole */
function answerLength(text: string, isHead: boolean): number | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const head = text.slice(0, end + 4);
  if (!HEAD.test(head)) throw new Error(`a malformed head: ${JSON.stringify(head)}`);
  const length = /\r\nContent-Length: (\d+)\r\n/.exec(head)?.[1];
  if (isHead) return head.length;
  if (/\r\nTransfer-Encoding: chunked\r\n/.test(head)) return chunkedEnd(text, head.length);
  if (length === undefined) return undefined;
  const whole = head.length + Number(length);
  return text.length < whole ? undefined : whole;
}

/** Where the last chunk ends, for answers of a length that is not known before. */
function chunkedEnd(text: string, begin: number): number | undefined {
  for (let at = begin; ;) {
    const size = /^([0-9a-f]+)\r\n/.exec(text.slice(at, at + 12));
    if (size === null) return undefined;
    const length = Number.parseInt(size[1] as string, 16);
    at += size[0].length + length + 2;
    if (text.length < at) return undefined;
    if (length === 0) return at;
  }
}

/** As many lanes at once as there are, each with a stream of chance of its own. */
async function runLanes(
  runs: number,
  seed: number,
  run: (lane: Lane, chance: Chance) => Promise<void>,
): Promise<void> {
  const lanes = Array.from({ length: LANES }, async (_, i) => {
    using lane = new Lane();
    const chance = chanceFrom(seed * LANES + i);
    for (let done = i; done < runs; done += LANES) await run(lane, chance);
  });
  await Promise.all(lanes);
}

async function expectWell(): Promise<void> {
  expect(faults).toEqual([]);
  const { status, body } = await http(HOST, "/v1/status/leader");
  expect([status, body]).toEqual([200, `"${HOST}:8300"\n`]);
}

test.each([
  ["bodies", brokenBody],
  ["targets", brokenTarget],
] as const)(
  `broken %s are each answered, seed ${SEED}`,
  async (kind, make) => {
    const statuses = new Map<string, number>();
    await runLanes(RUNS * SHARE[kind], SEED, async (lane, chance) => {
      const request = make(chance);
      const answer = await lane.ask(requestBytes(request), request.method === "HEAD");
      const status = /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? "closed";
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    });
    await expectWell();
    // Some were accepted, some were refused: the requests get past the parser.
    expect(statuses.get("200")).toBeGreaterThan(0);
    expect(statuses.get("400")).toBeGreaterThan(0);
    expect(statuses.get("closed") ?? 0).toBe(0);
  },
  LIMIT_MS,
);

test(
  `broken bytes are answered, or the connection closes, seed ${SEED}`,
  async () => {
    let answered = 0;
    await runLanes(RUNS * SHARE.raw, SEED, async (_, chance) => {
      const bytes = brokenBytes(chance);
      const socket = connect(PORT, HOST);
      let received = "";
      socket.setEncoding("latin1");
      socket.on("data", (text: string) => (received += text));
      socket.on("error", () => {});
      const late = setTimeout(() => {
        socket.destroy(new Error("late"));
        faults.push({ message: "still open", bytes });
      }, ANSWER_MAX_MS);
      socket.end(bytes, "latin1");
      await new Promise((resolve) => socket.once("close", resolve));
      clearTimeout(late);
      if (received === "") return;
      answered++;
      if (!received.startsWith("HTTP/1.1 ")) faults.push({ message: "no HTTP", bytes, received });
    });
    await expectWell();
    expect(answered).toBeGreaterThan(0);
  },
  LIMIT_MS,
);
