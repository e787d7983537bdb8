/** The file that keeps a key ring over restarts: a JSON array of base64 texts, the primary key first. */
import type { Keyring } from "../gossip/index.ts";
import type { Disk } from "../platform/index.ts";

const PRIVATE_FILE = 0o600;
const INDENT = 2;

export function keyText(key: Uint8Array): string {
  return Buffer.from(key).toString("base64");
}

/** Writes that come while one is under way follow it, each with the keys as they are then. */
export class KeyringFile {
  readonly #disk: Disk;
  readonly #path: string;
  #last: Promise<void> = Promise.resolve();

  constructor(disk: Disk, path: string) {
    this.#disk = disk;
    this.#path = path;
  }

  /** @throws {RollcallError} `disk/failed` */
  write(keyring: Keyring): Promise<void> {
    const replace = (): Promise<void> => {
      const texts = keyring.keys.map(({ bytes }) => keyText(bytes));
      const content = Buffer.from(JSON.stringify(texts, undefined, INDENT));
      return this.#disk.replace(this.#path, content, { mode: PRIVATE_FILE });
    };
    this.#last = this.#last.then(replace, replace);
    return this.#last;
  }
}
