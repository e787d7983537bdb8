/** One story a test of what may have happened to the bytes of a segment; the last segment, if not said otherwise. */
import { expect, test } from "vitest";
import { simPlatform } from "../platform/sim/index.ts";
import {
  HEADER_BYTES,
  readRecordHead,
  recordBytes,
  writeRecord,
  type Recorded,
} from "./segment-format.ts";
import { scanSegment } from "./segment-scan.ts";
import { contentOf, entry, openSmall, shownModel } from "./testkit.ts";

const PLACE = { sequence: 7, start: 0 };
const body = (length: number) => new Uint8Array(length).fill(3);
const record = (index: number, length = 20): Recorded => ({ index, term: 2, bytes: body(length) });

/** Batches, one after the other, and zeros. */
function segment(...batches: readonly (readonly Recorded[])[]): {
  readonly bytes: Buffer;
  readonly at: readonly number[];
} {
  const bytes = Buffer.alloc(8192);
  const at: number[] = [];
  let next = HEADER_BYTES;
  for (const batch of batches) {
    const sizes = batch.map((one) => recordBytes(one.bytes?.length ?? 0));
    const all = { start: next, end: sizes.reduce((end, size) => end + size, next) };
    for (const one of batch) {
      at.push(next);
      next = writeRecord(bytes, PLACE, next, one, all);
    }
  }
  return { bytes, at: [...at, next] };
}

const scan = (bytes: Uint8Array, lastIndex?: number) =>
  scanSegment(bytes, { sequence: PLACE.sequence, firstIndex: 1, lastIndex });

function flip(bytes: Buffer, offset: number, bits = 1): void {
  bytes[offset] = (bytes[offset] ?? 0) ^ bits;
}

test("whole records, then zeros or the end of the file", () => {
  const { bytes, at } = segment([record(1)], [record(2), record(3)]);
  const [, second = 0, , end = 0] = at;
  const found = {
    offsets: at.slice(0, 3),
    terms: [2, 2, 2],
    end,
    lastBatch: { start: second, end },
    tornBytes: 0,
  };
  expect(scan(bytes)).toEqual(found);
  expect(scan(bytes.subarray(0, end))).toEqual(found);
  expect(scan(bytes, 2)).toMatchObject({ offsets: at.slice(0, 2) });
});

test("a last batch that ends early is torn, wherever it ends", () => {
  const { bytes, at } = segment([record(1)], [record(2, 700), record(3, 700)]);
  const [, second = 0, third = 0, end = 0] = at;
  for (let length = second + 1; length < end; length += 1) {
    const zeroed = Buffer.concat([bytes.subarray(0, length), Buffer.alloc(8192 - length)]);
    for (const torn of [bytes.subarray(0, length), zeroed]) {
      const kept = length < third ? 1 : 2;
      const { offsets, lastBatch, tornBytes } = scan(torn);
      expect(offsets, `at ${length}`).toEqual(at.slice(0, kept));
      expect(tornBytes > 0).toBe(length !== third);
      expect(lastBatch.end).toBe(kept === 1 ? second : end);
    }
  }
});

test("a last batch that lacks a sector is torn, whichever it is", () => {
  for (const length of [1500, 3000]) {
    const { bytes, at } = segment([record(1)], [record(2, length), record(3, 700)]);
    const [, second = 0, third = 0, end = 0] = at;
    for (let sector = 0; sector < end; sector += 512) {
      const torn = Buffer.from(bytes);
      const from = Math.max(second, sector);
      if (from >= Math.min(end, sector + 512)) continue;
      torn.fill(0, from, Math.min(end, sector + 512));
      const { offsets, tornBytes } = scan(torn);
      expect(offsets.length, `without sector ${sector}`).toBe(sector < third ? 1 : 2);
      expect(offsets.includes(0)).toBe(false);
      expect(tornBytes).toBeGreaterThan(0);
    }
  }
});

test("a flipped bit in the last batch is no torn write", () => {
  const { bytes, at } = segment([record(1)], [record(2, 700), record(3)]);
  const [first = 0, , third = 0] = at;
  for (let offset = third; offset < third + 60; offset += 1) {
    const rotten = Buffer.from(bytes);
    flip(rotten, offset);
    expect(scan(rotten).offsets, `at ${offset}`).toEqual([first, at[1], 0]);
  }
});

test("what a later batch stands behind has decayed, even if that one is torn, and only its end is there", () => {
  const { bytes, at } = segment([record(1)], [record(2)], [record(3, 1500)]);
  const [first = 0, second = 0, third = 0] = at;
  bytes.fill(0, third, 1024);
  expect(scan(bytes)).toMatchObject({ offsets: [first, second], end: third });
  for (const offset of [second + 5, second + 45]) {
    const rotten = Buffer.from(bytes);
    flip(rotten, offset);
    const { offsets, tornBytes } = scan(rotten);
    expect(offsets, `at ${offset}`).toEqual([first, 0]);
    expect(tornBytes).toBeGreaterThan(0);
  }
});

test("where a head is beyond mending, the next one tells what is lost", () => {
  const { bytes, at } = segment([record(1)], [record(2), record(3)], [record(4)]);
  const [first = 0, second = 0, third = 0, fourth = 0] = at;
  flip(bytes, second + 4, 3);
  expect(scan(bytes)).toMatchObject({ offsets: [first, 0, third, fourth], terms: [2, 0, 2, 2] });
  flip(bytes, third + 4, 3);
  expect(scan(bytes)).toMatchObject({ offsets: [first, 0, 0, fourth], terms: [2, 0, 0, 2] });
  flip(bytes, fourth + 4, 3);
  expect(scan(bytes).offsets).toEqual([first, 0]);
  expect(scan(bytes, 4).offsets).toEqual([first, 0, 0, 0]);
});

test("a record inside of an entry is not taken for one", () => {
  const inner = segment([record(1)], [record(2)]);
  const bytes = inner.bytes.subarray(inner.at[1], inner.at[2]);
  const outer = segment([{ index: 1, term: 2, bytes }], [record(2)]);
  const [first = 0, second = 0] = outer.at;
  expect(readRecordHead(inner.bytes, PLACE, inner.at[1] ?? 0)).toBeDefined();
  flip(outer.bytes, first + 4, 3);
  expect(scan(outer.bytes).offsets).toEqual([0, second]);
});

test("a bit that flips where nothing was written yet takes nothing away", () => {
  const { bytes, at } = segment([record(1)]);
  const [first, end = 0] = at;
  for (let offset = end; offset < 3000; offset += 1) {
    const rotten = Buffer.from(bytes);
    flip(rotten, offset);
    expect(scan(rotten).offsets, `at ${offset}`).toEqual([first]);
  }
});

test("entries that were kept of a torn batch are reported when they decay", async () => {
  const { disk, clock } = simPlatform({ seed: 1 });
  const written = await openSmall(disk, clock, "/wal");
  await written.append([entry(1, 1)]);
  await written.append([entry(2, 1), entry(3, 1), entry(4, 1)]);
  await written[Symbol.asyncDispose]();
  const [path = ""] = ((await disk.list("/wal")) ?? []).map(({ name }) => `/wal/${name}`);
  const bytes = Buffer.from((await disk.read(path)) ?? []);
  await disk.replace(path, bytes.subarray(0, bytes.indexOf("entry 4 of")));

  const opened = await openSmall(disk, clock, "/wal");
  expect(opened.lastIndex).toBe(3);
  await opened[Symbol.asyncDispose]();
  const again = Buffer.from((await disk.read(path)) ?? []);
  disk.flipBit(path, again.indexOf("entry 2 of"), 0);
  const wal = await openSmall(disk, clock, "/wal");
  expect(wal.state).toEqual({ kind: "corrupt", fromIndex: 2, throughIndex: 2 });
  expect(wal.lastIndex).toBe(3);
});

test("what is left of a torn batch is wiped before anything is written after it", async () => {
  const { disk, clock } = simPlatform({ seed: 1 });
  const written = await openSmall(disk, clock, "/wal");
  await written.append([entry(1, 1)]);
  await written[Symbol.asyncDispose]();
  const [path = ""] = ((await disk.list("/wal")) ?? []).map(({ name }) => `/wal/${name}`);
  const bytes = Buffer.from((await disk.read(path)) ?? []);
  await disk.replace(path, Buffer.concat([bytes, Buffer.alloc(1000), Buffer.alloc(500, 9)]));
  const wal = await openSmall(disk, clock, "/wal");
  disk.crash();
  expect((await disk.read(path))?.includes(9)).toBe(false);
  await wal[Symbol.asyncDispose]();
  const again = await openSmall(disk, clock, "/wal");
  expect(shownModel((await contentOf(again)).found)).toEqual(["@0:0", "1:1 entry 1 of term 1"]);
});
