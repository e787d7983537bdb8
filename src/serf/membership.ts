/**
 * The members and what is said of them: keeps the table, announces its changes, and speaks for this node
 * (serf.md §6). What a member says of itself, an intent, is spread by Serf; that a node is there or gone,
 * memberlist observes.
 */
import { RollcallError } from "../errors/index.ts";
import { hostOf, type GossipMember } from "../gossip/index.ts";
import type { Clock, Logger, Meter } from "../platform/index.ts";
import { encodeSerfMessage, type JoinIntent, type LeaveIntent } from "../wire/index.ts";
import type { Broadcasts } from "./broadcasts.ts";
import type { LamportClock } from "./lamport-clock.ts";
import type { MemberTable } from "./member-table.ts";
import type { MemberChange, MemberEventKind } from "./serf-event.ts";

/** How long a message that must go out may take to do so. */
export const BROADCAST_TIMEOUT_MS = 5000;
/** Who comes back before that flaps. */
const FLAP_MS = 60_000;

/** As operators know them: in the log, and as metrics. */
const TITLES: Readonly<Record<MemberEventKind, { readonly log: string; readonly metric: string }>> =
  {
    join: { log: "EventMemberJoin", metric: "serf.member.join" },
    leave: { log: "EventMemberLeave", metric: "serf.member.left" },
    failed: { log: "EventMemberFailed", metric: "serf.member.failed" },
    update: { log: "EventMemberUpdate", metric: "serf.member.update" },
    reap: { log: "EventMemberReap", metric: "serf.member.reap" },
  };

export interface MembershipNeeds {
  readonly self: string;
  readonly table: MemberTable;
  readonly time: LamportClock;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Meter;
  readonly broadcasts: Broadcasts;
  readonly leavePropagateDelayMs: number;
  readonly reconnectTimeoutMs: number;
  readonly tombstoneTimeoutMs: number;
  readonly onChange: (change: MemberChange) => void;
}

export class Membership implements Disposable {
  readonly table: MemberTable;
  readonly #needs: MembershipNeeds;
  #stance: "staying" | "leaving" = "staying";
  /** Members that are to be erased once they have had time to go. As many as there are members. */
  readonly #pruning = new Map<string, Disposable>();
  /** Ends of waits for a message to go out. */
  readonly #waits = new Set<() => void>();

  constructor(needs: MembershipNeeds) {
    this.#needs = needs;
    this.table = needs.table;
  }

  there(node: GossipMember): void {
    const { clock, metrics } = this.#needs;
    const goneForMs = this.table.goneForMs(node.name, clock.now());
    const wasFailed = this.table.get(node.name)?.status === "failed";
    if (wasFailed && goneForMs !== undefined && goneForMs < FLAP_MS) {
      metrics.count("serf.member.flap");
    }
    this.#announce(this.table.there(node));
  }

  gone(name: string): void {
    this.#announce(this.table.gone(name, this.#needs.clock.now()));
  }

  updated(node: GossipMember): void {
    this.#announce(this.table.updated(node));
  }

  /**
   * @returns whether it is to be passed on
   * @throws {RollcallError} `wire/malformed`
   */
  receiveJoin(intent: JoinIntent): boolean {
    const { time, clock } = this.#needs;
    time.witness(intent.LTime);
    return this.table.joinIntent(intent, clock.now());
  }

  /** As `receiveJoin`. */
  receiveLeave(intent: LeaveIntent): boolean {
    const { time, clock } = this.#needs;
    time.witness(intent.LTime);
    const { outcome, change, prune } = this.table.leaveIntent(intent, this.#stance, clock.now());
    if (outcome === "refute") this.announceJoin();
    this.#announce(change);
    if (prune === "now") this.#erase(intent.Node);
    if (prune === "soon") this.#eraseLater(intent.Node);
    return outcome === "passOn";
  }

  /** Says that this node is here, with the present time: also what refutes that it was leaving. */
  announceJoin(): void {
    const { self, time, broadcasts } = this.#needs;
    const body: JoinIntent = { LTime: time.time, Node: self };
    this.receiveJoin(body);
    broadcasts.add("intent", encodeSerfMessage({ kind: "join", body }));
  }

  /** From now on this node does not refute that it is leaving. */
  beginLeaving(): void {
    this.#stance = "leaving";
  }

  /**
   * Says that a member is leaving: this node, or one that has failed and is not to be waited for.
   * @returns "alone" when there is nobody to tell
   */
  async announceLeave(
    name: string,
    { prune }: { readonly prune: boolean },
  ): Promise<"told" | "late" | "alone"> {
    const { time, broadcasts, clock } = this.#needs;
    const body: LeaveIntent = { LTime: time.tick(), Node: name, Prune: prune };
    this.receiveLeave(body);
    if (!this.table.hasAlivePeers()) return "alone";
    const bytes = encodeSerfMessage({ kind: "leave", body });
    return new Promise((resolve) => {
      const finish = (how: "told" | "late"): void => {
        timer[Symbol.dispose]();
        this.#waits.delete(giveUp);
        resolve(how);
      };
      const giveUp = (): void => finish("late");
      const timer = clock.after(BROADCAST_TIMEOUT_MS, giveUp);
      this.#waits.add(giveUp);
      broadcasts.add("intent", bytes, () => finish("told"));
    });
  }

  /** @throws {RollcallError} `request/refused` when it was not passed on in time */
  async forceLeave(name: string, options: { readonly prune: boolean }): Promise<void> {
    const outcome = await this.announceLeave(name, options);
    if (outcome !== "late") return;
    throw new RollcallError("request/refused", "timed out broadcasting node removal");
  }

  /** Erases who has been gone for too long. */
  reap(): void {
    const { clock, reconnectTimeoutMs, tombstoneTimeoutMs } = this.#needs;
    const limits = { failedMs: reconnectTimeoutMs, leftMs: tombstoneTimeoutMs };
    for (const change of this.table.reap(clock.now(), limits)) this.#announce(change);
  }

  [Symbol.dispose](): void {
    for (const timer of this.#pruning.values()) timer[Symbol.dispose]();
    this.#pruning.clear();
    for (const giveUp of this.#waits) giveUp();
  }

  #erase(name: string): void {
    this.#announce(this.table.erase(name));
  }

  /** A member that is leaving may still be there; it is given the time that leaving takes. */
  #eraseLater(name: string): void {
    const { clock, leavePropagateDelayMs } = this.#needs;
    if (this.#pruning.has(name)) return;
    const timer = clock.after(BROADCAST_TIMEOUT_MS + leavePropagateDelayMs, () => {
      this.#pruning.delete(name);
      this.#erase(name);
    });
    this.#pruning.set(name, timer);
  }

  #announce(change: MemberChange | undefined): void {
    if (change === undefined) return;
    const { logger, metrics, onChange } = this.#needs;
    const { kind, member } = change;
    logger.info(`serf: ${TITLES[kind].log}: ${member.name} ${hostOf(member.addr)}`);
    metrics.count(TITLES[kind].metric);
    onChange(change);
  }
}
