/**
 * Where a state waits that comes in an archive: its sums are known at the end, and it is read twice after that, once to
 * see whether it can be decoded at all.
 */
import type { Disk } from "../platform/index.ts";

const SLICE_BYTES = 65_536;

export interface StateSpool extends AsyncDisposable {
  write(bytes: Uint8Array): Promise<void>;
  /** From the beginning, each time. */
  slices(): AsyncIterable<Uint8Array>;
}

/** @param path of a file that is this spool's alone, and gone when it is disposed of */
export async function diskSpool(disk: Disk, path: string): Promise<StateSpool> {
  const file = await disk.open(path);
  await file.truncate(0);
  let sizeBytes = 0;
  return {
    async write(bytes) {
      await file.write(sizeBytes, bytes);
      sizeBytes += bytes.byteLength;
    },
    async *slices() {
      for (let at = 0; at < sizeBytes; at += SLICE_BYTES) {
        yield await file.read(at, Math.min(SLICE_BYTES, sizeBytes - at));
      }
    },
    async [Symbol.asyncDispose]() {
      await file[Symbol.asyncDispose]();
      await disk.remove(path);
    },
  };
}

/** For a server that keeps nothing on a disk. */
export function memorySpool(): StateSpool {
  const slices: Uint8Array[] = [];
  return {
    async write(bytes) {
      slices.push(Uint8Array.from(bytes));
    },
    async *slices() {
      yield* slices;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
