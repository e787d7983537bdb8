/**
 * Intents to join or leave by members that are not known yet: gossip has no order, and Serf's word of a member
 * can overtake memberlist's. The latest of each name counts once the member is there (serf.md §6).
 */
import type { Instant } from "../platform/index.ts";

const REMEMBERED_MS = 5 * 60_000;
/** Names; the one that was noted first goes first. */
const NAMES_MAX = 4096;

export interface Intent {
  readonly kind: "join" | "leave";
  readonly LTime: number;
}

export class RecentIntents {
  readonly #byName = new Map<string, Intent & { readonly heardAt: Instant }>();

  get size(): number {
    return this.#byName.size;
  }

  of(name: string): Intent | undefined {
    return this.#byName.get(name);
  }

  /** @returns whether it is newer than what was known of that name */
  note(name: string, { kind, LTime }: Intent, now: Instant): boolean {
    const known = this.#byName.get(name);
    if (known !== undefined && LTime <= known.LTime) return false;
    if (known === undefined && this.#byName.size >= NAMES_MAX) this.#dropFirst();
    this.#byName.set(name, { kind, LTime, heardAt: now });
    return true;
  }

  forgetOld(now: Instant): void {
    for (const [name, { heardAt }] of this.#byName) {
      if (now - heardAt > REMEMBERED_MS) this.#byName.delete(name);
    }
  }

  #dropFirst(): void {
    for (const name of this.#byName.keys()) {
      this.#byName.delete(name);
      return;
    }
  }
}
