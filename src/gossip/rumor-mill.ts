/** Carries out what the membership core decides: passes rumors on, tells the layer above, keeps the suspects' time. */
import { messageOf, unreachable } from "../errors/index.ts";
import type { Clock, Logger, Meter } from "../platform/index.ts";
import type { Awareness } from "./awareness.ts";
import type { Broadcasts } from "./broadcasts.ts";
import type { GossipDelegate } from "./gossip-types.ts";
import { addressText } from "./join-address.ts";
import type { Rumor } from "./judge.ts";
import type { LoopLag } from "./loop-lag.ts";
import { addressOf, type GossipMember } from "./member.ts";
import type { Effect, Membership } from "./membership.ts";

export interface RumorMillOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly membership: Membership;
  readonly broadcasts: Broadcasts;
  readonly awareness: Awareness;
  readonly lag: LoopLag;
  /** How long, after a stall, a refutation that is in the socket already may take to be read. */
  readonly graceMs: number;
  readonly delegate: Pick<GossipDelegate, "onJoin" | "onLeave" | "onUpdate" | "onConflict">;
}

/** Thousands a second in a large pool: no text is put together for each. */
const COUNTERS = {
  alive: "memberlist.msg.alive",
  suspect: "memberlist.msg.suspect",
  dead: "memberlist.msg.dead",
} as const satisfies Record<Rumor["kind"], string>;

export class RumorMill implements Disposable {
  readonly #options: RumorMillOptions;
  #expiry: { readonly at: number; readonly timer: Disposable } | undefined;
  #isStopped = false;

  constructor(options: RumorMillOptions) {
    this.#options = options;
  }

  [Symbol.dispose](): void {
    this.#isStopped = true;
    this.#expiry?.timer[Symbol.dispose]();
  }

  hear(rumor: Rumor): void {
    const { membership, clock, meter } = this.#options;
    meter.count(COUNTERS[rumor.kind]);
    this.perform(membership.hear(rumor, clock.now()));
  }

  /** @param onSpread called once what is broadcast has been sent as often as it should be */
  perform(effects: readonly Effect[], onSpread?: () => void): void {
    if (effects.length === 0) return;
    for (const effect of effects) this.#perform(effect, onSpread);
    this.#armExpiry();
  }

  #perform(effect: Effect, onSpread: (() => void) | undefined): void {
    const { broadcasts, delegate, awareness, logger, meter } = this.#options;
    switch (effect.kind) {
      case "broadcast":
        broadcasts.add(effect.about, effect.rumor, onSpread);
        break;
      case "joined":
        delegate.onJoin(effect.member);
        break;
      case "left":
        delegate.onLeave(effect.member);
        break;
      case "updated":
        delegate.onUpdate(effect.member);
        break;
      case "conflict":
        logger.error(`memberlist: ${conflictText(effect)}`);
        delegate.onConflict(effect.existing, effect.other);
        break;
      case "refuted":
        awareness.change(1);
        logger.warn(`memberlist: Refuting ${accusationText(effect.rumor)}`);
        break;
      case "expired": {
        const { member, agreedCount, expectedCount } = effect;
        if (agreedCount < expectedCount) meter.count("memberlist.degraded.timeout");
        logger.info(
          `memberlist: Marking ${member.name} as failed, suspect timeout reached (${agreedCount} peer confirmations)`,
        );
        break;
      }
      default:
        unreachable(effect);
    }
  }

  #armExpiry(): void {
    const { membership, clock, lag, graceMs } = this.#options;
    const at = membership.nextExpiryAt;
    if (this.#expiry?.at === at) return;
    this.#expiry?.timer[Symbol.dispose]();
    this.#expiry = undefined;
    if (at === undefined || this.#isStopped) return;
    const timer = lag.deadline(Math.max(0, at - clock.now()), graceMs, () => {
      this.#expiry = undefined;
      this.perform(membership.expire(clock.now()));
      this.#armExpiry();
    });
    this.#expiry = { at, timer };
  }
}

/** Whether the layer above lets it in. It refuses by throwing. */
export function admission(
  delegate: Pick<GossipDelegate, "checkAlive">,
  logger: Logger,
): (member: GossipMember) => boolean {
  return (member) => {
    try {
      delegate.checkAlive(member);
      return true;
    } catch (error) {
      logger.warn(`memberlist: ignoring alive message for '${member.name}': ${messageOf(error)}`);
      return false;
    }
  };
}

function conflictText(conflict: { existing: GossipMember; other: GossipMember }): string {
  const { existing, other } = conflict;
  const mine = addressText(addressOf(existing));
  const theirs = addressText(addressOf(other));
  return `Conflicting address for ${existing.name}. Mine: ${mine} Theirs: ${theirs} Old state: ${existing.state}`;
}

function accusationText(rumor: Rumor): string {
  if (rumor.kind === "alive") return "an alive message";
  return `a ${rumor.kind} message (from: ${rumor.body.From})`;
}
