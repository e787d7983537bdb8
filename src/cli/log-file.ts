/**
 * The log in files: `log_file` names them, `log_rotate_*` say when the next one begins and how many stay.
 *
 *     log_file "/var/log/a.txt"  ▶  /var/log/a-1795910905162000000.txt      nanoseconds since 1970
 *              "/var/log/"       ▶  /var/log/consul-1795910905162000000.log
 *
 * As with Consul, a file is full once it has `rotateBytes` or is `rotateDurationMs` old, and the next record
 * begins another. Then all but the last `rotateMaxFiles` of the old ones go; 0 keeps all, -1 none.
 */
import { extname, join, parse } from "node:path";
import type { RuntimeConfig } from "../config/index.ts";
import { RollcallError } from "../errors/index.ts";
import type { Clock, Disk, DiskFile, Instant } from "../platform/index.ts";

/** Records that wait for a slow disk; of more, the newest are lost here (they are on standard output too). */
const WAITING_MAX = 10_000;
const ROTATE_AFTER_DEFAULT_MS = 24 * 3600 * 1000;

type Settings = RuntimeConfig["logFile"];
interface Current {
  readonly file: DiskFile;
  readonly openedAt: Instant;
  sizeBytes: number;
}

/** @throws {RollcallError} `disk/failed` when the first file cannot be made */
export async function openLogFile(
  settings: Settings,
  { disk, clock }: { readonly disk: Disk; readonly clock: Clock },
): Promise<LogFile> {
  const log = new LogFile(settings, disk, clock);
  await log.rotate();
  return log;
}

export class LogFile implements AsyncDisposable {
  readonly #settings: Settings;
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #directory: string;
  readonly #before: string;
  readonly #after: string;
  #current: Current | undefined;
  #lastName = 0n;
  #waiting: string[] = [];
  #writing: Promise<void> | undefined;

  constructor(settings: Settings, disk: Disk, clock: Clock) {
    this.#settings = settings;
    this.#disk = disk;
    this.#clock = clock;
    const path = settings.path.endsWith("/") ? `${settings.path}consul` : settings.path;
    const { dir, name } = parse(path);
    this.#directory = dir;
    this.#before = `${name}-`;
    this.#after = extname(path) || ".log";
  }

  /** Takes one record, without its line break; it is written when the disk gets to it. */
  write(record: string): void {
    if (this.#waiting.length >= WAITING_MAX) return;
    this.#waiting.push(record);
    this.#writing ??= this.#writeAll().finally(() => (this.#writing = undefined));
  }

  /** @throws {RollcallError} `disk/failed` */
  async rotate(): Promise<void> {
    await this.#close();
    await this.#prune();
    const file = await this.#disk.open(join(this.#directory, this.#nextName()));
    this.#current = { file, openedAt: this.#clock.now(), sizeBytes: file.sizeBytes };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
    await this.#close();
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const records = this.#waiting;
      this.#waiting = [];
      try {
        for (const record of records) await this.#append(Buffer.from(`${record}\n`));
      } catch (error) {
        // A disk that is full or gone costs these lines here; standard output has them.
        if (!(error instanceof RollcallError)) throw error;
      }
    }
  }

  async #append(line: Uint8Array): Promise<void> {
    if (this.#current === undefined || this.#isFull(this.#current)) await this.rotate();
    const current = this.#current;
    if (current === undefined) return;
    await current.file.write(current.sizeBytes, line);
    current.sizeBytes += line.byteLength;
  }

  #isFull({ sizeBytes, openedAt }: Current): boolean {
    const { rotateBytes, rotateDurationMs } = this.#settings;
    if (rotateBytes > 0 && sizeBytes >= rotateBytes) return true;
    return this.#clock.now() - openedAt >= (rotateDurationMs || ROTATE_AFTER_DEFAULT_MS);
  }

  async #prune(): Promise<void> {
    const { rotateMaxFiles } = this.#settings;
    if (rotateMaxFiles === 0) return;
    const entries = (await this.#disk.list(this.#directory || ".")) ?? [];
    const old = entries
      .filter(({ kind, name }) => kind === "file" && this.#isOurs(name))
      .map(({ name }) => name);
    for (const name of old.slice(0, Math.max(0, old.length - Math.max(0, rotateMaxFiles)))) {
      await this.#disk.remove(join(this.#directory, name));
    }
  }

  #isOurs(name: string): boolean {
    const stamp = name.slice(this.#before.length, -this.#after.length);
    return name === `${this.#before}${stamp}${this.#after}` && /^\d+$/.test(stamp);
  }

  /** Rises even where the wall clock does not. */
  #nextName(): string {
    const now = BigInt(this.#clock.wallMs()) * 1_000_000n;
    this.#lastName = now > this.#lastName ? now : this.#lastName + 1n;
    return `${this.#before}${this.#lastName}${this.#after}`;
  }

  async #close(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    await current?.file[Symbol.asyncDispose]();
  }
}
