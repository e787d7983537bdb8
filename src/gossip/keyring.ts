/**
 * The keys of a cluster (memberlist: keyring.go): what is sent is sealed with the first, the primary; what comes may
 * be sealed with any. To change the key: install the new one everywhere, use it everywhere, remove the old one.
 */
import { RollcallError } from "../errors/index.ts";
import { gossipKey, type GossipKey } from "../wire/index.ts";

export class Keyring {
  #keys: readonly GossipKey[] = [];

  /** @throws {RollcallError} `wire/malformed` for a key that has not 16, 24 or 32 bytes */
  constructor(keys: readonly Uint8Array[] = []) {
    for (const key of keys) this.install(key);
  }

  /** The primary first. A new list whenever something changes. */
  get keys(): readonly GossipKey[] {
    return this.#keys;
  }

  /** One that is there already changes nothing; the first becomes the primary. @throws as the constructor */
  install(bytes: Uint8Array): void {
    const key = gossipKey(bytes.slice());
    if (this.#find(bytes) === undefined) this.#keys = [...this.#keys, key];
  }

  /** Makes it the primary. @throws {RollcallError} `request/refused` */
  use(bytes: Uint8Array): void {
    const key = this.#find(bytes);
    if (key === undefined) {
      throw new RollcallError("request/refused", "Requested key is not in the keyring");
    }
    this.#keys = [key, ...this.#keys.filter((other) => other !== key)];
  }

  /** One that is not there is no error. @throws {RollcallError} `request/refused` */
  remove(bytes: Uint8Array): void {
    const key = this.#find(bytes);
    if (key === undefined) return;
    if (key === this.#keys[0]) {
      throw new RollcallError("request/refused", "Removing the primary key is not allowed");
    }
    this.#keys = this.#keys.filter((other) => other !== key);
  }

  #find(bytes: Uint8Array): GossipKey | undefined {
    return this.#keys.find((key) => Buffer.compare(key.bytes, bytes) === 0);
  }
}
