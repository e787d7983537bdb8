/**
 * All members that are known, in the order in which they are probed.
 *
 * Probing goes round the list; after each round it is shuffled, and a newcomer is put at a random place, so that
 * every member is probed once a round and nobody's failure is found later than two rounds on (SWIM §4.3).
 */
import type { Instant, Random } from "../platform/index.ts";
import type { CommonKnowledge } from "./common-knowledge.ts";
import { isPresent, type Entry, type GossipMember } from "./member.ts";

/** More are not taken in. Far above any pool that is known of, and a bound on what strangers can make us keep. */
export const MEMBERS_MAX = 131_072;
/** Who left is remembered for so long, so that old news does not bring it back. */
const LEFT_KEPT_MS = 24 * 3_600_000;

export class MemberTable {
  readonly #self: string;
  readonly #random: Random;
  readonly #common: CommonKnowledge | undefined;
  /** Undefined: dropped, though it is among the common ones. */
  readonly #byName = new Map<string, Entry | undefined>();
  readonly #order: string[] = [];
  #nextProbe = 0;
  #aliveCount = 0;

  constructor(self: string, random: Random, common?: CommonKnowledge) {
    this.#self = self;
    this.#random = random;
    this.#common = common;
    for (const entry of common?.entries.values() ?? []) this.#add(entry);
  }

  /** The dead and the left included, until they are dropped. */
  get size(): number {
    return this.#order.length;
  }

  get aliveCount(): number {
    return this.#aliveCount;
  }

  get(name: string): Readonly<Entry> | undefined {
    const own = this.#byName.get(name);
    if (own !== undefined || this.#common === undefined || this.#byName.has(name)) return own;
    return this.#common.entries.get(name);
  }

  /** In no particular order. */
  members(): GossipMember[] {
    return this.#order.map((name) => this.#at(name).member);
  }

  /** @returns whether there was room */
  put(heard: GossipMember, now: Instant): boolean {
    const member = this.#common?.member(heard) ?? heard;
    const entry = this.#owned(member.name);
    if (entry !== undefined) {
      this.#aliveCount += aliveness(member) - aliveness(entry.member);
      if (entry.member.state !== member.state) entry.changedAt = now;
      entry.member = member;
      return true;
    }
    if (this.#order.length >= MEMBERS_MAX) return false;
    const added = { member, changedAt: now };
    this.#byName.set(member.name, added);
    this.#add(added);
    return true;
  }

  /** Whose turn it is; undefined when there is nobody to probe. Ends a round by dropping who has long been gone. */
  nextToProbe(now: Instant, gossipToTheDeadMs: number): GossipMember | undefined {
    for (let roundsEnded = 0; ;) {
      if (this.#nextProbe >= this.#order.length) {
        // A whole round has nobody.
        if (roundsEnded > 0) return undefined;
        this.#endRound(now, gossipToTheDeadMs);
        roundsEnded += 1;
      }
      const name = this.#order[this.#nextProbe];
      this.#nextProbe += 1;
      if (name === undefined || name === this.#self) continue;
      const { member } = this.#at(name);
      if (isPresent(member)) return member;
    }
  }

  /** At most `count` different ones at random. Looks at no more than three times as many as there are. */
  pick(count: number, suits: (entry: Readonly<Entry>) => boolean): GossipMember[] {
    const picked = new Set<Readonly<Entry>>();
    const { length } = this.#order;
    for (let tries = 3 * length; tries > 0 && picked.size < count; tries -= 1) {
      const entry = this.#at(this.#order[this.#draw(length)] as string);
      if (suits(entry)) picked.add(entry);
    }
    return Array.from(picked, ({ member }) => member);
  }

  /** Of one of those in the order. */
  #at(name: string): Readonly<Entry> {
    return this.get(name) as Readonly<Entry>;
  }

  /** What of `name` may be changed: a common entry is copied first. */
  #owned(name: string): Entry | undefined {
    const own = this.#byName.get(name);
    if (own !== undefined) return own;
    const entry = this.get(name);
    if (entry === undefined) return undefined;
    const copy = { ...entry };
    this.#byName.set(entry.member.name, copy);
    return copy;
  }

  #add(entry: Readonly<Entry>): void {
    this.#order.push(entry.member.name);
    this.#swap(this.#order.length - 1, this.#draw(this.#order.length));
    this.#aliveCount += aliveness(entry.member);
  }

  #endRound(now: Instant, gossipToTheDeadMs: number): void {
    let kept = 0;
    for (const name of this.#order) {
      const { member, changedAt } = this.#at(name);
      const goneMs = now - changedAt;
      const { state } = member;
      const isGone =
        (state === "dead" && goneMs > gossipToTheDeadMs) ||
        (state === "left" && goneMs > LEFT_KEPT_MS && name !== this.#self);
      if (isGone) this.#drop(name);
      else {
        this.#order[kept] = name;
        kept += 1;
      }
    }
    this.#order.length = kept;
    for (let i = kept - 1; i > 0; i -= 1) this.#swap(i, this.#draw(i + 1));
    this.#nextProbe = 0;
  }

  #drop(name: string): void {
    if (this.#common?.entries.has(name)) this.#byName.set(name, undefined);
    else this.#byName.delete(name);
  }

  #swap(i: number, j: number): void {
    const name = this.#order[i] as string;
    this.#order[i] = this.#order[j] as string;
    this.#order[j] = name;
  }

  #draw(below: number): number {
    return Math.floor(this.#random.float() * below);
  }
}

function aliveness(member: GossipMember): number {
  return isPresent(member) ? 1 : 0;
}
