/**
 * Damaged and hostile bytes. Goal: whatever arrives, a packet or a stream is read, or refused with an error that
 * is meant; it never takes more memory than the limits say, and nothing forged passes for sealed. Method:
 * recorded packets are damaged outside, and inside of checksum and compression, where damage reaches the
 * decoders. `FUZZ_RUNS=1000000 npx vitest run src/wire/fuzz.test.ts` for more; `SEED` for others.
 */
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { expect, test } from "vitest";
import { RollcallError } from "../errors/index.ts";
import { SimRandom } from "../platform/sim/index.ts";
import {
  any,
  codecOf,
  compound,
  decodeConfiguration,
  decodeConsulUserEvent,
  decodeCoordinate,
  decodeFilter,
  decodeLogEntry,
  decodePeers,
  decodeSerfMessage,
  decodeTags,
  decompress,
  encodeGossipMessage,
  encodeStreamMessage,
  gossipKey,
  LOG_TYPES,
  openPacket,
  RaftRequestDecoder,
  RaftResponseDecoder,
  serverOf,
  StreamDecoder,
  wrapPacket,
  wrapStream,
  type GossipMessage,
  type LogEntry,
  type Opening,
  type StreamMessage,
} from "./index.ts";
import { fixturesOf, unhex } from "./testkit.ts";

const testdata = (file: string) => readFileSync(new URL(`testdata/${file}`, import.meta.url));
const RUNS_EACH = Math.ceil(Number(process.env["FUZZ_RUNS"] ?? 100_000) / 8);
const PLAIN: Opening = { keys: [], verifyIncoming: true };
const PACKET_BYTES_MAX = 65_536;
/** Bytes that mean something: lengths, headers and types at their limits. */
const TELLING = [
  0x00, 0x01, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0c, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0,
  0xc1, 0xc4, 0xc7, 0xca, 0xcb, 0xcf, 0xd3, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xf4, 0xff,
];

const OPENINGS = fixturesOf(testdata("index.json").toString()).map(({ file, transport, key }) => ({
  transport,
  bytes: new Uint8Array(testdata(file)),
  opening: { keys: key === undefined ? [] : [gossipKey(unhex(key))], verifyIncoming: true },
}));
const DATAGRAMS = OPENINGS.filter(({ transport }) => transport === "udp");
const STREAMS = OPENINGS.filter(({ transport }) => transport === "tcp");
const PARTS = DATAGRAMS.flatMap(({ bytes, opening }) => {
  return openPacket(bytes, opening).messages.map((message) => encodeGossipMessage(message));
});
const BODIES = STREAMS.map(({ bytes, opening }) => {
  const message = new StreamDecoder(opening).read(bytes);
  if (message === undefined) throw new Error("a recording that is cut off");
  return encodeStreamMessage(message);
});
const RAFT_FILES = readdirSync(new URL("testdata/raft", import.meta.url));
const recordedRaft = (suffix: string) =>
  RAFT_FILES.filter((name) => name.endsWith(suffix)).map((name) => testdata(`raft/${name}`));
const RAFT_REQUESTS = recordedRaft(".req.bin");
const RAFT_REPLIES = recordedRaft(".resp.bin");

test("damaged datagrams, as they come", () => {
  const draw = new Draw("datagrams");
  const seen = tally(RUNS_EACH, () => {
    const { bytes } = draw.from(DATAGRAMS);
    readPacket(draw.damaged(bytes), PLAIN);
  });
  expect(seen.refused).toBeGreaterThan(0);
  expect(seen.read).toBeGreaterThan(0);
});

test("damaged messages inside of compound, compression and checksum", () => {
  const draw = new Draw("messages");
  const seen = tally(RUNS_EACH, () => {
    const part = draw.damaged(draw.from(PARTS));
    const message = part.length > 0 && draw.chance() ? compound([part, draw.from(PARTS)]) : part;
    const wrapping = { compress: draw.chance(), crc: true };
    readPacket(wrapPacket(message, wrapping), PLAIN);
  });
  expect(seen.read).toBeGreaterThan(0);
});

test("no damaged packet opens as a sealed one", () => {
  const draw = new Draw("sealed");
  const sealed = DATAGRAMS.filter(({ opening }) => opening.keys.length > 0);
  const seen = tally(RUNS_EACH, () => {
    const { bytes, opening } = draw.from(sealed);
    const damaged = draw.damaged(bytes);
    if (Buffer.compare(damaged, bytes) === 0) return;
    openPacket(damaged, opening);
    throw new Error("a forged packet was accepted");
  });
  expect(seen.refused).toBeGreaterThan(0);
});

test("damaged streams, in pieces", () => {
  const draw = new Draw("streams");
  const seen = tally(RUNS_EACH, () => {
    const { bytes, opening } = draw.from(STREAMS);
    readStream(draw.damaged(bytes), draw.chance() ? opening : PLAIN, draw);
  });
  expect(seen.refused).toBeGreaterThan(0);
  expect(seen.read).toBeGreaterThan(0);
});

test("damaged state exchanges inside of compression", () => {
  const draw = new Draw("exchanges");
  const seen = tally(RUNS_EACH, () => {
    const body = draw.damaged(draw.from(BODIES));
    readStream(wrapStream(body, { compress: draw.chance() }), PLAIN, draw);
  });
  expect(seen.refused).toBeGreaterThan(0);
  expect(seen.read).toBeGreaterThan(0);
});

test("damaged connections between raft servers, in pieces", () => {
  const draw = new Draw("raft requests");
  const seen = tally(RUNS_EACH, () => {
    const decoder = new RaftRequestDecoder();
    const sent = Buffer.concat([draw.from(RAFT_REQUESTS), draw.damaged(draw.from(RAFT_REQUESTS))]);
    for (const piece of draw.pieces(sent)) {
      for (const part of decoder.read(piece)) {
        if (part.kind === "appendEntries") readConfigurations(part.body.Entries ?? []);
      }
    }
  });
  expect(seen.refused).toBeGreaterThan(0);
  expect(seen.read).toBeGreaterThan(0);
});

test("damaged replies between raft servers, in pieces", () => {
  const draw = new Draw("raft replies");
  const kinds = ["appendEntries", "requestVote", "installSnapshot", "timeoutNow"] as const;
  const seen = tally(RUNS_EACH, () => {
    const decoder = new RaftResponseDecoder();
    decoder.expect(draw.from(kinds));
    const reply = draw.damaged(draw.from(RAFT_REPLIES));
    for (const piece of draw.pieces(reply)) for (const _response of decoder.read(piece));
  });
  expect(seen.refused).toBeGreaterThan(0);
  expect(seen.read).toBeGreaterThan(0);
});

test("bytes that are no message at all", () => {
  const draw = new Draw("noise");
  const readers: readonly ((bytes: Uint8Array) => unknown)[] = [
    (bytes) => openPacket(bytes, PLAIN),
    (bytes) => decompress(bytes, PACKET_BYTES_MAX),
    (bytes) => codecOf(any).decode(bytes),
    decodeSerfMessage,
    decodeTags,
    decodeFilter,
    decodeCoordinate,
    decodeConsulUserEvent,
    decodeLogEntry,
    decodeConfiguration,
    decodePeers,
    (bytes) => [...new RaftRequestDecoder().read(bytes)],
  ];
  const seen = tally(RUNS_EACH, () => draw.from(readers)(draw.noise()));
  expect(seen.refused).toBeGreaterThan(0);
  expect(seen.read).toBeGreaterThan(0);
});

/** Everything that a node does with a packet before it believes it. */
function readPacket(bytes: Uint8Array, opening: Opening): void {
  const { messages, rejected } = openPacket(bytes, opening);
  const carried = messages.reduce((sum, message) => sum + carriedBytes(message), 0);
  const count = messages.length + rejected.length;
  if (Math.max(carried, count) > PACKET_BYTES_MAX + bytes.length) {
    throw new Error(
      `a packet of ${bytes.length} bytes came to ${count} messages, ${carried} bytes`,
    );
  }
  for (const message of messages) readFurther(message);
}

function readStream(bytes: Uint8Array, opening: Opening, draw: Draw): void {
  const decoder = new StreamDecoder(opening);
  let message: StreamMessage | undefined;
  for (const piece of draw.pieces(bytes)) message ??= decoder.read(piece);
  if (message === undefined) return;
  if (message.kind !== "pushPull") {
    readFurther(message);
    return;
  }
  decodeSerfMessage(message.body.userState);
  for (const { Meta } of message.body.nodes) serverOf(decodeTags(Meta));
}

function readFurther({ kind, body }: GossipMessage): void {
  if (kind === "alive") serverOf(decodeTags(body.Meta));
  if (kind === "ack" && body.Payload !== null) decodeCoordinate(body.Payload);
  if (kind !== "user") return;
  const serf = decodeSerfMessage(body);
  if (serf.kind === "userEvent") decodeConsulUserEvent(serf.body.Payload);
  if (serf.kind === "relay") decodeSerfMessage(serf.body.inner);
  if (serf.kind === "query") for (const filter of serf.body.Filters ?? []) decodeFilter(filter);
}

function readConfigurations(entries: readonly LogEntry[]): void {
  for (const { Type, Data } of entries) {
    if (LOG_TYPES[Type] === "configuration") decodeConfiguration(Data ?? new Uint8Array());
  }
}

function carriedBytes(message: GossipMessage): number {
  if (message.kind === "user") return message.body.length;
  if (message.kind === "alive") return message.body.Meta.length;
  return 0;
}

/** Runs `act` often. Errors that are meant are counted, any other ends the test. */
function tally(runs: number, act: () => unknown): { read: number; refused: number } {
  const seen = { read: 0, refused: 0 };
  for (let run = 0; run < runs; run += 1) {
    try {
      act();
      seen.read += 1;
    } catch (error) {
      if (!(error instanceof RollcallError) || error.code !== "wire/malformed") throw error;
      seen.refused += 1;
    }
  }
  return seen;
}

class Draw {
  readonly #random: SimRandom;

  constructor(label: string) {
    this.#random = new SimRandom(Number(process.env["SEED"] ?? 1)).fork(label);
  }

  below(limit: number): number {
    return Math.floor(this.#random.float() * limit);
  }

  chance(): boolean {
    return this.below(2) === 0;
  }

  from<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new Error("nothing to draw from");
    return value;
  }

  /** All of `bytes`, in one piece or several. */
  *pieces(bytes: Uint8Array): Generator<Uint8Array, void> {
    for (let at = 0; at < bytes.length;) {
      const end = Math.min(bytes.length, at + 1 + this.below(bytes.length));
      yield bytes.subarray(at, end);
      at = end;
    }
  }

  noise(): Uint8Array {
    return Uint8Array.from({ length: this.below(80) }, () => this.#byte());
  }

  /** One to three changes: a bit, a byte, a cut, a stretch repeated or left out, noise put in. */
  damaged(bytes: Uint8Array): Uint8Array {
    let damaged = bytes.slice();
    for (let left = 1 + this.below(3); left > 0; left -= 1) damaged = this.#damage(damaged);
    return damaged;
  }

  #damage(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const at = this.below(bytes.length);
    const end = at + this.below(bytes.length - at);
    const [before, stretch, after] = [bytes.slice(0, at), bytes.slice(at, end), bytes.slice(end)];
    switch (this.below(6)) {
      case 0:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << this.below(8));
        return bytes;
      case 1:
        bytes[at] = this.#byte();
        return bytes;
      case 2:
        return before;
      case 3:
        return joined(before, stretch, stretch, after);
      case 4:
        return joined(before, after);
      default:
        return joined(before, this.noise(), after);
    }
  }

  #byte(): number {
    return this.chance() ? this.from(TELLING) : this.below(256);
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(parts));
}
