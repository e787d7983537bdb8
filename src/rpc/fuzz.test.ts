/**
 * Damaged and hostile bytes on a server's port. Goal: whatever arrives, it is answered, refused or hung up on; nothing
 * is thrown that is not meant, a peer has no more held than it may, and with its connection all of it goes, timers too.
 * Method: recorded calls are damaged within good yamux frames, as whole connections, and without frames. `FUZZ_RUNS`
 * for more, `SEED` for others.
 */
import { EventEmitter } from "node:events";
import { readFileSync } from "node:fs";
import process from "node:process";
import type { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { RollcallError } from "../errors/index.ts";
import { noLogger, type Logger } from "../platform/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import {
  encodeYamuxHeader,
  MsgpackReader,
  MsgpackWriter,
  rpcRequestReader,
  rpcResponseReader,
  YAMUX_FLAG,
  YAMUX_HEADER_BYTES,
  YAMUX_TYPE,
  YamuxDecoder,
} from "../wire/index.ts";
import { Draw, tally } from "../wire/testkit.ts";
import type { Asked } from "./exchange.ts";
import { EXCHANGES, servedAs } from "./exchanges.ts";
import type { CallServer, RemoteMethodName } from "./remote-methods.ts";
import { RpcServer, type RpcConnection } from "./rpc-server.ts";
import { recordedCalls } from "./testkit.ts";

const SEED = Number(process.env["SEED"] ?? 1);
const RUNS_EACH = Math.ceil(Number(process.env["FUZZ_RUNS"] ?? 6000) / 6);
const fuzz = (what: string, act: () => Promise<void> | void): void =>
  test(what, { timeout: 60_000 + RUNS_EACH * 20 }, act);
/** What a stream may have held: a window that is not looked at, twice since its buffer grows ahead. */
const HELD_PER_STREAM_MAX = 600_000;

const testdata = (file: string) => readFileSync(new URL(`testdata/${file}`, import.meta.url));
const CALLS = recordedCalls(testdata);
const REQUESTS = CALLS.map(({ name }) => testdata(`${name}.req.bin`));
const RESPONSES = CALLS.map(({ name }) => testdata(`${name}.resp.bin`));
const CONNECTION = testdata("yamux-conn-c2s.bin").subarray(1);

/** By the name of the method: what it replied. */
const REPLIES = new Map(
  CALLS.filter(({ response }) => response.header.Error === "").map(({ request, response }) => [
    request.header.ServiceMethod,
    response.body,
  ]),
);
function replyOf(method: string, args: unknown): unknown {
  const body = REPLIES.get(method);
  const exchange = (EXCHANGES as Partial<Record<string, unknown>>)[method];
  if (body === undefined || exchange === undefined) throw new RollcallError("request/refused");
  return (exchange as Asked<unknown, unknown>).readReply(new MsgpackReader(body), args);
}
const SERVER = {
  call: async (method: string, args: unknown) => replyOf(method, args),
  hooks: {
    raftStats: () => replyOf("Status.RaftStats", {}),
    fireEvent: async () => {},
    keyring: async () => [],
    datacenterMaps: () => [],
  },
} as unknown as CallServer;

/** A connection that takes all that is written, and gives what it is told to. */
class Connection extends EventEmitter {
  destroyed = false;
  errored = null;
  writtenBytes = 0;
  readonly written: Uint8Array[] = [];
  #isPaused = false;
  cork(): void {}
  uncork(): void {}
  write(bytes: Uint8Array): boolean {
    this.written.push(bytes);
    return true;
  }
  end(): void {
    this.destroy();
  }
  pause(): void {
    this.#isPaused = true;
  }
  resume(): void {
    this.#isPaused = false;
  }
  isPaused(): boolean {
    return this.#isPaused;
  }
  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit("close");
  }
}

/** Promises and what they set in motion. */
const turns = async (): Promise<void> => {
  for (let left = 12; left > 0; left -= 1) await Promise.resolve();
};

function scene(kind: RpcConnection) {
  const { clock } = simPlatform({ seed: SEED });
  const bugs: unknown[] = [];
  const bug = (_: string, fields: unknown): void => void bugs.push(fields);
  const logger = { ...noLogger, error: bug } as unknown as Logger;
  const server = new RpcServer({ clock, logger, called: SERVER });
  const totals = { answered: 0, hungUp: 0 };
  return {
    totals,
    bugs,
    /** One connection from its beginning to its end. */
    async serve(pieces: Iterable<Uint8Array>, streams: number): Promise<void> {
      const connection = new Connection();
      server.serve(connection as unknown as Duplex, kind);
      for (const piece of pieces) {
        if (connection.destroyed) break;
        connection.emit("data", piece);
        clock.advance(0);
      }
      await turns();
      clock.advance(0);
      await turns();
      const { heldBytes } = server;
      if (heldBytes > streams * HELD_PER_STREAM_MAX) throw new Error(`${heldBytes} bytes are held`);
      if (connection.destroyed) totals.hungUp += 1;
      else if (connection.written.length > 0) totals.answered += 1;
      if (kind === "multiplexed") checkFrames(connection.written);
      else checkReplies(connection.written);
      connection.destroy();
      await turns();
      // Compared by hand: `expect` takes as long as the rest.
      if (server.heldBytes === 0 && clock.timerCount === 0 && bugs.length === 0) return;
      expect([server.heldBytes, clock.timerCount, bugs]).toEqual([0, 0, []]);
    },
  };
}

function checkFrames(written: readonly Uint8Array[]): void {
  const decoder = new YamuxDecoder();
  const sink = { header: () => {}, payload: () => {} };
  for (const bytes of written) decoder.read(bytes, sink);
}

function checkReplies(written: readonly Uint8Array[]): void {
  const reader = rpcResponseReader();
  for (const bytes of written) {
    reader.add(bytes);
    while (reader.take() !== undefined);
  }
  if (reader.lengthBytes > 0) throw new Error("half a reply");
}

function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(YAMUX_HEADER_BYTES + payload.length);
  const length = type === YAMUX_TYPE.data ? payload.length : 0;
  encodeYamuxHeader({ type, flags, streamId, length }, bytes, 0);
  bytes.set(payload, YAMUX_HEADER_BYTES);
  return bytes;
}

/** A few streams with a few calls each, in frames that hold parts of them. */
function framed(draw: Draw, damage: (bytes: Uint8Array) => Uint8Array): Buffer {
  const frames: Buffer[] = [];
  for (let stream = 0, count = 1 + draw.below(3); stream < count; stream += 1) {
    const calls = Array.from({ length: 1 + draw.below(2) }, () => draw.from(REQUESTS));
    let flags: number = YAMUX_FLAG.syn;
    for (const piece of draw.pieces(damage(Buffer.concat(calls)))) {
      frames.push(frame(YAMUX_TYPE.data, flags, 2 * stream + 1, piece));
      flags = 0;
    }
    const end = draw.from([0, YAMUX_FLAG.fin, YAMUX_FLAG.rst]);
    if (end !== 0) frames.push(frame(YAMUX_TYPE.windowUpdate, end, 2 * stream + 1, NO_BYTES));
  }
  return Buffer.concat(frames);
}
const NO_BYTES = new Uint8Array(0);

fuzz("damaged calls in good frames", async () => {
  const draw = new Draw("calls", SEED);
  const { serve, totals } = scene("multiplexed");
  for (let run = 0; run < RUNS_EACH; run += 1) {
    const sent = framed(draw, (bytes) => (draw.chance() ? draw.damaged(bytes) : bytes));
    await serve(draw.pieces(sent), 4);
  }
  expect(totals.answered).toBeGreaterThan(0);
});

fuzz("damaged frames", async () => {
  const draw = new Draw("frames", SEED);
  const { serve, totals } = scene("multiplexed");
  for (let run = 0; run < RUNS_EACH; run += 1) {
    const sent = draw.damaged(framed(draw, (bytes) => bytes));
    await serve(draw.pieces(sent), 40);
  }
  expect(totals.answered).toBeGreaterThan(0);
  expect(totals.hungUp).toBeGreaterThan(0);
});

fuzz("a recorded connection, damaged", async () => {
  const draw = new Draw("connections", SEED);
  const { serve, totals } = scene("multiplexed");
  // They are long.
  for (let run = 0; run < RUNS_EACH / 10; run += 1) {
    await serve(draw.pieces(draw.damaged(CONNECTION)), 60);
  }
  expect(totals.answered).toBeGreaterThan(0);
});

fuzz("damaged calls without frames", async () => {
  const draw = new Draw("plain", SEED);
  const { serve, totals } = scene("plain");
  for (let run = 0; run < RUNS_EACH; run += 1) {
    const calls = Array.from({ length: 1 + draw.below(3) }, () => draw.from(REQUESTS));
    await serve(draw.pieces(draw.damaged(Buffer.concat(calls))), 1);
  }
  expect(totals.answered).toBeGreaterThan(0);
  expect(totals.hungUp).toBeGreaterThan(0);
});

fuzz("bytes that are no calls at all", async () => {
  const draw = new Draw("noise", SEED);
  const scenes = [scene("plain"), scene("multiplexed")];
  for (let run = 0; run < RUNS_EACH; run += 1) {
    await draw.from(scenes).serve(draw.pieces(draw.noise()), 10);
  }
  expect(scenes.map(({ totals }) => totals.hungUp > 0)).toEqual([true, true]);
});

fuzz("damaged replies", () => {
  const draw = new Draw("replies", SEED);
  const seen = tally(RUNS_EACH, () => {
    const reader = rpcResponseReader();
    const reply = draw.chance() ? draw.damaged(draw.from(RESPONSES)) : draw.from(RESPONSES);
    for (const piece of draw.pieces(reply)) {
      reader.add(piece);
      for (let reply = reader.take(); reply !== undefined; reply = reader.take()) {
        // A caller reads what it has asked for, whatever has come.
        const asked = EXCHANGES[draw.from(ASKED)] as Asked<unknown, unknown>;
        if (reply.header.Error === "") asked.readReply(reply.body, ARGS);
      }
    }
  });
  expect(seen.refused).toBeGreaterThan(0);
  expect(seen.read).toBeGreaterThan(0);
});
const ASKED = Object.keys(EXCHANGES) as RemoteMethodName[];
const ARGS = { Status: "passing", Op: "set", CAS: true };

fuzz("a damaged request that is read at all is written again as it is understood", () => {
  const draw = new Draw("requests", SEED);
  const seen = tally(RUNS_EACH, () => {
    const reader = rpcRequestReader();
    reader.add(draw.damaged(draw.from(REQUESTS)));
    const request = reader.take();
    if (request === undefined || !isServed(request.header.ServiceMethod)) return;
    const { args } = servedAs(request.header.ServiceMethod).codecs;
    const wire = args.read(request.body);
    const writer = new MsgpackWriter();
    args.write(writer, wire);
    const bytes = writer.finish();
    const again = args.encode(args.decode(bytes));
    if (Buffer.compare(again, bytes) !== 0) expect(again).toEqual(bytes);
  });
  expect(seen.read).toBeGreaterThan(0);
});

function isServed(method: string): boolean {
  try {
    return servedAs(method) !== undefined;
  } catch {
    return false;
  }
}
