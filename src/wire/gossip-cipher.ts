/**
 * The sealed form of packets and streams (memberlist: security.go): AES-GCM with a key that all members have.
 *
 *     0         1               13                                     len-16
 *     +---------+---------------+--------------------------------------+---------+
 *     | version | nonce         | ciphertext                           | tag     |
 *     | u8      | 12 bytes      | version 0: padded to 16 by PKCS#7    | 16      |
 *     +---------+---------------+--------------------------------------+---------+
 *
 * Version 1 has been in use for as long as the protocol has had a version 2; version 0 is still read. A nonce
 * must never come twice under one key: the caller draws it from the platform's randomness.
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from "node:crypto";
import { malformed } from "./malformed.ts";

export interface GossipKey {
  /** 16, 24 or 32 bytes, which choose AES-128, -192 or -256. */
  readonly bytes: Uint8Array;
  readonly secret: KeyObject;
  readonly algorithm: "aes-128-gcm" | "aes-192-gcm" | "aes-256-gcm";
}
export interface Sealing {
  readonly key: GossipKey;
  /** 12 random bytes, never used before. */
  readonly nonce: Uint8Array;
  /** 1 unless told otherwise. */
  readonly version?: CipherVersion;
}
export type CipherVersion = 0 | 1;

export const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const BLOCK_BYTES = 16;
const HEADER_BYTES = 1 + NONCE_BYTES;
const NO_BYTES = new Uint8Array(0);

/** How much longer sealing makes a packet, at most. No blob is shorter than this. */
export const SEALING_BYTES_MAX: Readonly<Record<CipherVersion, number>> = {
  0: HEADER_BYTES + BLOCK_BYTES + TAG_BYTES,
  1: HEADER_BYTES + TAG_BYTES,
};

/** How long the blob of `plainLength` bytes will be. */
export function sealedLength(plainLength: number, version: CipherVersion = 1): number {
  return HEADER_BYTES + plainLength + paddingLength(plainLength, version) + TAG_BYTES;
}

/** @throws {RollcallError} `wire/malformed` with memberlist's text for a size that no AES has */
export function gossipKey(bytes: Uint8Array): GossipKey {
  const algorithms = { 16: "aes-128-gcm", 24: "aes-192-gcm", 32: "aes-256-gcm" } as const;
  const { length } = bytes;
  if (length !== 16 && length !== 24 && length !== 32) {
    throw malformed("key size must be 16, 24 or 32 bytes");
  }
  return { bytes, secret: createSecretKey(bytes), algorithm: algorithms[length] };
}

/** @param extra is authenticated with the message and not part of it */
export function seal(
  plain: Uint8Array,
  sealing: Sealing,
  extra: Uint8Array = NO_BYTES,
): Uint8Array {
  const { key, nonce, version = 1 } = sealing;
  if (nonce.length !== NONCE_BYTES) throw new RangeError("a nonce has 12 bytes");
  const cipher = createCipheriv(key.algorithm, key.secret, nonce);
  cipher.setAAD(extra);
  const padding = paddingLength(plain.length, version);
  const length = plain.length + padding;
  const blob = new Uint8Array(HEADER_BYTES + length + TAG_BYTES);
  blob[0] = version;
  blob.set(nonce, 1);
  blob.set(cipher.update(plain), HEADER_BYTES);
  if (padding > 0) {
    blob.set(cipher.update(new Uint8Array(padding).fill(padding)), HEADER_BYTES + plain.length);
  }
  cipher.final();
  blob.set(cipher.getAuthTag(), HEADER_BYTES + length);
  return blob;
}

/**
 * Tries every key in turn.
 *
 * @returns undefined when none fits: forged, damaged, or sealed with a key that is not ours
 */
export function unseal(
  blob: Uint8Array,
  keys: readonly GossipKey[],
  extra: Uint8Array = NO_BYTES,
): Uint8Array | undefined {
  const version = blob[0];
  if ((version !== 0 && version !== 1) || blob.length < SEALING_BYTES_MAX[version])
    return undefined;
  for (const key of keys) {
    const plain = unsealWith(key, blob, extra);
    if (plain !== undefined) return version === 0 ? withoutPadding(plain) : plain;
  }
  return undefined;
}

function unsealWith(key: GossipKey, blob: Uint8Array, extra: Uint8Array): Uint8Array | undefined {
  const nonce = blob.subarray(1, HEADER_BYTES);
  const decipher = createDecipheriv(key.algorithm, key.secret, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(extra);
  decipher.setAuthTag(blob.subarray(blob.length - TAG_BYTES));
  const plain = decipher.update(blob.subarray(HEADER_BYTES, blob.length - TAG_BYTES));
  try {
    decipher.final();
  } catch {
    return undefined; // `final` throws for one reason: the tag is not that of this message.
  }
  return plain;
}

function paddingLength(plainLength: number, version: CipherVersion): number {
  return version === 0 ? BLOCK_BYTES - (plainLength % BLOCK_BYTES) : 0;
}

function withoutPadding(padded: Uint8Array): Uint8Array | undefined {
  const padding = padded[padded.length - 1] ?? 0;
  const isPadding = padding > 0 && padding <= BLOCK_BYTES && padded.length >= padding;
  return isPadding ? padded.subarray(0, padded.length - padding) : undefined;
}
