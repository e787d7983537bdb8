/** Writing snapshot archives (`archive-meta.ts`), while the state is still being read. */
import { createHash } from "node:crypto";
import { pipeline, Readable } from "node:stream";
import { createGzip } from "node:zlib";
import type { SnapshotMetaJson } from "../wire/index.ts";
import { encodeMeta, META, STATE, SUMS } from "./archive-meta.ts";
import { BLOCK_BYTES, encodeTarHeader, paddingBytes } from "./tar-header.ts";

export interface ArchiveContent {
  readonly meta: SnapshotMetaJson;
  /** `meta.Size` bytes. */
  readonly state: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** Wall clock: the files' time of last change. */
  readonly nowMs: number;
}

/** @throws {Error} when the state has another length than `meta` says */
export async function* writeArchive(content: ArchiveContent): AsyncGenerator<Uint8Array, void> {
  // What goes wrong destroys all of the chain, and so comes out here.
  const zipped = pipeline(Readable.from(tarOf(content)), createGzip(), () => {});
  for await (const bytes of zipped) yield bytes as Uint8Array;
}

async function* tarOf({ meta, state, nowMs }: ArchiveContent): AsyncGenerator<Uint8Array> {
  const seconds = Math.floor(nowMs / 1000);
  const encodedMeta = encodeMeta(meta);
  yield* wholeFile(META, encodedMeta, seconds);

  yield encodeTarHeader({ name: STATE, sizeBytes: meta.Size }, seconds);
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const bytes of state) {
    hash.update(bytes);
    sizeBytes += bytes.length;
    yield bytes;
  }
  if (sizeBytes !== meta.Size)
    throw new Error(`the state has ${sizeBytes} bytes, not ${meta.Size}`);
  yield Buffer.alloc(paddingBytes(sizeBytes));

  const sums = [
    `${createHash("sha256").update(encodedMeta).digest("hex")}  ${META}\n`,
    `${hash.digest("hex")}  ${STATE}\n`,
  ];
  yield* wholeFile(SUMS, Buffer.from(sums.join("")), seconds);
  yield Buffer.alloc(2 * BLOCK_BYTES);
}

function* wholeFile(name: string, bytes: Uint8Array, seconds: number): Generator<Uint8Array> {
  yield encodeTarHeader({ name, sizeBytes: bytes.length }, seconds);
  yield bytes;
  yield Buffer.alloc(paddingBytes(bytes.length));
}
