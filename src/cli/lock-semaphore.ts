/**
 * A lock that up to `limit` sessions hold at a time (Consul docs: "Semaphore"). Each contender acquires a key of
 * its own, `<prefix>/<session>`, which goes with its session; `<prefix>/.lock` says who holds, and is changed
 * only by compare-and-set. Holders whose contender key is gone are dead and do not count.
 */
import { RollcallError } from "../errors/index.ts";
import {
  bool,
  int,
  jsonDecoder,
  jsonEncoder,
  map,
  struct,
  type DirEntry,
  type Static,
} from "../model/index.ts";
import { deleteKeys, putKey, readPrefix } from "./kv-api.ts";
import type { LockKind, LockNeeds } from "./lock-kind.ts";
import { named } from "./lock-waits.ts";

const MARK = 16210313421097356768n;
const NO_CONTENDER = "failed to make contender entry";

const Holders = struct("semaphoreLock", { Limit: int(), Holders: map(bool()) });
type Holders = Static<typeof Holders>;
const decodeHolders = jsonDecoder(Holders, { unknown: "ignore" });
const encodeHolders = jsonEncoder(Holders);

export function semaphore(
  { api, prefix, waits }: LockNeeds,
  { limit }: { readonly limit: number },
): LockKind {
  const lockKey = `${prefix}/.lock`;
  const contenderKey = (session: string): string => `${prefix}/${session}`;

  /** The lock's entry, and who of its holders lives. */
  const stateOf = (entries: readonly DirEntry[]): { entry?: DirEntry; living: Holders } => {
    const entry = entries.find(({ Key }) => Key === lockKey);
    if (entry === undefined) return { living: { Limit: limit, Holders: {} } };
    if (entry.Flags !== MARK) {
      throw new RollcallError("request/refused", "Existing key does not match semaphore use");
    }
    const text = Buffer.from(entry.Value ?? "").toString("utf8");
    const noted = text === "" ? { Limit: limit, Holders: {} } : decodeHolders(text);
    const sessions = new Set(entries.map(({ Session }) => Session));
    const holders = Object.keys(noted.Holders ?? {}).filter((holder) => sessions.has(holder));
    return { entry, living: { Limit: noted.Limit, Holders: setOf(holders) } };
  };
  const write = (holders: readonly string[], noted: number, cas: number): Promise<boolean> => {
    const text = encodeHolders({ Limit: noted, Holders: setOf(holders) });
    return putKey(api, lockKey, Buffer.from(text), { cas: BigInt(cas), flags: MARK });
  };

  return {
    announcement: `Setting up semaphore (limit ${limit}) at prefix: ${prefix}`,
    behavior: "delete",

    async acquire(session, signal) {
      const contender = { acquire: session, flags: MARK };
      const made = putKey(api, contenderKey(session), new Uint8Array(), contender);
      if (!(await named(NO_CONTENDER, made))) {
        throw new RollcallError("request/refused", NO_CONTENDER);
      }
      let since = 0n;
      for (;;) {
        const waitMs = waits.nextMs();
        if (waitMs === undefined || signal.aborted) return undefined;
        const reading = readPrefix(api, prefix, { since, waitMs, signal });
        const { entries, index } = await named("failed to read prefix", reading);
        const { entry, living } = stateOf(entries);
        if (living.Limit !== limit) {
          const limits = `(lock: ${living.Limit}, local: ${limit})`;
          throw new RollcallError("request/refused", `semaphore limit conflict ${limits}`);
        }
        const holders = Object.keys(living.Holders ?? {});
        if (holders.length >= limit) {
          since = index;
          continue;
        }
        // Another contender may have been faster: look again then.
        if (await write([...holders, session], limit, entry?.ModifyIndex ?? 0))
          return { since: 0n };
        since = 0n;
      }
    },

    async isHeld(session, since, signal) {
      const read = await readPrefix(api, prefix, { since, signal, consistent: true });
      const { living } = stateOf(read.entries);
      return { isHeld: Object.hasOwn(living.Holders ?? {}, session), since: read.index };
    },

    async release(session) {
      for (;;) {
        const { entries } = await readPrefix(api, prefix, {});
        const { entry, living } = stateOf(entries);
        const holders = Object.keys(living.Holders ?? {});
        if (entry === undefined || !holders.includes(session)) break;
        const others = holders.filter((holder) => holder !== session);
        if (await write(others, living.Limit, entry.ModifyIndex)) break;
      }
      await deleteKeys(api, contenderKey(session), {});
    },

    async removeUnused() {
      const { entries } = await readPrefix(api, prefix, {});
      const { entry, living } = stateOf(entries);
      if (entry === undefined) return true;
      if (Object.keys(living.Holders ?? {}).length > 0) return false;
      return deleteKeys(api, lockKey, { cas: BigInt(entry.ModifyIndex) });
    },
  };
}

function setOf(sessions: readonly string[]): Record<string, boolean> {
  return Object.fromEntries(sessions.map((session) => [session, true]));
}
