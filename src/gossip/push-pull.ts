/**
 * Anti-entropy: now and then, and on joining, two nodes exchange all that they know, so that whoever missed a rumor
 * learns of it, and two halves of a cluster become one again (memberlist: `pushPullNode`, `mergeRemoteState`).
 */
import { messageOf, RollcallError } from "../errors/index.ts";
import type { Clock, IpAddress, Logger, Meter } from "../platform/index.ts";
import type { PushPull } from "../wire/index.ts";
import type { GossipDelegate } from "./gossip-types.ts";
import { addressText } from "./join-address.ts";
import { addressOf } from "./member.ts";
import type { Membership } from "./membership.ts";
import type { RumorMill } from "./rumor-mill.ts";
import { memberOf, nodeOf, rumorOf } from "./state-exchange.ts";
import type { Reaction, Streams } from "./streams.ts";
import { checkVersions } from "./versions.ts";

/** `join`: the first exchange between two clusters, which either may refuse. */
export type Purpose = "join" | "refresh";

export interface PushPullsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly membership: Membership;
  readonly rumors: RumorMill;
  readonly streams: Streams;
  /** Of members that do not say theirs. */
  readonly port: number;
  readonly delegate: Pick<GossipDelegate, "localState" | "mergeRemoteState" | "checkMerge">;
}

export class PushPulls {
  readonly #options: PushPullsOptions;

  constructor(options: PushPullsOptions) {
    this.#options = options;
  }

  /** @throws when the other side cannot be reached, or one side refuses the other's state */
  async exchange(
    to: IpAddress,
    purpose: Purpose,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    const { streams, clock, meter, logger } = this.#options;
    logger.debug(`memberlist: Initiating push/pull sync with: ${addressText(to)}`);
    const startedAt = clock.now();
    const body = this.#localState(purpose);
    const reply = await streams.exchange(to, { kind: "pushPull", body }, options);
    if (reply.kind !== "pushPull") {
      throw new RollcallError("net/dial", `unexpected answer to a push/pull: ${reply.kind}`);
    }
    this.#merge(reply.body, purpose);
    meter.sample("memberlist.pushPullNode", clock.now() - startedAt);
  }

  /** With one member at random. */
  async exchangeWithAnybody(): Promise<void> {
    const { membership, logger } = this.#options;
    const self = membership.local.name;
    const [peer] = membership.table.pick(1, ({ member }) => {
      return member.state === "alive" && member.name !== self;
    });
    if (peer === undefined) return;
    try {
      await this.exchange(addressOf(peer), "refresh");
    } catch (error) {
      // The other side's failure or refusal: the next exchange may be with somebody else.
      logger.warn(`memberlist: Push/Pull with ${peer.name} failed: ${messageOf(error)}`);
    }
  }

  /** Replies with what was known before, then merges. */
  answer(request: PushPull): Reaction {
    const purpose = request.Join ? "join" : "refresh";
    return {
      reply: { kind: "pushPull", body: this.#localState(purpose) },
      afterwards: () => {
        try {
          this.#merge(request, purpose);
        } catch (error) {
          this.#options.logger.error(`memberlist: Failed push/pull merge: ${messageOf(error)}`);
        }
      },
    };
  }

  #localState(purpose: Purpose): PushPull {
    const { membership, delegate } = this.#options;
    const Join = purpose === "join";
    const nodes = membership.table.members().map(nodeOf);
    return { Join, nodes, userState: delegate.localState(Join) };
  }

  /** @throws when versions do not go together, or the layer above refuses: then nothing was merged */
  #merge({ nodes, userState }: PushPull, purpose: Purpose): void {
    const { membership, rumors, delegate, port } = this.#options;
    const members = nodes.map((node) => memberOf(node, port));
    checkVersions([...membership.table.members(), ...members]);
    const isJoin = purpose === "join";
    if (isJoin) delegate.checkMerge(members);
    for (const member of members) rumors.hear(rumorOf(member, membership.local.name));
    if (userState.length > 0) delegate.mergeRemoteState(userState, isJoin);
  }
}
