/**
 * What must hold of locks and sessions:
 *
 *   1. Nobody is told that it holds a lock while another who was told so neither let go nor lost its session.
 *   2. A lock's LockIndex rises with each new holder.
 *   3. A lock whose holder was lost is refused for its lock delay, on the clock of the server that decides.
 *   4. A session that is renewed does not end by its TTL.
 *
 * The servers promise 3 and 4 only as far as their clocks and memories go (Consul does no more): a server that was
 * started again knows nothing of delays, and one that was just deposed may not know it yet. Then nothing is judged.
 */
import { MILLISECOND } from "../src/model/index.ts";
import type { Datacenter } from "./datacenter.ts";
import type { Applied, StoreLife } from "./datacenter-observer.ts";
import { Violation } from "./invariants.ts";

export const LOCK_KEY = "l/lock";
export const TTL_MS = 3000;
/** Timers and clocks are exact here, but for drift. */
const GRACE_MS = 5;

interface KnownSession {
  /** When its client asked for what was answered: its making, and each renewal. */
  readonly acknowledged: number[];
  isLetGo: boolean;
  isGone: boolean;
}
interface Loss {
  readonly index: number;
  readonly delayMs: number;
  /** By server and life: when it was applied there. */
  readonly seenMs: Map<string, number>;
}

export class LockJudge {
  readonly #datacenter: Datacenter;
  readonly #sessions = new Map<string, KnownSession>();
  readonly #losses: Loss[] = [];
  /** By what was written with the lock. */
  readonly #grants = new Map<string, { readonly index: number; readonly atMs: number }>();
  #holder: string | undefined;
  #lastHeld: { readonly session: string; readonly lockIndex: number } | undefined;
  #violation: string | undefined;
  grantCount = 0;
  expiryCount = 0;
  delayCount = 0;

  constructor(datacenter: Datacenter) {
    this.#datacenter = datacenter;
  }

  /** @throws {Violation} */
  demandNone(): void {
    if (this.#violation !== undefined) throw new Violation(this.#violation);
  }

  // What clients ask and hear.

  created(session: string, calledMs: number): void {
    this.#session(session).acknowledged.push(calledMs);
  }
  renewed(session: string, calledMs: number): void {
    this.#session(session).acknowledged.push(calledMs);
  }
  /** Its client asks for its end, or for the lock's release. */
  letsGo(session: string): void {
    this.#session(session).isLetGo = true;
    if (this.#holder === session) this.#holder = undefined;
  }
  isGone(session: string): boolean {
    return this.#session(session).isGone;
  }

  acquired(session: string, mark: string, calledMs: number): void {
    this.grantCount += 1;
    const holder = this.#holder;
    if (holder !== undefined && holder !== session && !this.isGone(holder)) {
      this.#violated(`${session} was given the lock that ${holder} holds`);
    }
    if (!this.isGone(session)) this.#holder = session;
    const grant = this.#grants.get(mark);
    if (grant === undefined) this.#violated(`a lock was given that nobody applied: ${mark}`);
    else this.#judgeDelay(grant, calledMs);
  }

  /** A consistent read while its client holds the lock. */
  read(session: string, seen: { readonly Session: string; readonly LockIndex: number }): void {
    if (this.#holder !== session || this.isGone(session)) return;
    if (seen.Session !== session) {
      this.#violated(`${session} holds the lock, but a read shows "${seen.Session}"`);
    }
    const last = this.#lastHeld;
    if (last !== undefined && last.session !== session && seen.LockIndex <= last.lockIndex) {
      this.#violated(`LockIndex ${seen.LockIndex} of ${session} after ${last.lockIndex}`);
    }
    this.#lastHeld = { session, lockIndex: seen.LockIndex };
  }

  // What the servers' stores do.

  first({ index, command, result }: Applied): void {
    if (result.kind === "refused") return;
    const nowMs = this.#datacenter.clock.now();
    if (command.type === "KVS" && command.body.Op === "lock" && result.value === true) {
      const mark = Buffer.from(command.body.DirEnt.Value ?? []).toString();
      this.#grants.set(mark, { index, atMs: nowMs });
    }
    const isByItself = command.type === "Session";
    for (const id of result.effects.destroyedSessions) {
      const session = this.#session(id);
      if (isByItself && !session.isLetGo) this.#judgeExpiry(id, session, nowMs);
      session.isGone = true;
      if (this.#holder === id) this.#holder = undefined;
    }
  }

  each(life: StoreLife, { index, result }: Applied): void {
    if (result.kind === "refused") return;
    for (const { key, delayNs } of result.effects.lockDelays) {
      if (key !== LOCK_KEY) continue;
      let loss = this.#losses.find((known) => known.index === index);
      if (loss === undefined) {
        loss = { index, delayMs: delayNs / MILLISECOND, seenMs: new Map() };
        this.#losses.push(loss);
      }
      loss.seenMs.set(`${life.server} ${life.lifeCount}`, this.#datacenter.clock.now());
    }
  }

  #judgeDelay(grant: { readonly index: number; readonly atMs: number }, calledMs: number): void {
    const loss = this.#losses.findLast(({ index }) => index < grant.index);
    if (loss === undefined || loss.delayMs === 0) return;
    const { servers } = this.#datacenter;
    const waitedMs = servers.map(({ name, lifeCount, clockRate }) => {
      const seenMs = loss.seenMs.get(`${name} ${lifeCount}`);
      // It may have decided, and knew nothing of the loss.
      if (seenMs === undefined || seenMs > calledMs) return Infinity;
      return (grant.atMs - seenMs) * clockRate;
    });
    this.delayCount += 1;
    if (waitedMs.every((ms) => ms + GRACE_MS < loss.delayMs)) {
      const shown = waitedMs.map((ms) => Math.round(ms)).join(", ");
      this.#violated(`a lock was given ${shown} ms after its holder was lost, not ${loss.delayMs}`);
    }
  }

  #judgeExpiry(id: string, { acknowledged }: KnownSession, nowMs: number): void {
    this.expiryCount += 1;
    const { servers, leaders } = this.#datacenter;
    const calmSinceMs = nowMs - 2 * TTL_MS;
    if (servers.some(({ lastTroubledMs }) => lastTroubledMs > calmSinceMs)) return;
    if (
      leaders.some(
        ({ sinceMs, untilMs }) => sinceMs > calmSinceMs || isWithin(untilMs, calmSinceMs),
      )
    )
      return;
    const recent = acknowledged.filter((ms) => ms > nowMs - TTL_MS / 2);
    if (recent.length === 0) return;
    this.#violated(
      `session ${id} ended ${Math.round(nowMs - Math.max(...recent))} ms after it was renewed`,
    );
  }

  #session(id: string): KnownSession {
    let session = this.#sessions.get(id);
    if (session === undefined) {
      session = { acknowledged: [], isLetGo: false, isGone: false };
      this.#sessions.set(id, session);
    }
    return session;
  }

  #violated(text: string): void {
    this.#violation ??= `${Math.round(this.#datacenter.clock.now() - 1_000_000)} ms: ${text}`;
  }
}

function isWithin(ms: number, sinceMs: number): boolean {
  return Number.isFinite(ms) && ms > sinceMs;
}
