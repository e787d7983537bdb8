/**
 * Files that follow what is in memory. Who changes the memory says what is behind; the job that catches up
 * reads the memory when its turn comes. So the last change always wins, whatever the order in which writes
 * end, and changes that come faster than the disk takes them cost one write together.
 */
import { createHash } from "node:crypto";
import type { Disk } from "../platform/index.ts";

/** Of each key one job runs and one waits at most: who asks while one waits shares it. */
export class Lanes implements AsyncDisposable {
  readonly #running = new Map<string, Promise<void>>();
  readonly #waiting = new Map<string, Promise<void>>();

  /** Resolves or rejects with a run of `job` that begins after this call. */
  run(key: string, job: () => Promise<void>): Promise<void> {
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) return waiting;
    const before = this.#running.get(key) ?? Promise.resolve();
    // A failure before ours has been told to who waited for it.
    const next = before.catch(() => {}).then(() => this.#begin(key, job));
    this.#waiting.set(key, next);
    return next;
  }

  #begin(key: string, job: () => Promise<void>): Promise<void> {
    this.#waiting.delete(key);
    const running = job().finally(() => {
      if (this.#running.get(key) === running) this.#running.delete(key);
    });
    this.#running.set(key, running);
    return running;
  }

  /** Waits for what is under way. Failures have been told to who asked. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([...this.#waiting.values(), ...this.#running.values()]);
  }
}

/** Files of which it is known what they say, so that nothing is written twice. */
export class KnownFiles {
  readonly #disk: Disk;
  readonly #digests = new Map<string, string>();

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** The file is there already, with this text. */
  found(path: string, text: string): void {
    this.#digests.set(path, digestOf(text));
  }

  /** @throws {RollcallError} `disk/failed` */
  async write(path: string, text: string): Promise<void> {
    const digest = digestOf(text);
    if (this.#digests.get(path) === digest) return;
    // Until it has succeeded nobody knows what is there, except that there may be something.
    this.#digests.set(path, "");
    await this.#disk.replace(path, new TextEncoder().encode(text));
    this.#digests.set(path, digest);
  }

  /** @throws {RollcallError} `disk/failed` */
  async remove(path: string): Promise<void> {
    if (!this.#digests.has(path)) return;
    await this.#disk.remove(path);
    this.#digests.delete(path);
  }
}

function digestOf(text: string): string {
  return createHash("md5").update(text).digest("base64");
}
