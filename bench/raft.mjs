/**
 * Entries a second through raft, and how long others wait while it takes a snapshot.
 * After `npm run build`:  node bench/raft.mjs [directory]
 *
 * Commands have 256 bytes; so many callers each give one after the other to the leader and wait until it is applied.
 * "1 server, disk": write-ahead log with fdatasync, beside the bare writes and syncs of the same bytes into a file of
 * zeros, as many at once as there are callers. "3 servers": all in this process, with logs in memory, messages handed
 * over as objects, or through hashicorp/raft's encoding and TCP on loopback; their CPU time is that of all three. A
 * cell is the median of the rounds ± half the distance between its quartiles.
 *
 * Then one server with a million keys takes snapshots while sixteen callers write: the delay of the event loop.
 */
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { noLogger } from "../dist/platform/index.js";
import { nodePlatform } from "../dist/platform/node/index.js";
import {
  bootstrap,
  memorySnapshotStore,
  openSnapshotStore,
  startRaft,
  StreamTransport,
} from "../dist/raft/index.js";
import { memoryWal, openWal } from "../dist/wal/index.js";

const ENTRY_BYTES = 256;
const CALLERS = [1, 16, 256, 1024];
const ROUNDS = 7;
const ROUND_MS = 400;
const AHEAD_BYTES = 16 * 1024 * 1024;
const KEYS = 1_000_000;
const KEYS_PER_SLICE = 500;
const KEY_BYTES_MAX = 32;
const SNAPSHOTS = 5;
const PORT = 8300;
const RAFT_BYTE = 1;

const { clock, disk, network, random } = nodePlatform();
const root = await mkdtemp(join(process.argv[2] ?? tmpdir(), "raft-bench-"));
const body = new Uint8Array(ENTRY_BYTES).map((_, at) => 32 + (at % 90));
const SETTINGS = {
  clock,
  disk,
  logger: noLogger,
  heartbeatTimeoutMs: 1000,
  electionTimeoutMs: 1000,
  leaseTimeoutMs: 500,
  commitTimeoutMs: 50,
  batchEntriesMax: 64,
  batchBytesMax: 512 * 1024,
  inflightMax: 64,
  recentBytesMax: 4 * 1024 * 1024,
  uncommittedEntriesMax: 16_384,
  trailingLogs: 10_240,
  snapshotIntervalMs: 1000,
  snapshotThreshold: 16_384,
};

const counting = () => ({ apply: ({ index }) => index, snapshot: () => [], restore: async () => {} });
const serversOf = (count) =>
  Array.from({ length: count }, (_, at) => {
    return { id: `s${at + 1}`, address: `127.0.31.${21 + at}:${PORT}`, suffrage: "voter" };
  });

/** Messages as objects, each in a turn of its own. */
function directTransports(servers) {
  const handlers = new Map();
  return servers.map(({ id }) => ({
    send: (to, request) =>
      new Promise((resolve, reject) => {
        clock.after(0, () => {
          const handle = handlers.get(to.id);
          if (handle === undefined) reject(new Error("not there"));
          else handle(request, undefined).then(resolve, reject);
        });
      }),
    sendSnapshot: () => Promise.reject(new Error("none is needed")),
    serve: (handle) => {
      handlers.set(id, handle);
      return { [Symbol.dispose]: () => handlers.delete(id) };
    },
  }));
}

async function tcpTransports(servers, closing) {
  const addressOf = (address) => ({ host: address.split(":")[0], port: Number(address.split(":")[1]) });
  return Promise.all(
    servers.map(async (self) => {
      const transport = new StreamTransport({
        clock,
        logger: noLogger,
        self,
        shortTimeoutMs: 1000,
        idAt: () => undefined,
        dial: (to, signal) => network.connect(addressOf(to.address), { signal }),
      });
      const listener = await network.listen(addressOf(self.address), (stream) => {
        stream.once("readable", () => {
          if (stream.read(1)?.[0] === RAFT_BYTE) transport.accept(stream);
          else stream.destroy();
        });
      });
      closing.push(() => transport[Symbol.dispose](), () => listener[Symbol.asyncDispose]());
      return transport;
    }),
  );
}

async function until(isTrue) {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** @returns the leader, once there is one */
async function cluster({ servers, transports, wals, closing, stateMachine = counting, snapshots }) {
  const rafts = await Promise.all(
    servers.map(async ({ id }, at) => {
      await bootstrap(wals[at], { servers });
      const raft = await startRaft({
        ...SETTINGS,
        id,
        random: random.fork(id),
        directory: root,
        wal: wals[at],
        snapshots: snapshots ?? memorySnapshotStore(),
        transport: transports[at],
        stateMachine: stateMachine(),
      });
      closing.unshift(() => raft[Symbol.asyncDispose]());
      return raft;
    }),
  );
  const leading = () => rafts.find(({ standing }) => standing.role === "leader");
  await until(() => leading() !== undefined);
  await leading().barrier();
  return leading();
}

async function withCallers(count, durationMs, call) {
  const end = performance.now() + durationMs;
  let done = 0;
  const caller = async () => {
    while (performance.now() < end) {
      await call();
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: count }, caller));
  return done;
}

async function round(act) {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const entries = await act();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: entries / seconds, cpuUs: (user + system) / entries };
}

async function bare(count, closing) {
  const file = await open(join(root, `bare-${count}`), "w+");
  await file.write(Buffer.alloc(AHEAD_BYTES), 0, AHEAD_BYTES, 0);
  await file.datasync();
  const bytes = Buffer.alloc(count * ENTRY_BYTES, 7);
  let at = 0;
  closing.push(() => file.close());
  return async () => {
    const end = performance.now() + ROUND_MS;
    let entries = 0;
    while (performance.now() < end) {
      if (at + bytes.length > AHEAD_BYTES) at = 0;
      await file.write(bytes, 0, bytes.length, at);
      await file.datasync();
      at += bytes.length;
      entries += count;
    }
    return entries;
  };
}

const quantile = (values, q) => [...values].sort((a, b) => a - b)[Math.round(q * (values.length - 1))];
const cell = (samples, field, digits = 0) => {
  const values = samples.map((sample) => sample[field]);
  const median = quantile(values, 0.5);
  const spread = (quantile(values, 0.75) - quantile(values, 0.25)) / 2 / median;
  const shown = median.toLocaleString("en", { maximumFractionDigits: digits });
  return `${shown} ±${Math.round(100 * spread)}%`;
};

/** The worlds take turns in every round. */
async function throughput() {
  const closing = [];
  const [lone, three, apart] = [serversOf(1), serversOf(3), serversOf(3)];
  const wal = await openWal({ disk, clock, directory: join(root, "wal"), logger: noLogger });
  const memory = () => three.map(() => memoryWal());
  const transports = await tcpTransports(apart, closing);
  const worlds = [
    {
      name: "1 server, disk",
      leader: await cluster({ servers: lone, transports: directTransports(lone), wals: [wal], closing }),
    },
    {
      name: "3 servers, memory, objects",
      leader: await cluster({ servers: three, transports: directTransports(three), wals: memory(), closing }),
    },
    {
      name: "3 servers, memory, TCP",
      leader: await cluster({ servers: apart, transports, wals: memory(), closing }),
    },
  ];
  const rows = [];
  for (const count of CALLERS) {
    rows.push({ name: "bare write + fdatasync", count, act: await bare(count, closing), samples: [] });
    for (const { name, leader } of worlds) {
      const act = () => withCallers(count, ROUND_MS, () => leader.apply(body));
      rows.push({ name, count, act, samples: [] });
    }
  }
  for (let turn = -1; turn < ROUNDS; turn += 1) {
    for (const row of rows) {
      const sample = await round(row.act);
      if (turn >= 0) row.samples.push(sample);
    }
  }
  for (const close of closing) await close();
  await wal[Symbol.asyncDispose]();
  print([
    ["callers", "", "entries/s", "CPU µs/entry"],
    ...rows.map(({ name, count, samples }) => [
      `${count}`,
      name,
      cell(samples, "perSecond"),
      cell(samples, "cpuUs", 1),
    ]),
  ]);
}

/** A million keys; a snapshot shows those that were there when it was begun, as none is ever removed. */
function millionKeys() {
  const keys = Array.from({ length: KEYS }, (_, at) => ({ key: `some/path/${at}`, value: body }));
  return {
    apply: ({ index, data }) => {
      keys[index % KEYS] = { key: keys[index % KEYS].key, value: data };
      return index;
    },
    *snapshot() {
      for (let from = 0; from < KEYS; from += KEYS_PER_SLICE) {
        const slice = Buffer.allocUnsafe(KEYS_PER_SLICE * (KEY_BYTES_MAX + ENTRY_BYTES));
        let used = 0;
        for (const { key, value } of keys.slice(from, from + KEYS_PER_SLICE)) {
          used += slice.latin1Write(key, used);
          slice.set(value, used);
          used += value.length;
        }
        yield slice.subarray(0, used);
      }
    },
    restore: async () => {},
  };
}

async function delays(act) {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  const start = performance.now();
  await act();
  const ms = performance.now() - start;
  histogram.disable();
  const shown = [50, 99, 99.9].map((q) => histogram.percentile(q) / 1e6);
  return { ms, shown: [...shown, histogram.max / 1e6].map((value) => value.toFixed(1)) };
}

async function pauses() {
  const closing = [];
  const servers = serversOf(1);
  const directory = join(root, "million");
  const options = { disk, clock, logger: noLogger, directory };
  const rows = [["", "seconds", "p50 ms", "p99 ms", "p99.9 ms", "max ms"]];
  for (const [name, snapshots] of [
    ["to disk", await openSnapshotStore(options)],
    ["to memory", memorySnapshotStore()],
  ]) {
    const leader = await cluster({
      servers,
      transports: directTransports(servers),
      wals: [memoryWal()],
      snapshots: { ...snapshots, newest: undefined, create: (meta) => snapshots.create(meta) },
      stateMachine: millionKeys,
      closing,
    });
    const caller = async (isOver) => {
      while (!isOver()) {
        await leader.apply(body);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    const loaded = async (act) => {
      let isOver = false;
      const callers = Array.from({ length: 16 }, () => caller(() => isOver));
      const result = await delays(act);
      isOver = true;
      await Promise.all(callers);
      return result;
    };
    const none = await loaded(() => new Promise((resolve) => setTimeout(resolve, 3000)));
    rows.push(["no snapshot", (none.ms / 1000).toFixed(1), ...none.shown]);
    const taking = await loaded(async () => {
      for (let taken = 0; taken < SNAPSHOTS; taken += 1) await leader.snapshot();
    });
    rows.push([`${SNAPSHOTS} ${name}`, (taking.ms / 1000).toFixed(1), ...taking.shown]);
    await leader[Symbol.asyncDispose]();
  }
  print(rows);
}

function print(table) {
  const widths = table[0].map((_, column) => Math.max(...table.map((line) => line[column].length)));
  const line = (cells) =>
    `| ${cells.map((text, at) => (at < 1 ? text.padEnd(widths[at]) : text.padStart(widths[at]))).join(" | ")} |`;
  console.log(line(table[0]));
  console.log(`|${widths.map((width, at) => (at < 1 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`);
  for (const cells of table.slice(1)) console.log(line(cells));
  console.log();
}

await throughput();
await pauses();
await rm(root, { recursive: true, force: true });
process.exit(0);
