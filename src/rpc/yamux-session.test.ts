// yamux's rules (hashicorp/yamux, spec.md), and what a session promises beyond them: two sessions over a connection that
// chops what it carries, in virtual time.
import { expect, test } from "vitest";
import { SimRandom, simPlatform, type SimClock } from "../platform/sim/index.ts";
import {
  encodeYamuxHeader,
  YAMUX_FLAG,
  YAMUX_GO_AWAY,
  YAMUX_HEADER_BYTES,
  YAMUX_TYPE,
  YAMUX_WINDOW_BYTES,
  YamuxDecoder,
  type YamuxHeader,
} from "../wire/index.ts";
import type { ByteStream, StreamEvents } from "./byte-stream.ts";
import { choppedPair, type ChoppedEnd } from "./testkit.ts";
import { YamuxSession } from "./yamux-session.ts";

/** Keeps what comes, and releases it as told. */
class Listener implements StreamEvents {
  readonly pieces: Uint8Array[] = [];
  heldBytes = 0;
  drains = 0;
  hasEnded = false;
  /** undefined: not closed. */
  end: { readonly error: string | undefined } | undefined;
  stream: ByteStream | undefined;
  readonly #releases: "at once" | "never";
  readonly #onData: ((bytes: Uint8Array) => void) | undefined;

  constructor(releases: "at once" | "never" = "at once", onData?: (bytes: Uint8Array) => void) {
    this.#releases = releases;
    this.#onData = onData;
  }
  data(bytes: Uint8Array): void {
    this.pieces.push(Uint8Array.from(bytes));
    if (this.#releases === "at once") this.stream?.release(bytes.length);
    else this.heldBytes += bytes.length;
    this.#onData?.(bytes);
  }
  ended(): void {
    this.hasEnded = true;
  }
  drained(): void {
    this.drains += 1;
  }
  closed(error: Error | undefined): void {
    this.end = { error: error?.message };
  }
  get received(): Buffer {
    return Buffer.concat(this.pieces);
  }
}

interface Pair {
  readonly clock: SimClock;
  readonly random: SimRandom;
  readonly dialer: YamuxSession;
  readonly acceptor: YamuxSession;
  /** Of the acceptor, in the order of their opening. */
  readonly accepted: Listener[];
  readonly ends: readonly [ChoppedEnd, ChoppedEnd];
  readonly closed: { dialer?: string; acceptor?: string };
}

function pair(seed = 1, accepts: (stream: ByteStream) => Listener = () => new Listener()): Pair {
  const { clock } = simPlatform({ seed });
  const random = new SimRandom(seed);
  const ends = choppedPair(clock, random);
  const accepted: Listener[] = [];
  const closed: Pair["closed"] = {};
  const dialer = new YamuxSession(ends[0], {
    clock,
    role: "dialer",
    closed: (error) => (closed.dialer = error?.message ?? "by our own will"),
  });
  const acceptor = new YamuxSession(ends[1], {
    clock,
    role: "acceptor",
    accept: (stream) => {
      const listener = accepts(stream);
      listener.stream = stream;
      accepted.push(listener);
      return listener;
    },
    closed: (error) => (closed.acceptor = error?.message ?? "by our own will"),
  });
  return { clock, random, dialer, acceptor, accepted, ends, closed };
}

function open(session: YamuxSession, listener = new Listener()): Listener {
  listener.stream = session.open(listener);
  return listener;
}

test.each([1, 2, 3, 4, 5])(
  "whatever is cut where, every stream has its bytes (%i)",
  async (seed) => {
    const echo = (stream: ByteStream): Listener =>
      new Listener("at once", (bytes) => void stream.write(Uint8Array.from(bytes)));
    const { clock, random, dialer } = pair(seed, echo);
    const sent = Array.from({ length: 60 }, () => {
      const opened = open(dialer);
      const parts = Array.from({ length: random.between(1, 6) }, () =>
        random.bytes(random.chance(0.1) ? 400_000 : random.between(0, 3000)),
      );
      return { opened, parts };
    });
    for (const { opened, parts } of sent) for (const part of parts) opened.stream?.write(part);
    const whole = sent.map(({ parts }) => Buffer.concat(parts));
    await clock.until(
      settled(clock, () =>
        sent.every(({ opened }, i) => opened.received.length === whole[i]?.length),
      ),
    );
    for (const [i, { opened }] of sent.entries()) {
      expect(opened.received.equals(whole[i] ?? Buffer.alloc(0))).toBe(true);
    }
    dialer[Symbol.dispose]();
    await clock.run(10);
  },
);

test("who does not release holds up its own stream, and no other", async () => {
  const { clock, dialer, accepted, closed } = pair(7, () => new Listener("never"));
  const slow = open(dialer);
  const million = new Uint8Array(1_000_000).fill(1);
  // The rest of the window is no whole number of frames.
  expect(slow.stream?.write(new Uint8Array(1000).fill(1))).toBe(true);
  expect(slow.stream?.write(million.subarray(1000))).toBe(false);
  await clock.run(2000);
  // A window, and not a byte more.
  expect(accepted[0]?.heldBytes).toBe(YAMUX_WINDOW_BYTES);
  const other = open(dialer);
  expect(other.stream?.write(new Uint8Array(1000))).toBe(true);
  await clock.run(100);
  expect(accepted[1]?.received.length).toBe(1000);
  // It goes on as soon as room is made, in halves of the window.
  accepted[0]?.stream?.release(YAMUX_WINDOW_BYTES / 2 - 1);
  await clock.run(1000);
  expect(accepted[0]?.heldBytes).toBe(YAMUX_WINDOW_BYTES);
  accepted[0]?.stream?.release(1);
  await clock.run(1000);
  expect(accepted[0]?.heldBytes).toBe(1.5 * YAMUX_WINDOW_BYTES);
  expect(slow.drains).toBe(0);
  while ((accepted[0]?.heldBytes ?? 0) < million.length) {
    accepted[0]?.stream?.release(YAMUX_WINDOW_BYTES / 2);
    await clock.run(1000);
  }
  expect(slow.drains).toBe(1);
  expect(accepted[0]?.received.equals(million)).toBe(true);
  // A connection that was full for a while is none that takes nothing.
  await clock.run(15_000);
  expect(closed).toEqual({});
});

test("a side that has ended still receives, and the stream is gone when both have", async () => {
  const { clock, dialer, acceptor, accepted } = pair();
  const asking = open(dialer);
  asking.stream?.write(Buffer.from("question"));
  asking.stream?.end();
  await clock.run(200);
  const [answering] = accepted;
  expect(answering).toMatchObject({ hasEnded: true, end: undefined });
  answering?.stream?.write(Buffer.from("answer"));
  answering?.stream?.end();
  expect(asking.stream?.write(Buffer.from("too late"))).toBe(true);
  await clock.run(200);
  expect(asking.received.toString()).toBe("answer");
  expect(answering?.received.toString()).toBe("question");
  expect([asking.end, answering?.end]).toEqual([{ error: undefined }, { error: undefined }]);
  expect([dialer.streamCount, acceptor.streamCount]).toEqual([0, 0]);
});

test("what waits for the window is sent before the end", async () => {
  const { clock, dialer, accepted } = pair();
  const opened = open(dialer);
  const bytes = new Uint8Array(700_000).fill(7);
  opened.stream?.write(bytes);
  opened.stream?.end();
  await clock.run(5000);
  expect(accepted[0]?.received.equals(bytes)).toBe(true);
  expect(accepted[0]?.hasEnded).toBe(true);
});

test("a reset stream is gone on both sides, and what is under way is dropped", async () => {
  const { clock, dialer, acceptor, accepted, closed } = pair();
  const opened = open(dialer);
  opened.stream?.write(new Uint8Array(1000));
  await clock.run(100);
  accepted[0]?.stream?.write(new Uint8Array(200_000));
  opened.stream?.destroy();
  await clock.run(1000);
  expect(accepted[0]?.end).toEqual({ error: "stream reset" });
  expect(opened.end).toBeUndefined();
  expect([dialer.streamCount, acceptor.streamCount]).toEqual([0, 0]);
  expect(closed).toEqual({});
});

/** A session against frames that a test writes. */
function scripted(role: "dialer" | "acceptor", accepts?: (stream: ByteStream) => Listener) {
  const { clock } = simPlatform({ seed: 1 });
  const [mine, theirs] = choppedPair(clock, new SimRandom(1));
  const frames: (YamuxHeader & { payload: string })[] = [];
  const decoder = new YamuxDecoder();
  theirs.on("data", (chunk: Buffer) =>
    decoder.read(chunk, {
      header: (header) => void frames.push({ ...header, payload: "" }),
      payload: (bytes) => {
        const last = frames.at(-1);
        if (last !== undefined) last.payload += Buffer.from(bytes).toString("latin1");
      },
    }),
  );
  let closed: string | undefined;
  const session = new YamuxSession(mine, {
    clock,
    role,
    ...(accepts === undefined ? {} : { accept: accepts }),
    closed: (error) => (closed = error?.message ?? "by our own will"),
  });
  return {
    clock,
    session,
    theirs,
    frames,
    says: async (type: number, flags: number, streamId: number, length: number, payload = "") => {
      theirs.write(frame({ type, flags, streamId, length }, payload));
      await clock.run(50 + payload.length);
    },
    whyClosed: () => closed,
  };
}

function frame(header: YamuxHeader, payload = ""): Buffer {
  const bytes = Buffer.alloc(YAMUX_HEADER_BYTES + payload.length, payload, "latin1");
  encodeYamuxHeader(header, bytes, 0);
  bytes.write(payload, YAMUX_HEADER_BYTES, "latin1");
  return bytes;
}

/** Lets time pass until it holds. */
async function settled(clock: SimClock, holds: () => boolean): Promise<void> {
  for (let left = 10_000; left > 0 && !holds(); left -= 1) await clock.run(5);
  expect(holds()).toBe(true);
}

const { data, windowUpdate, ping, goAway } = YAMUX_TYPE;
const { syn, ack, fin, rst } = YAMUX_FLAG;

test("at most 256 streams wait to be taken on, and further ones for their turn", async () => {
  const { clock, session, frames, says } = scripted("dialer");
  const opened = Array.from({ length: 300 }, () => open(session));
  for (const { stream } of opened) stream?.write(Buffer.from("x"));
  await clock.run(5000);
  const opens = (): number => frames.filter(({ flags }) => (flags & syn) !== 0).length;
  expect(opens()).toBe(256);
  await says(windowUpdate, ack, 1, 0);
  await says(windowUpdate, rst, 3, 0);
  expect(opens()).toBe(258);
  expect(opened[1]?.end).toEqual({ error: "stream reset" });
  // Those that wait are told as well.
  session[Symbol.dispose]();
  expect(opened[299]?.end).toEqual({ error: "session shutdown" });
  expect(clock.timerCount).toBeLessThan(5);
});

test("a stream is opened, told of, and ended in Consul's frames", async () => {
  const { clock, session, frames, says } = scripted("dialer");
  const opened = open(session);
  opened.stream?.write(Buffer.from("hello"));
  await clock.run(100);
  opened.stream?.end();
  await clock.run(100);
  expect(frames).toEqual([
    { type: windowUpdate, flags: syn, streamId: 1, length: 0, payload: "" },
    { type: data, flags: 0, streamId: 1, length: 5, payload: "hello" },
    { type: windowUpdate, flags: fin, streamId: 1, length: 0, payload: "" },
  ]);
  // The answer, with the acknowledgement on it and the end behind it.
  await says(data, ack | fin, 1, 3, "bye");
  expect(opened).toMatchObject({ hasEnded: true, end: { error: undefined } });
  expect(opened.received.toString()).toBe("bye");
});

test("a stream may be opened by data, and ended by it", async () => {
  const accepted = new Listener();
  const { frames, says } = scripted("acceptor", (stream) => {
    accepted.stream = stream;
    return accepted;
  });
  await says(data, syn | fin, 1, 4, "once");
  expect(accepted.received.toString()).toBe("once");
  expect(accepted.hasEnded).toBe(true);
  expect(frames).toEqual([{ type: windowUpdate, flags: ack, streamId: 1, length: 0, payload: "" }]);
});

test.each<[string, number, number, number, number, string]>([
  ["more than the window", data, syn, 1, YAMUX_WINDOW_BYTES + 1, "receive window exceeded"],
  ["a stream with one of our ids", windowUpdate, syn, 2, 0, "duplicate stream 2"],
])("%s ends the session with a protocol error", async (_, type, flags, id, length, why) => {
  const { frames, says, whyClosed } = scripted("acceptor", () => new Listener());
  await says(type, flags, id, length);
  expect(whyClosed()).toBe(why);
  expect(frames.at(-1)).toMatchObject({ type: goAway, length: YAMUX_GO_AWAY.protocolError });
});

test("a stream that is opened twice ends the session", async () => {
  const { says, whyClosed } = scripted("acceptor", () => new Listener());
  await says(windowUpdate, syn, 1, 0);
  await says(windowUpdate, syn, 1, 0);
  expect(whyClosed()).toBe("duplicate stream 1");
});

test.each([
  ["another version", Buffer.from("010000000000000000000000", "hex"), "yamux version 1"],
  ["an unknown type", Buffer.from("000400000000000000000000", "hex"), "yamux frame of type 4"],
])("%s ends the session", async (_, bytes, why) => {
  const { clock, theirs, whyClosed } = scripted("acceptor", () => new Listener());
  theirs.write(bytes);
  await clock.run(100);
  expect(whyClosed()).toBe(why);
});

test("frames of streams that are gone are passed over", async () => {
  const { clock, says, whyClosed, session } = scripted("dialer");
  await says(data, 0, 77, 4, "lost");
  await says(windowUpdate, rst, 77, 0);
  await says(ping, ack, 0, 123);
  const opened = open(session);
  await clock.run(50);
  await says(data, ack, 1, 5, "still");
  expect(opened.received.toString()).toBe("still");
  expect(whyClosed()).toBeUndefined();
});

test("who takes on no streams resets them", async () => {
  const { frames, says } = scripted("dialer");
  await says(windowUpdate, syn, 2, 0);
  expect(frames).toMatchObject([{ type: windowUpdate, flags: rst, streamId: 2 }]);
});

test("a ping is answered with its number", async () => {
  const { frames, says } = scripted("acceptor", () => new Listener());
  await says(ping, syn, 0, 0xdeadbeef);
  expect(frames).toMatchObject([{ type: ping, flags: ack, streamId: 0, length: 0xdeadbeef }]);
});

test("every 30 s a ping is sent, and who does not answer within 10 s is given up", async () => {
  const { clock, frames, says, session, whyClosed } = scripted("dialer");
  const opened = open(session);
  await clock.run(29_990);
  const pings = (): YamuxHeader[] => frames.filter(({ type }) => type === ping);
  expect(pings()).toEqual([]);
  await clock.run(500);
  expect(pings()).toMatchObject([{ flags: syn, length: 0 }]);
  await says(ping, ack, 0, 0);
  await clock.run(39_000);
  expect(whyClosed()).toBeUndefined();
  await clock.run(1000);
  expect(pings()).toMatchObject([{ length: 0 }, { flags: syn, length: 1 }]);
  // Another's number is no answer.
  await says(ping, ack, 0, 7);
  await clock.run(10_000);
  expect(whyClosed()).toBe("keepalive timeout");
  expect(opened.end).toEqual({ error: "keepalive timeout" });
});

test("who goes away opens no more streams, and those that there are go on", async () => {
  const { clock, dialer, acceptor, accepted, closed } = pair();
  const opened = open(dialer);
  await clock.run(100);
  acceptor.goAway();
  await clock.run(100);
  expect(dialer.canOpen).toBe(false);
  expect(() => open(dialer)).toThrow("remote end is not accepting connections");
  opened.stream?.write(Buffer.from("on"));
  await clock.run(100);
  expect(accepted[0]?.received.toString()).toBe("on");
  expect(closed).toEqual({});
});

test("after a go-away of ours streams are reset", async () => {
  const { session, frames, says } = scripted("acceptor", () => new Listener());
  session.goAway();
  await says(windowUpdate, syn, 1, 0);
  expect(frames).toMatchObject([
    { type: goAway, length: YAMUX_GO_AWAY.normal },
    { type: windowUpdate, flags: rst, streamId: 1 },
  ]);
});

test.each([
  [YAMUX_GO_AWAY.protocolError, "the peer goes away: protocol error"],
  [YAMUX_GO_AWAY.internalError, "the peer goes away: internal error"],
])("who goes away with code %i is gone", async (code, why) => {
  const { session, says, whyClosed } = scripted("dialer");
  const opened = open(session);
  await says(goAway, 0, 0, code);
  expect(whyClosed()).toBe(why);
  expect(opened.end).toEqual({ error: why });
  expect(() => open(session)).toThrow("session shutdown");
});

test("a connection that is lost is told to every stream", async () => {
  const { clock, dialer, ends, accepted, closed } = pair();
  const opened = [open(dialer), open(dialer)];
  await clock.run(100);
  ends[1].destroy();
  await clock.run(100);
  expect(closed).toEqual({ dialer: "EOF", acceptor: "EOF" });
  expect(opened.map(({ end }) => end)).toEqual([{ error: "EOF" }, { error: "EOF" }]);
  expect(accepted.map(({ end }) => end)).toEqual([{ error: "EOF" }, { error: "EOF" }]);
  expect(clock.timerCount).toBe(0);
});

test("who takes nothing off the connection is given up after 10 s, and holds little until then", async () => {
  const { clock, dialer, ends, closed } = pair(3);
  ends[1].isCut = true;
  for (let i = 0; i < 100; i += 1) open(dialer).stream?.write(new Uint8Array(200_000));
  await clock.run(9000);
  expect(closed).toEqual({});
  expect(ends[0].writableLength).toBeLessThan(500_000);
  await clock.run(1500);
  expect(closed.dialer).toBe("connection write timeout");
});

test("pings without end are answered as fast as they are read, and no faster", async () => {
  const { clock, theirs, session } = scripted("acceptor", () => new Listener());
  theirs.pause();
  const pings = Buffer.concat(
    Array.from({ length: 20_000 }, (_, length) =>
      frame({ type: ping, flags: syn, streamId: 0, length }),
    ),
  );
  const end = theirs.peer;
  for (let i = 0; i < 20; i += 1) theirs.write(pings);
  await clock.run(5000);
  // Not all that was sent has been taken, since its answers found no room.
  expect(theirs.writableLength).toBeGreaterThan(4_000_000);
  expect(end?.writableLength).toBeLessThan(500_000);
  session[Symbol.dispose]();
});
