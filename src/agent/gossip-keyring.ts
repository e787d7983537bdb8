/**
 * The keys of a pool: from its keyring file, or, where there is none, from the configuration, which then becomes
 * the file's first content. A file wins over the configuration: keys may have been rotated since.
 */
import { join } from "node:path";
import type { RuntimeConfig } from "../config/index.ts";
import { messageOf, RollcallError } from "../errors/index.ts";
import { Keyring } from "../gossip/index.ts";
import { decodeBase64 } from "../model/index.ts";
import type { Disk, Logger } from "../platform/index.ts";
import type { PoolName } from "./pool-tags.ts";

const FILES: Readonly<Record<PoolName, string>> = { lan: "local.keyring", wan: "remote.keyring" };
const FILE_MODE = 0o600;

export interface PoolKeys {
  readonly keyring: Keyring;
  /** Where changes of it are to be kept. */
  readonly file: string | undefined;
}
export interface KeyringNeeds {
  readonly disk: Disk;
  readonly logger: Logger;
  readonly config: RuntimeConfig;
}

/**
 * @returns undefined when the pool is not encrypted
 * @throws {RollcallError} `config/invalid` for keys that are none
 */
export async function openKeyring(
  { disk, logger, config }: KeyringNeeds,
  pool: PoolName,
): Promise<PoolKeys | undefined> {
  const { encrypt, disableKeyringFile } = config.gossip;
  if (disableKeyringFile || config.dataDir === "") {
    return encrypt === "" ? undefined : { keyring: keyringOf([encrypt]), file: undefined };
  }
  const directory = join(config.dataDir, "serf");
  const file = join(directory, FILES[pool]);
  const kept = await disk.read(file);
  if (kept !== undefined) {
    const keys = keysIn(kept, file);
    if (encrypt !== "" && !keys.includes(encrypt)) {
      logger.warn("keyring doesn't include key provided with -encrypt, using keyring", {
        keyring: pool.toUpperCase(),
      });
    }
    return { keyring: keyringOf(keys), file };
  }
  if (encrypt === "") return undefined;
  const keyring = keyringOf([encrypt]);
  await disk.makeDirectory(directory);
  await disk.replace(file, encodeKeys([encrypt]), { mode: FILE_MODE });
  return { keyring, file };
}

/** A JSON list of base64 texts, the primary first: Consul's own file. */
function encodeKeys(keys: readonly string[]): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(keys));
}

function keysIn(bytes: Uint8Array, file: string): readonly string[] {
  let keys: unknown;
  try {
    keys = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw refuse(`error unmarshalling keyring file ${file}: ${messageOf(error)}`);
  }
  if (!Array.isArray(keys) || keys.some((key) => typeof key !== "string")) {
    throw refuse(`error unmarshalling keyring file ${file}: not a list of texts`);
  }
  if (keys.length === 0) throw refuse(`no keys in keyring file ${file}`);
  return keys as string[];
}

function keyringOf(keys: readonly string[]): Keyring {
  try {
    return new Keyring(keys.map((key) => decodeBase64(key)));
  } catch (error) {
    throw refuse(`Failed to configure keyring: Invalid key: ${messageOf(error)}`);
  }
}

function refuse(text: string): RollcallError {
  return new RollcallError("config/invalid", text);
}
