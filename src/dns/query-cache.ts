/**
 * Packets that were seen before, so that a name asked for again is not parsed again. The key is the packet
 * itself, all but its id.
 *
 * Two generations bound it: when the young one is full, it becomes the old one, and what is not asked for
 * during the next generation is forgotten. A flood of names costs parsing, never memory.
 */
export const GENERATION_MAX = 4096;
/** Larger packets carry options that do not repeat; parsing those each time is fine. */
const PACKET_MAX_BYTES = 160;
const ID_BYTES = 2;

interface Entry<T> {
  readonly packet: Uint8Array;
  readonly value: T;
}

export class QueryCache<T> {
  #young = new Map<number, Entry<T>>();
  #old = new Map<number, Entry<T>>();

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(packet: Uint8Array): T | undefined {
    if (packet.length > PACKET_MAX_BYTES) return undefined;
    const hash = hashOf(packet);
    const young = this.#young.get(hash);
    if (young !== undefined) return same(young.packet, packet) ? young.value : undefined;
    const old = this.#old.get(hash);
    if (old === undefined || !same(old.packet, packet)) return undefined;
    this.#put(hash, old);
    return old.value;
  }

  /** Keeps a copy of the packet. Of two packets with one hash the later stays. */
  set(packet: Uint8Array, value: T): void {
    if (packet.length > PACKET_MAX_BYTES) return;
    this.#put(hashOf(packet), { packet: packet.slice(), value });
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }

  #put(hash: number, entry: Entry<T>): void {
    if (this.#young.size >= GENERATION_MAX) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(hash, entry);
  }
}

/** FNV-1a, 32 bits. */
function hashOf(packet: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = ID_BYTES; i < packet.length; i++) {
    hash = Math.imul(hash ^ (packet[i] ?? 0), 0x01000193);
  }
  return hash | 0;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = ID_BYTES; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
