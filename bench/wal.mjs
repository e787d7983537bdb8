/**
 * Entries a second that become durable, beside what the disk alone takes for the same bytes.
 * After `npm run build`:  node bench/wal.mjs [directory]
 *
 * Entries have 256 bytes. "batch 16": one caller appends 16 at once and waits; "64 callers": as many, each with one
 * entry after the other, share syncs. The disk alone: the same bytes without any format, written and synced
 * (fdatasync) one batch after the other, at the end of a file that grows by it, or into zeros that were written
 * before. All of them take turns in every round. A cell is the median of the rounds ± half the distance between its
 * quartiles, the ratio that of the medians; above 1 the log is faster.
 */
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noLogger } from "../dist/platform/index.js";
import { nodePlatform } from "../dist/platform/node/index.js";
import { openWal } from "../dist/wal/index.js";

const ENTRY_BYTES = 256;
const ROUNDS = 9;
const ROUND_MS = 300;
const AHEAD_BYTES = 16 * 1024 * 1024;

const root = await mkdtemp(join(process.argv[2] ?? tmpdir(), "wal-bench-"));
const { disk, clock } = nodePlatform();
const wal = await openWal({ disk, clock, directory: join(root, "wal"), logger: noLogger });
const body = new Uint8Array(ENTRY_BYTES).map((_, at) => 32 + (at % 90));

const append = (count) => {
  const from = wal.lastIndex + 1;
  return wal.append(Array.from({ length: count }, (_, at) => ({ index: from + at, term: 1, bytes: body })));
};
/** @returns a function that takes `entries`' bytes to the disk and resolves to how many they were */
const logged = (count) => async () => {
  await append(count);
  return count;
};
const shared = (callers) => async () => {
  await Promise.all(Array.from({ length: callers }, () => append(1)));
  return callers;
};
const bare = async (count, aheadBytes) => {
  const file = await open(join(root, `bare-${count}-${aheadBytes}`), "w+");
  if (aheadBytes > 0) await file.write(Buffer.alloc(aheadBytes), 0, aheadBytes, 0);
  await file.datasync();
  const bytes = Buffer.alloc(count * ENTRY_BYTES, 7);
  let at = 0;
  return async () => {
    if (aheadBytes > 0 && at + bytes.length > aheadBytes) at = 0;
    await file.write(bytes, 0, bytes.length, at);
    await file.datasync();
    at += bytes.length;
    return count;
  };
};

const rows = [];
for (const count of [1, 16, 256]) {
  rows.push({
    name: `batch ${count}`,
    ours: logged(count),
    grown: await bare(count, 0),
    ahead: await bare(count, AHEAD_BYTES),
  });
}
for (const callers of [64, 1024]) {
  rows.push({
    name: `${callers} callers`,
    ours: shared(callers),
    grown: await bare(callers, 0),
    ahead: await bare(callers, AHEAD_BYTES),
  });
}
const KINDS = ["ours", "grown", "ahead"];

async function round(act) {
  const cpu = process.cpuUsage();
  const start = performance.now();
  let entries = 0;
  while (performance.now() - start < ROUND_MS) entries += await act();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: entries / seconds, cpuUs: (user + system) / entries };
}

const samples = new Map(rows.map(({ name }) => [name, { ours: [], grown: [], ahead: [] }]));
for (let turn = -1; turn < ROUNDS; turn += 1) {
  for (const row of rows) {
    for (const kind of KINDS) {
      const sample = await round(row[kind]);
      if (turn >= 0) samples.get(row.name)[kind].push(sample);
    }
    await wal.dropThrough(wal.lastIndex);
  }
}

const quantile = (values, q) => [...values].sort((a, b) => a - b)[Math.round(q * (values.length - 1))];
const cell = (all, field, digits = 0) => {
  const values = all.map((sample) => sample[field]);
  const median = quantile(values, 0.5);
  const spread = (quantile(values, 0.75) - quantile(values, 0.25)) / 2 / median;
  const shown = median.toLocaleString("en", { maximumFractionDigits: digits });
  return `${shown} ±${Math.round(100 * spread)}%`;
};
const medianOf = (all) => quantile(all.map(({ perSecond }) => perSecond), 0.5);
const table = rows.map(({ name }) => {
  const { ours, grown, ahead } = samples.get(name);
  return [
    name,
    cell(ours, "perSecond"),
    cell(grown, "perSecond"),
    cell(ahead, "perSecond"),
    (medianOf(ours) / medianOf(grown)).toFixed(2),
    (medianOf(ours) / medianOf(ahead)).toFixed(2),
    cell(ours, "cpuUs", 1),
    cell(ahead, "cpuUs", 1),
  ];
});
table.unshift([
  "workload",
  "wal entries/s",
  "file that grows",
  "into zeros",
  "ratio",
  "ratio",
  "wal CPU µs/entry",
  "into zeros",
]);
const widths = table[0].map((_, column) => Math.max(...table.map((line) => line[column].length)));
const line = (cells) =>
  `| ${cells.map((text, at) => (at === 0 ? text.padEnd(widths[at]) : text.padStart(widths[at]))).join(" | ")} |`;
console.log(line(table[0]));
console.log(`|${widths.map((width, at) => (at === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`);
for (const cells of table.slice(1)) console.log(line(cells));

await wal[Symbol.asyncDispose]();
await rm(root, { recursive: true, force: true });
process.exit(0);
