/** `rollcall keygen`: a new key for the encryption of gossip. */
import { encodeBase64 } from "../model/index.ts";
import type { Command } from "./command.ts";

const KEY_BYTES = 32;

export const keygen: Command = {
  name: "keygen",
  usage: `
Usage: rollcall keygen

  Prints a new random key for the setting "encrypt", and for
  "rollcall keyring -install".`,
  flags: [],
  run({ platform, stdout }) {
    stdout(`${encodeBase64(platform.random.bytes(KEY_BYTES))}\n`);
    return Promise.resolve(0);
  },
};
