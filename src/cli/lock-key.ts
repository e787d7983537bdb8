/**
 * A lock that one session at a time holds: the key `<prefix>/.lock`, acquired by the session. The key has a mark
 * in its flags, so that nothing else is taken for a lock (Consul docs: "Application Leader Elections").
 */
import { pause } from "../platform/index.ts";
import { RollcallError } from "../errors/index.ts";
import type { DirEntry } from "../model/index.ts";
import { deleteKeys, putKey, readKey } from "./kv-api.ts";
import type { Held, LockKind, LockNeeds } from "./lock-kind.ts";
import { named } from "./lock-waits.ts";

const MARK = 3304740253564472344n;
/** Nobody holds it, and yet it cannot be had: a lock-delay is running. */
const DELAYED_MS = 5000;

const CONFLICT = "Existing key does not match lock use";

export function keyLock({ api, clock, prefix, waits }: LockNeeds): LockKind {
  const key = `${prefix}/.lock`;
  const holderOf = (entry: DirEntry | undefined): string => {
    if (entry !== undefined && entry.Flags !== MARK) {
      throw new RollcallError("request/refused", CONFLICT);
    }
    return entry?.Session ?? "";
  };
  return {
    announcement: `Setting up lock at path: ${key}`,

    async acquire(session, signal): Promise<Held | undefined> {
      let since = 0n;
      for (;;) {
        const waitMs = waits.nextMs();
        if (waitMs === undefined || signal.aborted) return undefined;
        const found = await named(
          "failed to read lock",
          readKey(api, key, { since, waitMs, signal }),
        );
        const holder = holderOf(found.entry);
        if (holder === session) return { since: found.index };
        since = found.index;
        if (holder !== "") continue;
        const write = { acquire: session, flags: MARK };
        const acquiring = putKey(api, key, new Uint8Array(), write);
        if (await named("failed to acquire lock", acquiring)) return { since: 0n };
        const now = await named("failed to read lock", readKey(api, key, { signal }));
        since = now.index;
        if (holderOf(now.entry) === "") {
          since = 0n;
          await pause(clock, DELAYED_MS, signal);
        }
      }
    },

    async isHeld(session, since, signal) {
      const { entry, index } = await readKey(api, key, { since, signal, consistent: true });
      return { isHeld: entry?.Session === session, since: index };
    },

    async release(session) {
      await putKey(api, key, new Uint8Array(), { release: session, flags: MARK });
    },

    async removeUnused() {
      const { entry } = await readKey(api, key, {});
      if (entry === undefined) return true;
      if (holderOf(entry) !== "") return false;
      return deleteKeys(api, key, { cas: BigInt(entry.ModifyIndex) });
    },
  };
}
