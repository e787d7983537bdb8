/**
 * Who is in the cluster and who seems to have failed: the membership core.
 *
 * Sans-IO. `hear` takes a rumor and the current instant, changes this object, and returns what its caller is to do,
 * in order. Nothing here reads a clock, sends, or awaits.
 *
 * Invariants:
 *   1. A member's incarnation never goes down, but for a name that another address takes over.
 *   2. Only the member itself raises its own incarnation above what it was accused at.
 *   3. A member that is dead comes back only through an `alive` with a higher incarnation.
 *
 * Read `judge` first, then `Membership`. Timeouts are in suspicion.ts, bytes in wire/.
 * Sources: SWIM (Das, Gupta, Motivala, DSN 2002) §4.2; Lifeguard (arXiv:1707.00788); memberlist: state.go.
 */
import { unreachable } from "../errors/index.ts";
import type { Instant, Random } from "../platform/index.ts";
import type { Alive, Dead, Suspect } from "../wire/index.ts";
import type { CommonKnowledge } from "./common-knowledge.ts";
import { INCARNATION_LIMIT, judge, type Rumor, type Verdict } from "./judge.ts";
import { isPresent, META_BYTES_MAX, type GossipMember } from "./member.ts";
import { MemberTable } from "./member-table.ts";
import { Suspicion, type SuspicionSettings } from "./suspicion.ts";
import { Suspicions } from "./suspicions.ts";
import { understand } from "./versions.ts";

export type Effect =
  /** To everybody, in place of what was to be said about `about` until now. */
  | Readonly<{ kind: "broadcast"; about: string; rumor: Rumor }>
  | Readonly<{ kind: "joined" | "left" | "updated"; member: GossipMember }>
  | Readonly<{ kind: "conflict"; existing: GossipMember; other: GossipMember }>
  /** This node was accused, and has answered. */
  | Readonly<{ kind: "refuted"; rumor: Rumor }>
  /** Nobody heard a refutation in time. `agreedCount` of `expectedCount` shared our suspicion. */
  | Readonly<{
      kind: "expired";
      member: GossipMember;
      agreedCount: number;
      expectedCount: number;
    }>;

export interface MembershipOptions extends SuspicionSettings {
  readonly self: Pick<GossipMember, "name" | "addr" | "port" | "vsn">;
  readonly deadNodeReclaimMs: number;
  readonly random: Random;
  readonly common?: CommonKnowledge | undefined;
  /** Whether the layer above lets an alive message count. Asked only about news. */
  readonly admits: (member: GossipMember) => boolean;
}

const NOTHING: readonly Effect[] = [];
const NO_BYTES = new Uint8Array(0);

export class Membership {
  readonly table: MemberTable;
  readonly #options: MembershipOptions;
  readonly #suspicions = new Suspicions();
  #local: GossipMember;
  #isLeaving = false;

  constructor(options: MembershipOptions) {
    this.#options = options;
    const { self, random } = options;
    this.table = new MemberTable(self.name, random, options.common);
    this.#local = { ...self, meta: NO_BYTES, state: "dead", incarnation: 0 };
  }

  get local(): GossipMember {
    return this.#local;
  }

  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  /** When `expire` has something to do. */
  get nextExpiryAt(): Instant | undefined {
    return this.#suspicions.nextDueAt;
  }

  hear(rumor: Rumor, now: Instant): readonly Effect[] {
    if (rumor.kind === "alive" && !isSound(rumor.body, this.#local)) return NOTHING;
    const about = rumor.body.Node;
    const entry = this.table.get(about);
    const verdict = judge(rumor, {
      known: entry?.member,
      knownForMs: entry === undefined ? 0 : now - entry.changedAt,
      isSelf: about === this.#local.name,
      isLeaving: this.#isLeaving,
      isSuspected: entry?.member.state === "suspect",
      deadNodeReclaimMs: this.#options.deadNodeReclaimMs,
    });
    if (verdict === "ignore") return NOTHING;
    if (verdict === "refute") return this.#refute(rumor, now);
    switch (rumor.kind) {
      case "alive":
        return this.#hearAlive(rumor.body, verdict, entry?.member, now);
      case "suspect":
        return this.#hearSuspect(rumor.body, verdict, entry?.member, now);
      case "dead":
        return this.#hearDead(rumor.body, entry?.member, now);
      default:
        return unreachable(rumor);
    }
  }

  /** This node says who it is: when it starts, and when its meta has changed. */
  announce(meta: Uint8Array, now: Instant): readonly Effect[] {
    return this.#announce(meta, this.#local.incarnation + 1, now);
  }

  /** This node says good-bye. From then on it answers no accusation. */
  leave(now: Instant): readonly Effect[] {
    this.#isLeaving = true;
    const { name, incarnation } = this.#local;
    return this.hear(
      { kind: "dead", body: { Incarnation: incarnation, Node: name, From: name } },
      now,
    );
  }

  /** Our own probe of it failed. */
  accuse(name: string, now: Instant): readonly Effect[] {
    const known = this.table.get(name)?.member;
    return known === undefined ? NOTHING : this.hear(this.suspicionOf(known), now);
  }

  suspicionOf({ name, incarnation }: GossipMember): Extract<Rumor, { kind: "suspect" }> {
    const body = { Incarnation: incarnation, Node: name, From: this.#local.name };
    return { kind: "suspect", body };
  }

  /** Declares dead who had time enough to refute. */
  expire(now: Instant): readonly Effect[] {
    const effects: Effect[] = [];
    for (const [name, suspicion] of this.#suspicions.dueBy(now)) {
      const member = this.table.get(name)?.member;
      if (member === undefined) continue;
      const { agreedCount, expected: expectedCount } = suspicion;
      effects.push({ kind: "expired", member, agreedCount, expectedCount });
      const body = { Incarnation: member.incarnation, Node: name, From: this.#local.name };
      effects.push(...this.hear({ kind: "dead", body }, now));
    }
    return effects;
  }

  #hearAlive(
    heard: Alive,
    verdict: Verdict,
    known: GossipMember | undefined,
    now: Instant,
  ): readonly Effect[] {
    const member: GossipMember = {
      name: known?.name ?? heard.Node,
      addr: kept(heard.Addr, known?.addr),
      port: heard.Port,
      meta: kept(heard.Meta, known?.meta),
      vsn: kept(heard.Vsn, this.#local.vsn),
      state: "alive",
      incarnation: heard.Incarnation,
    };
    if (!this.#options.admits(member)) return NOTHING;
    if (verdict === "conflict" && known !== undefined) {
      return [{ kind: "conflict", existing: known, other: member }];
    }
    if (!this.table.put(member, now)) return NOTHING;
    this.#suspicions.delete(member.name);
    return [broadcast(member.name, { kind: "alive", body: heard }), ...eventOf(known, member)];
  }

  #hearSuspect(
    heard: Suspect,
    verdict: Verdict,
    known: GossipMember | undefined,
    now: Instant,
  ): readonly Effect[] {
    const rumor: Rumor = { kind: "suspect", body: heard };
    if (verdict === "confirm") {
      return known !== undefined && this.#suspicions.agree(known.name, heard.From)
        ? [broadcast(known.name, rumor)]
        : NOTHING;
    }
    if (known === undefined) return NOTHING;
    this.table.put({ ...known, state: "suspect", incarnation: heard.Incarnation }, now);
    const suspicion = new Suspicion(heard.From, this.table.size, this.#options, now);
    this.#suspicions.add(known.name, suspicion);
    return [broadcast(known.name, rumor)];
  }

  #hearDead(heard: Dead, known: GossipMember | undefined, now: Instant): readonly Effect[] {
    if (known === undefined) return NOTHING;
    this.#suspicions.delete(heard.Node);
    const state = heard.Node === heard.From ? "left" : "dead";
    const member: GossipMember = { ...known, state, incarnation: heard.Incarnation };
    this.table.put(member, now);
    if (heard.Node === this.#local.name) this.#local = member;
    return [broadcast(known.name, { kind: "dead", body: heard }), { kind: "left", member }];
  }

  #refute(rumor: Rumor, now: Instant): readonly Effect[] {
    const { meta, incarnation } = this.#local;
    const answer = Math.max(incarnation, rumor.body.Incarnation) + 1;
    return [{ kind: "refuted", rumor }, ...this.#announce(meta, answer, now)];
  }

  #announce(meta: Uint8Array, incarnation: number, now: Instant): readonly Effect[] {
    // At the limit nobody would listen: stay below, and hope that who went so high is gone one day.
    const Incarnation = Math.min(incarnation, INCARNATION_LIMIT - 1);
    const before = this.table.get(this.#local.name)?.member;
    this.#local = { ...this.#local, meta, incarnation: Incarnation, state: "alive" };
    const { name, addr, port, vsn } = this.#local;
    this.table.put(this.#local, now);
    const body = { Incarnation, Node: name, Addr: addr, Port: port, Meta: meta, Vsn: vsn };
    return [broadcast(name, { kind: "alive", body }), ...eventOf(before, this.#local)];
  }
}

/** What memberlist takes for a member at all, and what packets and sockets of ours can be made of. */
function isSound({ Node, Addr, Port, Meta, Vsn }: Alive, local: GossipMember): boolean {
  const [lowest = 0, highest = 0] = Vsn;
  const isRange = Vsn.length < 3 || (lowest > 0 && lowest <= highest);
  const hasAddress = (Addr.length === 4 || Addr.length === 16) && Port > 0;
  return (
    Node !== "" &&
    hasAddress &&
    isRange &&
    understand(Vsn, local.vsn) &&
    Meta.length <= META_BYTES_MAX
  );
}

/** Most members have the same versions, and most news changes little: thousands of members share such bytes. */
function kept(heard: Uint8Array, have: Uint8Array | undefined): Uint8Array {
  if (heard.length === 0) return NO_BYTES;
  return have !== undefined && Buffer.compare(heard, have) === 0 ? have : heard;
}

/** @param about the name as the table has it: each rumor comes with a copy of its own, which need not be kept */
function broadcast(about: string, rumor: Rumor): Effect {
  return { kind: "broadcast", about, rumor };
}

function eventOf(before: GossipMember | undefined, member: GossipMember): readonly Effect[] {
  if (before === undefined || !isPresent(before)) return [{ kind: "joined", member }];
  if (Buffer.compare(before.meta, member.meta) === 0) return NOTHING;
  return [{ kind: "updated", member }];
}
