/**
 * How fast gossip packets are read and written, and how much memory each takes.
 * After `npm run build`:  node --expose-gc --min-semi-space-size=256 --max-semi-space-size=256 bench/wire.mjs
 *
 * Packets are those of the recordings in src/wire/testdata. Allocated bytes are the growth of heap and buffers
 * over runs that are too short for a collection (the large new space sees to that); the median of nine.
 */
import { readFileSync } from "node:fs";
import {
  compound,
  compress,
  decodeSerfMessage,
  decompress,
  encodeGossipMessage,
  encodeSerfMessage,
  encodeStreamMessage,
  gossipKey,
  MsgpackWriter,
  openPacket,
  StreamDecoder,
  wrapPacket,
} from "../dist/wire/index.js";

const WARM_MS = 300;
const TIMED_MS = 700;
const MEASURED_RUNS = 100;

const recorded = (file) =>
  new Uint8Array(readFileSync(new URL(`../src/wire/testdata/${file}`, import.meta.url)));
const plain = { keys: [], verifyIncoming: true };
const key = gossipKey(Buffer.from("0123456789abcdef"));
const sealed = { keys: [key], verifyIncoming: true };
const nonce = new Uint8Array(12);
const into = new MsgpackWriter();

const ping = recorded("gossip/plain-udp-ping.bin");
const several = recorded("gossip/plain-udp-hasCrc-compound-alive-alive-alive-user-join.bin");
const sealedPing = recorded("gossip/enc16-udp-enc1-ping.bin");
const squeezed = recorded("consul-gossip/lan-udp-hasCrc-compress-compound-alive-alive-user-join.bin");
const pingMessage = openPacket(ping, plain).messages[0];
const severalMessages = openPacket(several, plain).messages;
const severalPlain = compound(severalMessages.map((message) => encodeGossipMessage(message)));
const joinIntent = severalMessages.at(-1).body;
const join = decodeSerfMessage(joinIntent);
const node = (i) => ({
  Name: `node-${i}`,
  Addr: Uint8Array.of(10, 0, i >> 8, i & 0xff),
  Port: 8301,
  Meta: new Uint8Array(150),
  Incarnation: 1,
  State: 0,
  Vsn: Uint8Array.of(1, 5, 2, 2, 5, 4),
});
const state = encodeStreamMessage({
  kind: "pushPull",
  body: { Join: false, nodes: Array.from({ length: 1000 }, (_, i) => node(i)), userState: joinIntent },
});
const full = new Uint8Array(1400).map((_, i) => (i * i) & 0x3f);
const fullPacked = compress(full);

const CASES = {
  "read ping": () => openPacket(ping, plain),
  "write ping": () => encodeGossipMessage(pingMessage, into),
  "read ping, sealed": () => openPacket(sealedPing, sealed),
  "write ping, sealed": () =>
    wrapPacket(encodeGossipMessage(pingMessage, into), {
      compress: false,
      crc: false,
      sealing: { key, nonce },
    }),
  "read CRC, compound of 3 alive and a join": () => openPacket(several, plain),
  "write CRC, compound of 3 alive and a join": () =>
    wrapPacket(compound(severalMessages.map((message) => encodeGossipMessage(message, into))), {
      compress: false,
      crc: true,
    }),
  "read CRC, compressed compound of Consul's": () => openPacket(squeezed, plain),
  "write the compound compressed": () => wrapPacket(severalPlain, { compress: true, crc: true }),
  "read serf join": () => decodeSerfMessage(joinIntent),
  "write serf join": () => encodeSerfMessage(join, into),
  "compress 1400 bytes": () => compress(full),
  "decompress 1400 bytes": () => decompress(fullPacked, 65_536),
  "read state of 1000 nodes": () => new StreamDecoder(plain).read(state),
};

const allocated = () => {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

let kept;
for (const [name, act] of Object.entries(CASES)) {
  const run = (durationMs) => {
    const start = performance.now();
    let count = 0;
    while (performance.now() - start < durationMs) {
      for (let i = 0; i < 20; i += 1) kept = act();
      count += 20;
    }
    return (count / (performance.now() - start)) * 1000;
  };
  run(WARM_MS);
  const perSecond = run(TIMED_MS);
  const samples = Array.from({ length: 9 }, () => {
    globalThis.gc?.();
    const before = allocated();
    for (let i = 0; i < MEASURED_RUNS; i += 1) kept = act();
    return (allocated() - before) / MEASURED_RUNS;
  });
  const [, , , , bytes] = samples.sort((a, b) => a - b);
  console.log(
    `${name.padEnd(45)} ${Math.round(perSecond).toLocaleString("en").padStart(11)} /s ${Math.round(bytes).toLocaleString("en").padStart(9)} bytes each`,
  );
}
void kept;
