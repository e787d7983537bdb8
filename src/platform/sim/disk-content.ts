/**
 * A file's bytes, and what a crash may do to those that were not synced.
 *
 * Keeps, for each write since the last sync, what it takes to undo it. A crash undoes them all and then does
 * some again, each as chance has it: whole, not at all, only its first part, or only some of the sectors it
 * touches. So a later write may survive an earlier one that did not, with a gap of zeros between, as on a real
 * disk.
 *
 * What a sync failed to write is as Linux has it: readers still see it, no later sync brings it to the disk.
 */
import type { SimRandom } from "./random.ts";

const EMPTY = new Uint8Array(0);
/** Written whole or not at all, unless a write ends in it. */
const SECTOR_BYTES = 512;

/** A change at `offset`: `after` in place of `before`, and the file's size going along. */
interface Change {
  readonly kind: "write" | "truncate";
  readonly offset: number;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
  readonly sizeBefore: number;
  readonly sizeAfter: number;
  /** On the disk; kept only to be done again after what lies under it. */
  synced: boolean;
  /** A sync of it has failed. */
  abandoned: boolean;
}

export class DiskContent {
  #buffer = EMPTY;
  #sizeBytes = 0;
  #unsynced: Change[] = [];

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  read(offset: number, count: number): Uint8Array {
    return this.#buffer.slice(offset, Math.max(offset, Math.min(offset + count, this.#sizeBytes)));
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#change({
      kind: "write",
      offset,
      before: this.read(offset, bytes.byteLength),
      // A copy, which `slice` of a Buffer is not.
      after: new Uint8Array(bytes),
      sizeBefore: this.#sizeBytes,
      sizeAfter: Math.max(this.#sizeBytes, offset + bytes.byteLength),
      synced: false,
      abandoned: false,
    });
  }

  truncate(sizeBytes: number): void {
    this.#change({
      kind: "truncate",
      offset: sizeBytes,
      before: this.read(sizeBytes, Math.max(0, this.#sizeBytes - sizeBytes)),
      after: EMPTY,
      sizeBefore: this.#sizeBytes,
      sizeAfter: sizeBytes,
      synced: false,
      abandoned: false,
    });
  }

  sync(): void {
    if (!this.#unsynced.some(({ abandoned }) => abandoned)) this.#unsynced = [];
    for (const change of this.#unsynced) change.synced = !change.abandoned;
  }

  failSync(): void {
    for (const change of this.#unsynced) change.abandoned = !change.synced;
  }

  crash(random: SimRandom): void {
    const changes = this.#unsynced;
    this.#unsynced = [];
    for (const { offset, before, sizeBefore } of [...changes].reverse()) {
      this.#resize(sizeBefore);
      this.#buffer.set(before, offset);
    }
    for (const change of changes) this.#doAgain(change, random);
  }

  flipBit(offset: number, bit: number): void {
    this.#buffer[offset] = (this.#buffer[offset] ?? 0) ^ (1 << bit);
  }

  #change(change: Change): void {
    this.#unsynced.push(change);
    this.#resize(change.sizeAfter);
    this.#buffer.set(change.after, change.offset);
  }

  #doAgain({ kind, offset, after, sizeAfter, synced }: Change, random: SimRandom): void {
    const fate = synced ? "whole" : fateOf(random);
    if (fate === "lost") return;
    if (kind === "truncate") {
      this.#resize(sizeAfter);
      return;
    }
    if (fate === "sectors") {
      this.#redoSectors(offset, after, random);
      return;
    }
    const kept = fate === "whole" ? after.byteLength : random.between(0, after.byteLength);
    this.#resize(Math.max(this.#sizeBytes, offset + kept));
    this.#buffer.set(after.subarray(0, kept), offset);
  }

  #redoSectors(offset: number, after: Uint8Array, random: SimRandom): void {
    const end = offset + after.byteLength;
    for (let at = offset; at < end;) {
      const sectorEnd = Math.min(end, at - (at % SECTOR_BYTES) + SECTOR_BYTES);
      if (random.chance(0.5)) {
        this.#resize(Math.max(this.#sizeBytes, sectorEnd));
        this.#buffer.set(after.subarray(at - offset, sectorEnd - offset), at);
      }
      at = sectorEnd;
    }
  }

  /** Bytes that come into being are zeros. */
  #resize(sizeBytes: number): void {
    if (sizeBytes > this.#buffer.byteLength) {
      const larger = new Uint8Array(Math.max(sizeBytes, this.#buffer.byteLength * 2));
      larger.set(this.#buffer.subarray(0, this.#sizeBytes));
      this.#buffer = larger;
    }
    if (sizeBytes < this.#sizeBytes) this.#buffer.fill(0, sizeBytes, this.#sizeBytes);
    this.#sizeBytes = sizeBytes;
  }
}

function fateOf(random: SimRandom): "lost" | "whole" | "first part" | "sectors" {
  return (["lost", "whole", "first part", "sectors"] as const)[random.between(0, 3)] ?? "lost";
}
