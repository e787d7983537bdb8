/**
 * The consensus core: Raft as a state machine without I/O.
 *
 * `step` takes one input and the current instant, changes this object, and returns what its caller is to do.
 * Nothing here reads a clock, sends, writes or awaits. The caller's duties:
 *
 *   1. Carry out effects in order; "persist" and "restore" one after the other, answering each with "persisted".
 *   2. Answer each "send" with a "response" or "failed", and deliver each "reply" to who asked, or nobody.
 *   3. Give a "tick" when `nextDueAt` is reached, which may move with every step.
 *   4. Apply what is committed in the order of the log, after a "restore" from its snapshot on.
 *
 * Read effects.ts, core-state.ts, then the file of the concern. What it all is for: rules.ts.
 */
import { unreachable } from "../errors/index.ts";
import type { Instant } from "../platform/index.ts";
import { onAppendResponse, onLoaded, onSendFailed, onSnapshotResponse } from "./acknowledgement.ts";
import { onAppendEntries } from "./append.ts";
import { advanceCommit } from "./commit.ts";
import type { Configuration, ServerId } from "./configuration.ts";
import { CoreState, type CoreOptions, type CoreStart } from "./core-state.ts";
import type { Call, Effect, Input, Proposal, Role, Rpc, Sent } from "./effects.ts";
import { countVotes, onVoteResponse, standAtOnce, standForElection } from "./election.ts";
import type { Entry, Index, Term } from "./entry.ts";
import { onChange, startChange } from "./membership.ts";
import type { Request, Response } from "./messages.ts";
import type { SnapshotMeta } from "./raft-log.ts";
import { answerReads, checkQuorum, leaseDueAt, onRead } from "./reads.ts";
import { heartbeatAll, replicateToAll, retryDueAt, spreadCommit } from "./replication.ts";
import { onInstallSnapshot, onSnapshotReceived, onSnapshotTaken } from "./snapshot-install.ts";
import { checkTransfer, onTransfer, tellTarget } from "./transfer.ts";
import { onRestore, onRestoreStored } from "./user-restore.ts";
import { onPreVote, onRequestVote } from "./votes.ts";

/** Heartbeats in a heartbeat timeout, at least. */
const HEARTBEATS_PER_TIMEOUT = 10;

export class RaftCore {
  #state: CoreState;
  #announced: { readonly role: Role; readonly term: Term; readonly leader: ServerId | undefined };
  #announcedCommit: Index;

  constructor(options: CoreOptions, start: CoreStart, now: Instant) {
    this.#state = new CoreState(options, start, now);
    this.#announced = this.#standing();
    this.#announcedCommit = this.#state.commitIndex;
  }

  /** To see what else could come of this state: the copy goes its own way. */
  clone(): RaftCore {
    const { options, lost, term, vote, log, now } = this.#state;
    const copy = new RaftCore(options, { hardState: { term, vote }, log: log.clone(), lost }, now);
    copy.#state = this.#state.clone();
    copy.#announced = this.#announced;
    copy.#announcedCommit = this.#announcedCommit;
    return copy;
  }

  get role(): Role {
    return this.#state.role;
  }

  get term(): Term {
    return this.#state.term;
  }

  get leader(): ServerId | undefined {
    return this.#state.leader;
  }

  /** When this server last heard of a leader; undefined if it never did. */
  get heardAt(): Instant | undefined {
    return this.#state.heardAt;
  }

  get commitIndex(): Index {
    return this.#state.commitIndex;
  }

  get lastIndex(): Index {
    return this.#state.log.lastIndex;
  }

  get snapshot(): SnapshotMeta {
    return this.#state.log.snapshot;
  }

  get configuration(): Configuration {
    return this.#state.log.configuration;
  }

  get configurationIndex(): Index {
    return this.#state.log.configurationIndex;
  }

  /** As a snapshot of the state at `index` has to carry it. */
  configurationAt(index: Index): { readonly index: Index; readonly configuration: Configuration } {
    return this.#state.log.configurationAt(index);
  }

  termAt(index: Index): Term | undefined {
    return this.#state.log.termAt(index);
  }

  /** Of the other servers, as the leader sees them; empty on others. */
  get matches(): ReadonlyMap<ServerId, { readonly match: Index; readonly acceptedAt: number }> {
    return this.#state.leadership?.progress ?? new Map();
  }

  /** Whether everything is back that this server may have acknowledged and lost. */
  get hasAllBack(): boolean {
    const { options, lastPosition, lost, durableIndex } = this.#state;
    return options.rules.isUpToDate(lastPosition, lost) && durableIndex >= lastPosition.index;
  }

  /** The call whose state is being stored, to take the place of ours. */
  get restoring(): Call | undefined {
    return this.#state.leadership?.restoring?.call;
  }

  /** What the explorer and the invariants look at. */
  get state(): Readonly<CoreState> {
    return this.#state;
  }

  /** When there is something to do though nothing comes. */
  get nextDueAt(): number {
    const core = this.#state;
    const { leadership } = core;
    if (leadership === undefined) return core.electionAt;
    const { heartbeatAt, commitAt, transfer } = leadership;
    return Math.min(
      heartbeatAt,
      commitAt,
      transfer?.deadline ?? Number.POSITIVE_INFINITY,
      retryDueAt(core, leadership),
      leaseDueAt(core, leadership),
    );
  }

  step(input: Input, now: Instant): readonly Effect[] {
    const core = this.#state;
    core.now = now;
    core.effects = [];
    this.#dispatch(input);
    this.#settle();
    core.flush();
    this.#announce();
    return core.effects;
  }

  #dispatch(input: Input): void {
    const core = this.#state;
    switch (input.kind) {
      case "tick":
        return this.#tick();
      case "request":
        return this.#request(input.rpc, input.request);
      case "response":
        return this.#response(input.from, input.sent, input.response);
      case "failed":
        return onSendFailed(core, input.to, input.sent);
      case "propose":
        return this.#propose(input.proposals);
      case "change":
        return onChange(core, input);
      case "read":
        return onRead(core, input.calls, input.safety);
      case "transfer":
        return onTransfer(core, input.call, input.to);
      case "persisted":
        core.persisted(input.ticket);
        core.log.trimRecent(core.durableIndex, core.options.recentBytesMax);
        return countVotes(core);
      case "loaded":
        return onLoaded(core, input.to, input.entries);
      case "snapshotTaken":
        return onSnapshotTaken(core, input.snapshot);
      case "restore":
        return onRestore(core, input.call, input.index);
      case "restoreStored":
        return onRestoreStored(core, input.call, input.outcome);
      case "snapshotReceived":
        return onSnapshotReceived(core, input.rpc, input.request, input.outcome);
      default:
        return unreachable(input);
    }
  }

  /** What follows for a leader from what has become known. */
  #settle(): void {
    const core = this.#state;
    do {
      if (core.leadership === undefined) return;
      advanceCommit(core);
      answerReads(core);
      // Once it has begun, a smaller majority may have everything already.
    } while (startChange(core));
    tellTarget(core);
  }

  #tick(): void {
    const core = this.#state;
    const { leadership, now } = core;
    if (leadership === undefined) {
      if (now >= core.electionAt) standForElection(core);
      return;
    }
    checkQuorum(core);
    checkTransfer(core);
    if (core.leadership !== leadership) return;
    if (now >= leadership.heartbeatAt) {
      const { heartbeatTimeoutMs, random } = core.options;
      const intervalMs = heartbeatTimeoutMs / HEARTBEATS_PER_TIMEOUT;
      leadership.heartbeatAt = now + intervalMs * (1 + random.float());
      heartbeatAll(core);
    }
    if (now >= leadership.commitAt) {
      leadership.commitAt = Number.POSITIVE_INFINITY;
      spreadCommit(core);
    }
    replicateToAll(core);
  }

  #request(rpc: Rpc, request: Request): void {
    const core = this.#state;
    switch (request.kind) {
      case "appendEntries":
        return onAppendEntries(core, rpc, request);
      case "requestVote":
        return onRequestVote(core, rpc, request);
      case "preVote":
        return onPreVote(core, rpc, request);
      case "installSnapshot":
        return onInstallSnapshot(core, rpc, request);
      case "timeoutNow":
        core.emit({ kind: "reply", rpc, response: { kind: "timeoutNow" } });
        return standAtOnce(core, request.term);
      default:
        return unreachable(request);
    }
  }

  #response(from: ServerId, sent: Sent, response: Response): void {
    const core = this.#state;
    switch (response.kind) {
      case "appendEntries":
        return onAppendResponse(core, from, sent, response);
      case "requestVote":
      case "preVote":
        return onVoteResponse(core, from, sent, response);
      case "installSnapshot":
        return onSnapshotResponse(core, from, sent, response);
      case "timeoutNow":
        return;
      default:
        return unreachable(response);
    }
  }

  #propose(proposals: readonly Proposal[]): void {
    const core = this.#state;
    const { leadership, log, term } = core;
    const room = core.options.uncommittedEntriesMax - (log.lastIndex - core.commitIndex);
    const entries: Entry[] = [];
    for (const { call, type, data, extensions } of proposals) {
      if (leadership === undefined) {
        core.emit({ kind: "refused", call, reason: "notLeader" });
      } else if (leadership.transfer !== undefined) {
        core.emit({ kind: "refused", call, reason: "transferring" });
      } else if (leadership.restoring !== undefined) {
        core.emit({ kind: "refused", call, reason: "restored" });
      } else if (entries.length >= room) {
        core.emit({ kind: "refused", call, reason: "busy" });
      } else {
        const index = log.lastIndex + 1 + entries.length;
        entries.push({ index, term, type, data, ...(extensions && { extensions }) });
        core.emit({ kind: "accepted", call, at: { index, term } });
      }
    }
    core.append(entries);
    replicateToAll(core);
  }

  #announce(): void {
    const { commitIndex: index } = this.#state;
    if (index > this.#announcedCommit) this.#state.emit({ kind: "commit", index });
    this.#announcedCommit = index;
    const standing = this.#standing();
    const { role, term, leader } = this.#announced;
    if (role === standing.role && term === standing.term && leader === standing.leader) return;
    this.#announced = standing;
    this.#state.emit({ kind: "role", ...standing });
  }

  #standing(): { readonly role: Role; readonly term: Term; readonly leader: ServerId | undefined } {
    const { role, term, leader } = this.#state;
    return { role, term, leader };
  }
}
