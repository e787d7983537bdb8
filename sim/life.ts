/**
 * What a process has of its machine while it lives: once it is dead its timers do not fire and its calls to the
 * disk do nothing, whatever of it still hangs around in memory.
 */
import { RollcallError } from "../src/errors/index.ts";
import type { Clock, Disk, DiskFile, Instant } from "../src/platform/index.ts";

export class Life {
  isOver = false;
}

/** Fast or slow against the world's, and still once the process is dead. */
export class LifeClock implements Clock {
  readonly #world: Clock;
  readonly #life: Life;
  readonly #rate: number;

  constructor(world: Clock, life: Life, rate: number) {
    this.#world = world;
    this.#life = life;
    this.#rate = rate;
  }

  now(): Instant {
    return (this.#world.now() * this.#rate) as Instant;
  }

  wallMs(): number {
    return this.#world.wallMs();
  }

  after(delayMs: number, fire: () => void): Disposable {
    return this.#world.after(delayMs / this.#rate, () => {
      if (!this.#life.isOver) fire();
    });
  }
}

export function lifeDisk(disk: Disk, life: Life): Disk {
  const alive = <T>(act: () => Promise<T>): Promise<T> => {
    if (life.isOver) return Promise.reject(new RollcallError("disk/failed", "the process is dead"));
    return act();
  };
  return {
    read: (path) => alive(() => disk.read(path)),
    list: (path) => alive(() => disk.list(path)),
    replace: (path, bytes) => alive(() => disk.replace(path, bytes)),
    makeDirectory: (path) => alive(() => disk.makeDirectory(path)),
    remove: (path) => alive(() => disk.remove(path)),
    removeDirectory: (path) => alive(() => disk.removeDirectory(path)),
    open: (path) => alive(async () => lifeFile(await disk.open(path), alive)),
  };
}

function lifeFile(file: DiskFile, alive: <T>(act: () => Promise<T>) => Promise<T>): DiskFile {
  return {
    get sizeBytes() {
      return file.sizeBytes;
    },
    read: (offset, count) => alive(() => file.read(offset, count)),
    write: (offset, bytes) => alive(() => file.write(offset, bytes)),
    truncate: (sizeBytes) => alive(() => file.truncate(sizeBytes)),
    sync: () => alive(() => file.sync()),
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  };
}
