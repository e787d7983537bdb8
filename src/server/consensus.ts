/**
 * What a server asks of its log: that commands are put in one order for all servers, and who leads. Two answer:
 * `lone-log.ts` for a development agent, `raft-log.ts` for all others.
 */
import type { Command } from "../model/index.ts";
import type { Change, Peer } from "../raft/index.ts";
import type { ApplyResult } from "../store/index.ts";

export interface LogMember {
  readonly id: string;
  /** `host:port` of its RPC port. */
  readonly address: string;
  readonly isVoter: boolean;
}

export interface Consensus extends AsyncDisposable {
  readonly isLeader: boolean;
  /** As far as this server knows. */
  readonly leader: Peer | undefined;
  /** Changes with every election. */
  readonly term: number;
  /** Of the last entry of this server's log. */
  readonly lastIndex: number;
  readonly lastTerm: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly appliedTerm: number;
  /** Milliseconds since a leader was heard of: 0 on the leader, undefined if none ever was. */
  readonly lastContactMs: number | undefined;
  readonly members: readonly LogMember[];
  /** Index of the entry that `members` is from. */
  readonly membersIndex: number;
  readonly snapshot: { readonly index: number; readonly term: number };

  /**
   * Resolves once the command was applied to this server's store.
   * @throws {RollcallError} in raft's words when this server does not lead, or has lost the lead meanwhile: then it may
   *   yet have been done
   */
  apply(command: Command): Promise<ApplyResult>;
  /** Resolves once everything that was applied for before is applied here. */
  barrier(): Promise<void>;
  /** Resolves once this server has been the leader after this was called, and its store shows all that was acknowledged. */
  confirm(): Promise<void>;
  /** Resolves once the change is committed. */
  change(change: Change): Promise<void>;
  transferLeadership(to?: string): Promise<void>;
  /**
   * Resolves once this state is the cluster's, in place of the one that there was.
   * @param slices of a state that can be decoded
   * @param index that it had where it is from
   */
  restore(slices: AsyncIterable<Uint8Array>, index: number): Promise<void>;
  /** Called after each change of who leads. */
  subscribe(listener: () => void): Disposable;
}
