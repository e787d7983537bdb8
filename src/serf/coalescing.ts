/**
 * Waits a little before it tells, so that many events of one kind become one (serf.md §7): the last of each
 * member, and of each user event that allows it only those with the latest Lamport time.
 *
 * What is gathered is told once nothing came for the quiet time, or the period since the first is over.
 * Others pass at once.
 */
import type { Clock } from "../platform/index.ts";
import type { MemberEvent, MemberEventKind, SerfEvent, SerfUserEvent } from "./serf-event.ts";
import type { SerfMember } from "./member.ts";

/** What the Serf command takes: 3 seconds and 1 second. */
export interface CoalesceTiming {
  readonly periodMs: number;
  readonly quietMs: number;
}

/** What is gathered is told early when it is so much. */
const GATHERED_MAX = 1024;

interface Gatherer {
  /** How many have been gathered. */
  readonly size: number;
  /** @returns false for what is not to be gathered */
  take(event: SerfEvent): boolean;
  /** Everything gathered, which is forgotten. */
  flush(): readonly SerfEvent[];
}

export interface Coalescing extends Disposable {
  tell(event: SerfEvent): void;
}

/** Members first, then user events, each with a time of its own. */
export function coalescing(
  clock: Clock,
  timing: CoalesceTiming,
  tell: (event: SerfEvent) => void,
): Coalescing {
  const userStage = new Stage(clock, timing, new UserGatherer(), tell);
  const memberStage = new Stage(clock, timing, new MemberGatherer(), (event) =>
    userStage.tell(event),
  );
  return {
    tell: (event) => memberStage.tell(event),
    [Symbol.dispose]: () => {
      memberStage[Symbol.dispose]();
      userStage[Symbol.dispose]();
    },
  };
}

class Stage implements Coalescing {
  readonly #clock: Clock;
  readonly #timing: CoalesceTiming;
  readonly #gatherer: Gatherer;
  readonly #tell: (event: SerfEvent) => void;
  #period: Disposable | undefined;
  #quiet: Disposable | undefined;

  constructor(
    clock: Clock,
    timing: CoalesceTiming,
    gatherer: Gatherer,
    tell: (event: SerfEvent) => void,
  ) {
    this.#clock = clock;
    this.#timing = timing;
    this.#gatherer = gatherer;
    this.#tell = tell;
  }

  tell(event: SerfEvent): void {
    if (!this.#gatherer.take(event)) {
      this.#tell(event);
      return;
    }
    const flush = (): void => this.#flush();
    this.#period ??= this.#clock.after(this.#timing.periodMs, flush);
    this.#quiet?.[Symbol.dispose]();
    this.#quiet = this.#clock.after(this.#timing.quietMs, flush);
    if (this.#gatherer.size >= GATHERED_MAX) flush();
  }

  [Symbol.dispose](): void {
    this.#period?.[Symbol.dispose]();
    this.#quiet?.[Symbol.dispose]();
    this.#period = undefined;
    this.#quiet = undefined;
  }

  #flush(): void {
    this[Symbol.dispose]();
    for (const event of this.#gatherer.flush()) this.#tell(event);
  }
}

class MemberGatherer implements Gatherer {
  readonly #latest = new Map<
    string,
    { readonly kind: MemberEventKind; readonly member: SerfMember }
  >();
  /** What was told last of each member, until it is erased. */
  readonly #told = new Map<string, MemberEventKind>();

  get size(): number {
    return this.#latest.size;
  }

  take(event: SerfEvent): boolean {
    if (event.kind === "user" || event.kind === "query") return false;
    const { kind } = event;
    for (const member of event.members) this.#latest.set(member.name, { kind, member });
    return true;
  }

  flush(): readonly MemberEvent[] {
    const byKind = new Map<MemberEventKind, SerfMember[]>();
    for (const [name, { kind, member }] of this.#latest) {
      if (this.#told.get(name) === kind && kind !== "update") continue;
      if (kind === "reap") this.#told.delete(name);
      else this.#told.set(name, kind);
      byKind.set(kind, [...(byKind.get(kind) ?? []), member]);
    }
    this.#latest.clear();
    return Array.from(byKind, ([kind, members]) => ({ kind, members }));
  }
}

class UserGatherer implements Gatherer {
  /** By name, those with the latest time. */
  readonly #latest = new Map<string, readonly SerfUserEvent[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  take(event: SerfEvent): boolean {
    if (event.kind !== "user" || !event.coalesce) return false;
    const known = this.#latest.get(event.name) ?? [];
    const knownTime = known[0]?.ltime ?? 0;
    if (event.ltime < knownTime) return true;
    const kept = event.ltime === knownTime ? [...known, event] : [event];
    this.#size += kept.length - known.length;
    this.#latest.set(event.name, kept);
    return true;
  }

  flush(): readonly SerfUserEvent[] {
    const events = [...this.#latest.values()].flat();
    this.#latest.clear();
    this.#size = 0;
    return events;
  }
}
