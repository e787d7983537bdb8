/** What `lock` needs of a lock, be it for one holder (`lock-key.ts`) or for several (`lock-semaphore.ts`). */
import type { Clock } from "../platform/index.ts";
import type { ApiClient } from "./api-client.ts";
import type { LockWaits } from "./lock-waits.ts";

export interface LockNeeds {
  readonly api: ApiClient;
  readonly clock: Clock;
  readonly prefix: string;
  readonly waits: LockWaits;
}

export interface Held {
  /** The index from which on to watch whether it is still held. */
  readonly since: bigint;
}

/** @throws {RollcallError} from each, `request/aborted` when `signal` aborts in the middle */
export interface LockKind {
  readonly announcement: string;
  /** What the session does to its keys when it ends, where not Consul's default. */
  readonly behavior?: "delete";
  /** @returns undefined if it could not be had in time */
  acquire(session: string, signal: AbortSignal): Promise<Held | undefined>;
  /** Waits for a change after `since`. */
  isHeld(
    session: string,
    since: bigint,
    signal: AbortSignal,
  ): Promise<{ readonly isHeld: boolean; readonly since: bigint }>;
  release(session: string): Promise<void>;
  /** Removes the lock's key. @returns false if somebody uses it */
  removeUnused(): Promise<boolean>;
}
