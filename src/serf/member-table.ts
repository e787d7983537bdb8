/**
 * Who is a member, and with which status: Serf's rules, which turn what memberlist observes (a node is there, a
 * node is gone) and what members say of themselves or of others (intents) into one status (serf.md §6).
 *
 *                    leave intent              gone                    leave intent
 *            alive ────────────────► leaving ───────► left    failed ───────────────► left
 *              ▲ ▲    join intent       │               │       │ ▲
 *              │ └──────────────────────┘               │       │ │ gone
 *              └────────────────────── there ───────────┴───────┘ └────── alive
 *
 * Pure: instants come in, changes go out, and the caller announces them. An intent counts only if its Lamport
 * time is above the one of the last that counted.
 */
import type { GossipMember } from "../gossip/index.ts";
import type { Instant } from "../platform/index.ts";
import type { JoinIntent, LeaveIntent } from "../wire/index.ts";
import { memberOf, type SerfMember } from "./member.ts";
import { RecentIntents } from "./recent-intents.ts";
import type { MemberChange } from "./serf-event.ts";

export interface LeaveVerdict {
  /** `refute`: it is about us, and we are not leaving. */
  readonly outcome: "passOn" | "drop" | "refute";
  readonly change?: MemberChange;
  /** The member is to be erased, "soon" if it is still there. */
  readonly prune?: "now" | "soon";
}

interface Row {
  member: SerfMember;
  /** Lamport time of the last intent that counted; 0 before there was one. */
  statusLTime: number;
  /** When it was found to be gone. */
  goneAt: Instant | undefined;
}

export class MemberTable {
  readonly #self: string;
  readonly #rows = new Map<string, Row>();
  readonly #intents = new RecentIntents();

  constructor(self: string) {
    this.#self = self;
  }

  get size(): number {
    return this.#rows.size;
  }

  get(name: string): SerfMember | undefined {
    return this.#rows.get(name)?.member;
  }

  list(): readonly SerfMember[] {
    return Array.from(this.#rows.values(), ({ member }) => member);
  }

  named(status: SerfMember["status"]): readonly SerfMember[] {
    return this.list().filter((member) => member.status === status);
  }

  /** Is anybody else there? */
  hasAlivePeers(): boolean {
    for (const { member } of this.#rows.values()) {
      if (member.status === "alive" && member.name !== this.#self) return true;
    }
    return false;
  }

  /** For a push/pull. */
  statusTimes(): Readonly<Record<string, number>> {
    const times: Record<string, number> = Object.create(null) as Record<string, number>;
    for (const [name, { statusLTime }] of this.#rows) times[name] = statusLTime;
    return times;
  }

  /** memberlist has found the node, or found it again. */
  there(node: GossipMember): MemberChange {
    const intent = this.#rows.has(node.name) ? undefined : this.#intents.of(node.name);
    const row = this.#rows.get(node.name);
    const member = memberOf(node, intent?.kind === "leave" ? "leaving" : "alive");
    const statusLTime = row?.statusLTime ?? intent?.LTime ?? 0;
    this.#rows.set(node.name, { member, statusLTime, goneAt: undefined });
    return { kind: "join", member };
  }

  /** memberlist has lost the node; whether it meant to go, Serf knows better. */
  gone(name: string, now: Instant): MemberChange | undefined {
    const row = this.#rows.get(name);
    if (row === undefined) return undefined;
    const { status } = row.member;
    if (status !== "leaving" && status !== "alive") return undefined;
    row.member = { ...row.member, status: status === "leaving" ? "left" : "failed" };
    row.goneAt = now;
    return { kind: status === "leaving" ? "leave" : "failed", member: row.member };
  }

  updated(node: GossipMember): MemberChange | undefined {
    const row = this.#rows.get(node.name);
    if (row === undefined) return undefined;
    row.member = memberOf(node, row.member.status);
    return { kind: "update", member: row.member };
  }

  /** @returns whether it is news, to be passed on */
  joinIntent({ Node, LTime }: JoinIntent, now: Instant): boolean {
    const row = this.#rows.get(Node);
    if (row === undefined) return this.#intents.note(Node, { kind: "join", LTime }, now);
    if (LTime <= row.statusLTime) return false;
    row.statusLTime = LTime;
    if (row.member.status === "leaving") row.member = { ...row.member, status: "alive" };
    return true;
  }

  /** @param stance "staying" while this node has no intention to leave */
  leaveIntent(
    { Node, LTime, Prune }: LeaveIntent,
    stance: "staying" | "leaving",
    now: Instant,
  ): LeaveVerdict {
    const row = this.#rows.get(Node);
    if (row === undefined) {
      const isNews = this.#intents.note(Node, { kind: "leave", LTime }, now);
      return { outcome: isNews ? "passOn" : "drop" };
    }
    if (LTime <= row.statusLTime) return { outcome: "drop" };
    if (Node === this.#self && stance === "staying") return { outcome: "refute" };
    row.statusLTime = LTime;
    const before = row.member.status;
    if (before === "alive") row.member = { ...row.member, status: "leaving" };
    if (before === "failed") row.member = { ...row.member, status: "left" };
    return {
      outcome: "passOn",
      ...(before === "failed" ? { change: { kind: "leave", member: row.member } } : {}),
      ...(Prune ? { prune: row.member.status === "leaving" ? "soon" : "now" } : {}),
    };
  }

  /** Forgets a member that is not there; never this node. */
  erase(name: string): MemberChange | undefined {
    const row = this.#rows.get(name);
    if (row === undefined || row.member.status === "alive" || name === this.#self) return undefined;
    this.#rows.delete(name);
    return { kind: "reap", member: row.member };
  }

  /** Forgets who has been gone for longer than the limit of their kind. */
  reap(
    now: Instant,
    limits: { readonly failedMs: number; readonly leftMs: number },
  ): readonly MemberChange[] {
    this.#intents.forgetOld(now);
    const changes: MemberChange[] = [];
    for (const { member, goneAt } of this.#rows.values()) {
      if (goneAt === undefined) continue;
      const limitMs = member.status === "failed" ? limits.failedMs : limits.leftMs;
      if (now - goneAt <= limitMs) continue;
      const change = this.erase(member.name);
      if (change !== undefined) changes.push(change);
    }
    return changes;
  }

  /** How long ago the member was found to be gone; undefined if it is there. */
  goneForMs(name: string, now: Instant): number | undefined {
    const goneAt = this.#rows.get(name)?.goneAt;
    return goneAt === undefined ? undefined : now - goneAt;
  }
}
