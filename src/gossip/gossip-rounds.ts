/** The infection itself: at each interval a few members, drawn at random, are told what is new (SWIM §4.1). */
import type { Clock, Meter } from "../platform/index.ts";
import type { LoopLag } from "./loop-lag.ts";
import { addressOf, CRC_PROTOCOL, highestProtocol, isPresent, type Entry } from "./member.ts";
import type { Membership } from "./membership.ts";
import type { Packets } from "./packets.ts";
import type { GossipProfile } from "./profile.ts";

export interface GossipRoundsOptions {
  readonly clock: Clock;
  readonly meter: Meter;
  readonly lag: LoopLag;
  readonly profile: GossipProfile;
  readonly membership: Membership;
  readonly packets: Packets;
}

export class GossipRounds implements Disposable {
  readonly #options: GossipRoundsOptions;
  #timer: Disposable | undefined;

  constructor(options: GossipRoundsOptions) {
    this.#options = options;
  }

  start(staggerMs: number): void {
    const { gossipIntervalMs, gossipNodes } = this.#options.profile;
    if (gossipIntervalMs > 0 && gossipNodes > 0) this.#arm(staggerMs);
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
  }

  #arm(delayMs: number): void {
    const { lag, profile } = this.#options;
    this.#timer = lag.after(delayMs, () => {
      this.#round();
      this.#arm(profile.gossipIntervalMs);
    });
  }

  #round(): void {
    const { clock, meter, membership, packets, profile } = this.#options;
    const startedAt = clock.now();
    const self = membership.local.name;
    const listens = ({ member, changedAt }: Entry): boolean => {
      if (member.name === self) return false;
      const goneMs = startedAt - changedAt;
      const isJustDead = member.state === "dead" && goneMs <= profile.gossipToTheDeadMs;
      return isPresent(member) || isJustDead;
    };
    for (const member of membership.table.pick(profile.gossipNodes, listens)) {
      const integrity = highestProtocol(member) >= CRC_PROTOCOL ? "checksummed" : "bare";
      if (!packets.sendNews(addressOf(member), integrity)) break;
    }
    meter.sample("memberlist.gossip", clock.now() - startedAt);
  }
}
