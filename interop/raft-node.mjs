/**
 * A server of a replicated log as a program of its own, which a test kills: raft on one port, on another the
 * clients, who speak JSON in lines. Its state is which numbers were ever written, the newest values, and a
 * fingerprint of everything that was applied, in its order.
 */
import { createHash } from "node:crypto";
import process from "node:process";
import { createInterface } from "node:readline";
import { noLogger } from "rollcall/platform";
import { nodePlatform } from "rollcall/platform/node";
import { bootstrap, openSnapshotStore, startRaft, StreamTransport } from "rollcall/raft";
import { openWal } from "rollcall/wal";

const RAFT_BYTE = 1;
const NUMBERS_MAX = 8_000_000;
const KEYS = 500;
const SLICE_BYTES = 64 * 1024;

const { id, servers, clientPort, directory } = JSON.parse(process.argv[2]);
const self = servers.find((server) => server.id === id);
const { clock, disk, network, random } = nodePlatform();
const say = (line) => process.stdout.write(`${line}\n`);

class Numbers {
  written = Buffer.alloc(NUMBERS_MAX / 8);
  highest = 0;
  twice = 0;
  fingerprint = "";
  values = {};
  isStarted = false;

  apply({ index, term, data }) {
    const { number, value } = JSON.parse(Buffer.from(data).toString());
    const bit = 1 << (number % 8);
    if ((this.written[number >> 3] & bit) !== 0) this.twice += 1;
    this.written[number >> 3] |= bit;
    this.highest = Math.max(this.highest, number);
    this.values[number % KEYS] = value;
    const hash = createHash("sha1").update(`${this.fingerprint} ${index} ${term} `).update(data);
    this.fingerprint = hash.digest("base64");
    return index;
  }

  get #used() {
    return this.written.subarray(0, (this.highest >> 3) + 1);
  }

  show() {
    const { twice, fingerprint, highest } = this;
    return { twice, fingerprint, highest, written: this.#used.toString("base64") };
  }

  snapshot() {
    say("snapshot taken");
    const bytes = Buffer.from(JSON.stringify({ ...this.show(), values: this.values }));
    const count = Math.ceil(bytes.length / SLICE_BYTES);
    return Array.from({ length: count }, (_, at) =>
      bytes.subarray(at * SLICE_BYTES, (at + 1) * SLICE_BYTES),
    );
  }

  async restore(slices) {
    const parts = [];
    for await (const slice of slices) parts.push(slice);
    const { written, ...rest } = JSON.parse(Buffer.concat(parts).toString());
    Object.assign(this, rest, { written: Buffer.alloc(NUMBERS_MAX / 8) });
    this.written.set(Buffer.from(written, "base64"));
    if (this.isStarted) say("snapshot installed");
  }
}

const wal = await openWal({
  disk,
  clock,
  directory: `${directory}/wal`,
  logger: noLogger,
  segmentMaxBytes: 256 * 1024,
});
if (wal.lastIndex === 0 && wal.hardState.term === 0) await bootstrap(wal, { servers });
const snapshots = await openSnapshotStore({ disk, clock, logger: noLogger, directory });
const addressOf = (address) => {
  const [host, port] = address.split(":");
  return { host, port: Number(port) };
};
const transport = new StreamTransport({
  clock,
  logger: noLogger,
  self,
  shortTimeoutMs: 250,
  idAt: () => undefined,
  dial: (to, signal) => network.connect(addressOf(to.address), { signal }),
});
await network.listen(addressOf(self.address), (stream) => {
  stream.once("readable", () => {
    if (stream.read(1)?.[0] === RAFT_BYTE) transport.accept(stream);
    else stream.destroy();
  });
});
const numbers = new Numbers();
const raft = await startRaft({
  id,
  clock,
  disk,
  directory,
  wal,
  snapshots,
  transport,
  random: random.fork("raft"),
  logger: noLogger,
  stateMachine: numbers,
  heartbeatTimeoutMs: 250,
  electionTimeoutMs: 250,
  leaseTimeoutMs: 200,
  commitTimeoutMs: 20,
  batchEntriesMax: 64,
  batchBytesMax: 512 * 1024,
  inflightMax: 16,
  recentBytesMax: 64 * 1024,
  uncommittedEntriesMax: 4096,
  trailingLogs: 100,
  snapshotIntervalMs: 200,
  snapshotThreshold: 400,
});
numbers.isStarted = true;
raft.subscribe((event) => {
  if (event.kind !== "failed") return;
  process.stderr.write(`${event.error.stack}\n`);
  process.exit(1);
});

/** Index, term and bytes of every entry that is still there, from `from` on. */
async function logFrom(from) {
  const hash = createHash("sha1");
  for (let next = from; next <= wal.lastIndex;) {
    const entries = await wal.read(next, wal.lastIndex, 1024 * 1024);
    for (const { index, term, bytes } of entries) hash.update(`${index} ${term} `).update(bytes);
    next += entries.length;
  }
  return hash.digest("base64");
}

const ANSWERS = {
  write: ({ number, value }) => raft.apply(Buffer.from(JSON.stringify({ number, value }))),
  status: () => {
    const { standing, applied, lastIndex } = raft;
    return { ...standing, applied: applied.index, lastIndex, firstIndex: wal.firstIndex };
  },
  state: () => numbers.show(),
  log: ({ from }) => logFrom(from),
};
await network.listen({ host: addressOf(self.address).host, port: clientPort }, (stream) => {
  const lines = createInterface({ input: stream });
  lines.on("error", () => {});
  lines.on("line", (line) => void answerLine(stream, line));
});

async function answerLine(stream, line) {
  const request = JSON.parse(line);
  let answer;
  try {
    answer = { result: await ANSWERS[request.kind](request) };
  } catch (error) {
    answer = { refusal: error.reason ?? error.message, leader: raft.standing.leader };
  }
  if (!stream.destroyed) stream.write(`${JSON.stringify({ call: request.call, ...answer })}\n`);
}
