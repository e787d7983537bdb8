/** How this node wraps what it sends, and what it takes of what comes: keys, label, compression. */
import type { Random } from "../platform/index.ts";
import { NONCE_BYTES, SEALING_BYTES_MAX, type Opening, type Wrapping } from "../wire/index.ts";
import type { GossipOptions } from "./gossip-types.ts";

const LABEL_HEADER_BYTES = 2;
/** In the form that every node since memberlist 0.2 reads. */
const SEALED_BYTES = SEALING_BYTES_MAX[1];
/** Anything shorter does not get smaller. */
const COMPRESS_FROM_BYTES = 100;

export class Sealer {
  readonly #options: GossipOptions;
  readonly #random: Random;
  readonly #label: Uint8Array;

  constructor(options: GossipOptions, random: Random) {
    this.#options = options;
    this.#random = random;
    this.#label = Buffer.from(options.label ?? "");
  }

  opening(): Opening {
    const { keyring, verifyIncoming = true } = this.#options;
    return { keys: keyring?.keys ?? [], verifyIncoming, label: this.#label };
  }

  /** @param sizeBytes of the message; on streams what is compressed stays so */
  wrapping(sizeBytes: number): Omit<Wrapping, "crc"> {
    const { profile, keyring, verifyOutgoing = true } = this.#options;
    const key = verifyOutgoing ? keyring?.keys[0] : undefined;
    return {
      compress: profile.compression === "lzw" && sizeBytes >= COMPRESS_FROM_BYTES,
      ...(key && { sealing: { key, nonce: this.#random.bytes(NONCE_BYTES) } }),
      label: this.#label,
    };
  }

  /** What the wrapping may add to a packet. */
  get overheadBytes(): number {
    const { keyring, verifyOutgoing = true } = this.#options;
    const isSealed = verifyOutgoing && (keyring?.keys.length ?? 0) > 0;
    const labelBytes = this.#label.length > 0 ? LABEL_HEADER_BYTES + this.#label.length : 0;
    return labelBytes + (isSealed ? SEALED_BYTES : 0);
  }
}
