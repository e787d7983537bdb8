/**
 * Reading snapshot archives (`archive-meta.ts`). The state is handed on as it comes, however long it is; whether it may
 * be believed is only known at the end, when its sum is. Error texts are Consul's.
 */
import { createHash, type Hash } from "node:crypto";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { messageOf, RollcallError } from "../errors/index.ts";
import type { SnapshotMetaJson } from "../wire/index.ts";
import { decodeMeta, META, STATE, SUMS, unusable } from "./archive-meta.ts";
import { ByteSource } from "./byte-source.ts";
import { BLOCK_BYTES, decodeTarHeader, paddingBytes, type TarFile } from "./tar-header.ts";

/** More than the two small files of any cluster need. */
const SMALL_FILE_BYTES_MAX = 1_048_576;

/** Takes the state, which is not to be used before `readArchive` has resolved. */
export interface StateSink {
  write(bytes: Uint8Array): Promise<void>;
}

/** @throws {RollcallError} `request/refused`, with what is wrong with the archive; and whatever the sink throws */
export async function readArchive(
  archive: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  state: StateSink,
): Promise<SnapshotMetaJson> {
  const tar = new ByteSource(unzipped(archive));
  try {
    const meta = await readTar(tar, state);
    if ((await tar.next()) !== undefined) throw unusable("unread uncompressed bytes remain");
    return meta;
  } catch (error) {
    if (!(error instanceof RollcallError) || error.message.startsWith(UNZIPPING)) throw error;
    throw unusable(`failed to read snapshot file: ${error.message}`);
  } finally {
    await tar.close();
  }
}

const GZIP_HEADER_BYTES = 10;
const UNZIPPING = "failed to decompress snapshot: ";

async function* unzipped(
  archive: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  let hasFailed: { readonly error: unknown } | undefined;
  // What fails in there is not the archive's fault, and passes as it is.
  const guarded = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for await (const bytes of archive) yield bytes;
    } catch (error) {
      hasFailed = { error };
      throw error;
    }
  };
  // Go looks at the header once all of it is there.
  const source = new ByteSource(guarded());
  const head = await source.upTo(GZIP_HEADER_BYTES);
  if (head.length < GZIP_HEADER_BYTES) {
    throw unusable(UNZIPPING + (head.length === 0 ? "EOF" : "unexpected EOF"));
  }
  const bytes = pipeline(
    Readable.from(source.rest(head), { objectMode: false }),
    createGunzip(),
    () => {},
  );
  try {
    for await (const part of bytes) yield part as Uint8Array;
  } catch (error) {
    if (hasFailed !== undefined) throw hasFailed.error;
    const text = zlibFault(error);
    throw unusable(text === BAD_HEADER ? `${UNZIPPING}${text}` : `${READING}${text}`);
  }
}

const BAD_HEADER = "gzip: invalid header";

/** What Go says of it. */
function zlibFault(error: unknown): string {
  switch ((error as { readonly code?: unknown }).code) {
    case "Z_BUF_ERROR":
      return "unexpected EOF";
    case "Z_DATA_ERROR":
      return messageOf(error) === "incorrect header check" ? BAD_HEADER : "flate: corrupt input";
    default:
      return messageOf(error);
  }
}

async function readTar(tar: ByteSource, state: StateSink): Promise<SnapshotMetaJson> {
  const hashes = new Map<string, Hash>();
  const small = new Map<string, Uint8Array>();
  let stateBytes = 0;
  for (;;) {
    const file = await nextFile(tar);
    if (file === undefined) break;
    const { name, sizeBytes } = file;
    if (![META, STATE, SUMS].includes(name) || hashes.has(name)) {
      throw unusable(`unexpected file "${name}" in snapshot`);
    }
    const hash = createHash("sha256");
    hashes.set(name, hash);
    if (name === STATE) stateBytes = sizeBytes;
    else if (sizeBytes > SMALL_FILE_BYTES_MAX) throw unusable(`the file "${name}" is too large`);
    const parts: Uint8Array[] = [];
    for (let left = sizeBytes; left > 0;) {
      const part = await within(name, tar.atMost(left));
      left -= part.length;
      hash.update(part);
      if (name === STATE) await state.write(part);
      else parts.push(part);
    }
    if (name !== STATE) small.set(name, Buffer.concat(parts));
    await tar.skip(paddingBytes(sizeBytes), ENDS_EARLY);
  }
  const listed = hashes.get(SUMS);
  hashes.delete(SUMS);
  if (listed === undefined) throw integrity(`file missing for "${SUMS}"`);
  for (const name of [META, STATE]) {
    if (!hashes.has(name)) throw integrity(`file missing for "${name}"`);
  }
  verify(Buffer.from(small.get(SUMS) ?? []).toString(), hashes);
  const meta = decodeMeta(small.get(META) ?? new Uint8Array());
  if (meta.Size !== stateBytes) {
    throw unusable(`failed to write snapshot, size didn't match (${stateBytes} != ${meta.Size})`);
  }
  return meta;
}

const READING = "failed reading snapshot: ";
const ENDS_EARLY = `${READING}unexpected EOF`;
/** What Consul says in place of that, where it is within a file. */
const READING_FILE: Readonly<Record<string, string>> = {
  [META]: "failed to read snapshot metadata: ",
  [STATE]: "failed to read or write snapshot data: ",
  [SUMS]: "failed to read snapshot hashes: ",
};

/** @throws {RollcallError} in the words for that file, also when there is nothing more */
async function within(name: string, taking: Promise<Uint8Array | undefined>): Promise<Uint8Array> {
  try {
    const part = await taking;
    if (part !== undefined) return part;
    throw unusable(ENDS_EARLY);
  } catch (error) {
    if (!(error instanceof RollcallError) || !error.message.startsWith(READING)) throw error;
    throw unusable(`${READING_FILE[name] ?? READING}${error.message.slice(READING.length)}`);
  }
}

async function nextFile(tar: ByteSource): Promise<TarFile | undefined> {
  const block = await tar.exactly(BLOCK_BYTES, ENDS_EARLY);
  const file = decodeTarHeader(block);
  if (file !== undefined) return file;
  const second = await tar.exactly(BLOCK_BYTES, ENDS_EARLY);
  if (decodeTarHeader(second) === undefined) return undefined;
  throw unusable("failed reading snapshot: archive/tar: invalid tar header");
}

const integrity = (what: string): RollcallError =>
  unusable(`failed checking integrity of snapshot: ${what}`);

function verify(list: string, hashes: ReadonlyMap<string, Hash>): void {
  const seen = new Set<string>();
  for (const line of list.split("\n")) {
    if (line === "") continue;
    const [, sum = "", name = ""] = /^([0-9a-f]{64}) {2}(\S+)$/i.exec(line) ?? [];
    if (name === "") throw integrity("a line that is no sum");
    const hash = hashes.get(name);
    if (hash === undefined) throw integrity(`list missing hash for "${name}"`);
    if (seen.has(name)) throw integrity(`two sums for "${name}"`);
    seen.add(name);
    if (hash.digest("hex") !== sum.toLowerCase())
      throw integrity(`hash check failed for "${name}"`);
  }
  for (const name of hashes.keys()) {
    if (!seen.has(name)) throw integrity(`file missing for "${name}"`);
  }
}
