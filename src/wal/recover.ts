/**
 * What the files of a directory amount to, after whatever happened to them.
 *
 * Segments are taken in the order they were begun. Each says where it takes over, which voids the rest of the one
 * before, or all of it. What is missing between them, and what in them has decayed, is lost and reported.
 *
 * The last batch may have been on its way to the disk when the process ended: the system may show it and yet not
 * have it. So it is written once more, and synced, before anything is built on it. What is left of a torn batch,
 * or of a damaged segment, goes into a new file for the same purpose.
 */
import { RollcallError } from "../errors/index.ts";
import type { Disk, DiskFile, Logger } from "../platform/index.ts";
import { Segment } from "./segment.ts";
import type { FoundSegments } from "./segment-chain.ts";
import {
  HEADER_BYTES,
  parseSegmentName,
  readSegmentHeader,
  type SegmentHeader,
} from "./segment-format.ts";
import { scanSegment, type Scan } from "./segment-scan.ts";
import { TermRuns } from "./term-runs.ts";

/** More than a segment has: else one wrong file name would make a log of billions of lost entries. */
const SEGMENT_ENTRIES_MAX = 10_000_000;

export interface Recovered extends FoundSegments {
  readonly terms: TermRuns;
  /** Indexes of damaged entries, in order. */
  readonly lost: readonly number[];
}

interface Found {
  readonly path: string;
  readonly file: DiskFile;
  readonly header: SegmentHeader;
}

export interface RecoverOptions {
  readonly disk: Disk;
  readonly directory: string;
  readonly logger: Logger;
}

/** @param directory exists */
export async function recoverSegments(options: RecoverOptions): Promise<Recovered> {
  const found: Found[] = [];
  try {
    await findSegments(options, found);
    return await recover(found, options.logger);
  } catch (error) {
    for (const { file } of found) await file[Symbol.asyncDispose]();
    throw error;
  }
}

async function recover(found: readonly Found[], logger: Logger): Promise<Recovered> {
  const { live, void: garbage } = chained(found);
  const [first] = live;
  const terms = new TermRuns(first?.header.previousIndex ?? 0, first?.header.previousTerm ?? 0);
  const lost: number[] = [];
  const segments: Segment[] = [];
  let isSound = true;
  for (const [at, { path, file, header }] of live.entries()) {
    const segment = new Segment({ path, file, header });
    const lastIndex = live[at + 1]?.header.previousIndex;
    demandFew((lastIndex ?? 0) - segment.firstIndex, path);
    const bytes = await file.read(0, file.sizeBytes);
    const scan = scanSegment(bytes, {
      sequence: header.sequence,
      firstIndex: segment.firstIndex,
      lastIndex,
    });
    scan.offsets.forEach((offset, i) => {
      if (offset === 0) lost.push(segment.firstIndex + i);
      segment.push(offset);
      terms.push(scan.terms[i] ?? 0);
    });
    segment.end = scan.end;
    segments.push(segment);
    if (lastIndex === undefined) isSound = await secure(segment, bytes, scan, logger);
  }
  return {
    segments,
    isSound,
    garbage: garbage.map((one) => new Segment(one)),
    nextSequence: (found.at(-1)?.header.sequence ?? 0) + 1,
    lastTerm: terms.term(terms.lastIndex) ?? 0,
    terms,
    lost,
  };
}

/** Each costs memory, there or not. */
function demandFew(entries: number, path: string): void {
  if (entries <= SEGMENT_ENTRIES_MAX) return;
  const detail = `open ${path}: ${entries} entries are missing before the next segment`;
  throw new RollcallError("disk/failed", detail);
}

/**
 * What a crash left of a file that was about to be is removed.
 * @param found they are added to it, in the order of their sequence
 */
async function findSegments(
  { disk, directory, logger }: RecoverOptions,
  found: Found[],
): Promise<void> {
  for (const { name } of (await disk.list(directory)) ?? []) {
    const path = `${directory}/${name}`;
    if (name.endsWith(".tmp")) await disk.remove(path);
    const named = parseSegmentName(name);
    if (named === undefined) continue;
    const file = await disk.open(path);
    const read = readSegmentHeader(await file.read(0, HEADER_BYTES));
    const isItsOwn =
      read?.sequence === named.sequence && read.previousIndex === named.previousIndex;
    if (!isItsOwn) logger.error("a segment's header is corrupt; going by its name", { path });
    found.push({ path, file, header: isItsOwn ? read : named });
  }
}

/** Lets each segment void what earlier ones hold beyond its start. */
function chained(found: readonly Found[]): { readonly live: Found[]; readonly void: Found[] } {
  let live: Found[] = [];
  for (const next of found) {
    const { previousIndex, forgets } = next.header;
    const stays = forgets ? [] : live.filter(({ header }) => header.previousIndex < previousIndex);
    live = [...stays, next];
  }
  return { live, void: found.filter((one) => !live.includes(one)) };
}

/** @returns whether the segment can be written on as it is */
async function secure(
  { file, path, end, isDamaged }: Segment,
  bytes: Uint8Array,
  { lastBatch, tornBytes, offsets }: Scan,
  logger: Logger,
): Promise<boolean> {
  if (tornBytes > 0) {
    const entries = offsets.length;
    logger.warn("cut off a write that was torn", { path, entries, bytes: tornBytes });
    await file.truncate(end);
  }
  // Records that say they belong to a longer batch would look torn for ever.
  if (isDamaged || lastBatch.end !== end) return false;
  await file.write(lastBatch.start, bytes.subarray(lastBatch.start, end));
  await file.sync();
  return true;
}
