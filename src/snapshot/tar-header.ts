/**
 * The header of a file in a tar, in the form of POSIX.1-1988 (ustar): one block of 512 bytes, numbers as octal text. The
 * file's bytes follow, filled up to whole blocks; two blocks of zeros end the archive.
 *
 *       0 name[100]    100 mode[8]   108 uid[8]    116 gid[8]     124 size[12]   136 mtime[12]
 *     148 sum[8]       156 type[1]   157 link[100] 257 "ustar\0" "00"            265 owner[32]
 *     297 group[32]    329 major[8]  337 minor[8]  345 prefix[155]
 */
import { unusable } from "./archive-meta.ts";

export const BLOCK_BYTES = 512;
/** Eleven octal digits. */
const SIZE_MAX = 0o77777777777;
const REGULAR = "0";

export interface TarFile {
  readonly name: string;
  readonly sizeBytes: number;
}

/** A file of mode 0600, owned by root. @param modifiedSeconds since 1970 */
export function encodeTarHeader(file: TarFile, modifiedSeconds: number): Uint8Array {
  if (file.sizeBytes > SIZE_MAX) throw new RangeError(`too large for a tar: ${file.sizeBytes}`);
  const block = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, at: number, digits: number): void => {
    block.write(value.toString(8).padStart(digits, "0"), at, "latin1");
  };
  block.write(file.name, 0, 100, "latin1");
  octal(0o600, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(file.sizeBytes, 124, 11);
  octal(modifiedSeconds, 136, 11);
  block.write(REGULAR, 156, "latin1");
  block.write("ustar", 257, "latin1");
  block.write("00", 263, "latin1");
  octal(0, 329, 7);
  octal(0, 337, 7);
  octal(sumOf(block), 148, 6);
  block.write("\0 ", 154, "latin1");
  return block;
}

/**
 * @returns undefined for a block of zeros
 * @throws {RollcallError} `request/refused`
 */
export function decodeTarHeader(block: Uint8Array): TarFile | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  const header = Buffer.from(block);
  const text = (at: number, length: number): string => {
    const field = header.toString("latin1", at, at + length);
    const end = field.indexOf("\0");
    return end === -1 ? field : field.slice(0, end);
  };
  const octal = (at: number, length: number): number => {
    const digits = text(at, length).trim();
    return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
  };
  const sizeBytes = octal(124, 12);
  const isFile = ["", REGULAR].includes(text(156, 1));
  if (octal(148, 8) !== sumOf(header) || Number.isNaN(sizeBytes)) {
    throw unusable("failed reading snapshot: archive/tar: invalid tar header");
  }
  const name = text(0, 100);
  if (!isFile || text(345, 155) !== "") throw unusable(`unexpected file "${name}" in snapshot`);
  return { name, sizeBytes };
}

/** The sum of all bytes, those of the sum itself counted as spaces. */
function sumOf(block: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < BLOCK_BYTES; at += 1) {
    sum += at >= 148 && at < 156 ? 0x20 : (block[at] ?? 0);
  }
  return sum;
}

/** Zeros that fill a file up to whole blocks. */
export const paddingBytes = (sizeBytes: number): number =>
  (BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES;
