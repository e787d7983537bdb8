/**
 * Damaged and hostile bytes. Goal: whatever arrives, a packet or a stream is read, or refused with an error that
 * is meant; it never takes more memory than the limits say, and nothing forged passes for sealed. Method:
 * recorded packets are damaged outside, and inside of checksum and compression, where damage reaches the
 * decoders. `FUZZ_RUNS=1000000 npx vitest run src/wire/fuzz.test.ts` for more; `SEED` for others.
 */
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { expect, test } from "vitest";
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
import { Draw, fixturesOf, tally, unhex } from "./testkit.ts";

const testdata = (file: string) => readFileSync(new URL(`testdata/${file}`, import.meta.url));
const RUNS_EACH = Math.ceil(Number(process.env["FUZZ_RUNS"] ?? 100_000) / 8);
const SEED = Number(process.env["SEED"] ?? 1);
const PLAIN: Opening = { keys: [], verifyIncoming: true };
const PACKET_BYTES_MAX = 65_536;
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
  const draw = new Draw("datagrams", SEED);
  const seen = tally(RUNS_EACH, () => {
    const { bytes } = draw.from(DATAGRAMS);
    readPacket(draw.damaged(bytes), PLAIN);
  });
  expect(seen.refused).toBeGreaterThan(0);
  expect(seen.read).toBeGreaterThan(0);
});

test("damaged messages inside of compound, compression and checksum", () => {
  const draw = new Draw("messages", SEED);
  const seen = tally(RUNS_EACH, () => {
    const part = draw.damaged(draw.from(PARTS));
    const message = part.length > 0 && draw.chance() ? compound([part, draw.from(PARTS)]) : part;
    const wrapping = { compress: draw.chance(), crc: true };
    readPacket(wrapPacket(message, wrapping), PLAIN);
  });
  expect(seen.read).toBeGreaterThan(0);
});

test("no damaged packet opens as a sealed one", () => {
  const draw = new Draw("sealed", SEED);
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
  const draw = new Draw("streams", SEED);
  const seen = tally(RUNS_EACH, () => {
    const { bytes, opening } = draw.from(STREAMS);
    readStream(draw.damaged(bytes), draw.chance() ? opening : PLAIN, draw);
  });
  expect(seen.refused).toBeGreaterThan(0);
  expect(seen.read).toBeGreaterThan(0);
});

test("damaged state exchanges inside of compression", () => {
  const draw = new Draw("exchanges", SEED);
  const seen = tally(RUNS_EACH, () => {
    const body = draw.damaged(draw.from(BODIES));
    readStream(wrapStream(body, { compress: draw.chance() }), PLAIN, draw);
  });
  expect(seen.refused).toBeGreaterThan(0);
  expect(seen.read).toBeGreaterThan(0);
});

test("damaged connections between raft servers, in pieces", () => {
  const draw = new Draw("raft requests", SEED);
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
  const draw = new Draw("raft replies", SEED);
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
  const draw = new Draw("noise", SEED);
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
