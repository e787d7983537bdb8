/**
 * Term and vote, in a file that is replaced as a whole and holds them twice, so that no single rotten bit makes a
 * server forget whom it voted for.
 *
 *     copy     0             8        16                20              20 + length
 *              +-------------+--------+-----------------+---------------+-----+
 *              | "ROLLVOT" 01| term   | length of vote  | vote, UTF-8   | sum |     twice, one after the other
 *              +-------------+--------+-----------------+---------------+-----+
 */
import { RollcallError } from "../errors/index.ts";
import type { Disk } from "../platform/index.ts";
import { crc32c } from "./crc32c.ts";
import type { HardState } from "./wal-port.ts";

const MAGIC = Buffer.from("ROLLVOT\x01", "latin1");
const FIXED_BYTES = MAGIC.length + 8 + 4;
const SUM_BYTES = 4;
const NAME = "hard-state";

export const NO_HARD_STATE: HardState = { term: 0, vote: "" };

/**
 * @returns undefined when it was never written
 * @throws {RollcallError} `disk/failed` when neither copy is whole: this server must not vote again
 */
export async function readHardState(disk: Disk, directory: string): Promise<HardState | undefined> {
  const path = `${directory}/${NAME}`;
  const bytes = await disk.read(path);
  if (bytes === undefined) return undefined;
  const half = Math.floor(bytes.length / 2);
  const state = decodeCopy(bytes.subarray(0, half)) ?? decodeCopy(bytes.subarray(half));
  if (state !== undefined) return state;
  throw new RollcallError("disk/failed", `read ${path}: both copies of term and vote are corrupt`);
}

export function writeHardState(disk: Disk, directory: string, state: HardState): Promise<void> {
  const copy = encodeCopy(state);
  return disk.replace(`${directory}/${NAME}`, Buffer.concat([copy, copy]));
}

function encodeCopy({ term, vote }: HardState): Buffer {
  const text = Buffer.from(vote, "utf8");
  const copy = Buffer.alloc(FIXED_BYTES + text.length + SUM_BYTES);
  copy.set(MAGIC);
  copy.writeBigUInt64LE(BigInt(term), MAGIC.length);
  copy.writeUInt32LE(text.length, MAGIC.length + 8);
  copy.set(text, FIXED_BYTES);
  copy.writeUInt32LE(crc32c(copy, 0, FIXED_BYTES + text.length), FIXED_BYTES + text.length);
  return copy;
}

function decodeCopy(bytes: Uint8Array): HardState | undefined {
  const copy = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const sumAt = copy.length - SUM_BYTES;
  if (sumAt < FIXED_BYTES || !copy.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  if (copy.readUInt32LE(MAGIC.length + 8) !== sumAt - FIXED_BYTES) return undefined;
  if (crc32c(copy, 0, sumAt) !== copy.readUInt32LE(sumAt)) return undefined;
  return {
    term: Number(copy.readBigUInt64LE(MAGIC.length)),
    vote: copy.toString("utf8", FIXED_BYTES, sumAt),
  };
}
