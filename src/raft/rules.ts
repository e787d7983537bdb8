/**
 * The decisions that safety rests on, each a pure function with the place in the papers where it is argued.
 *
 * The core asks here and nowhere else. They stand in one table so that the tests can put a wrong decision in
 * the place of one, and show that the simulator notices.
 *
 * Sources: Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (the paper);
 * Ongaro, "Consensus: Bridging Theory and Practice" (the thesis).
 */
import type { Suffrage } from "./configuration.ts";
import type { Index, Position, Term } from "./entry.ts";

export interface Rules {
  /** How many of so many voters decide. */
  readonly majorityOf: (voterCount: number) => number;
  readonly countsForMajority: (suffrage: Suffrage) => boolean;
  /** Paper §5.2: one vote a term. @param vote whom this server voted for in this term, "" for nobody */
  readonly mayVoteFor: (vote: string, candidate: string) => boolean;
  /** Paper §5.4.1: whoever lacks an entry of ours that may be committed must not lead. */
  readonly isUpToDate: (candidate: Position, own: Position) => boolean;
  /** Paper §5.3: the log before a request's entries is the leader's. @param ownTerm at that index, if it is there */
  readonly matchesPrevious: (previous: Position, ownTerm: Term | undefined) => boolean;
  /** Paper §5.3: only an entry of another term is a reason to cut; a late request must not undo what came after. */
  readonly conflicts: (ownTerm: Term, term: Term) => boolean;
  /** Paper §5.3, figure 2: a follower knows to be the leader's only what this request has shown to be. */
  readonly followerCommit: (leaderCommit: Index, lastVerified: Index, lastIndex: Index) => Index;
  /**
   * What a leader says is committed: no more than the entries of the request vouch for. hashicorp/raft's followers commit
   * all that they have up to it, also what they have beyond these entries and are yet to cut.
   */
  readonly commitToSend: (commitIndex: Index, lastSent: Index) => Index;
  /** Paper §5.4.2: entries of earlier terms are committed by one of this term after them. */
  readonly mayCommit: (entryTerm: Term, currentTerm: Term) => boolean;
  /** Thesis §4.1: not before the last change is committed, nor (erratum of 2015) an entry of this term. */
  readonly mayChangeMembers: (
    latestChange: Index,
    commitIndex: Index,
    firstOfTerm: Index,
  ) => boolean;
  /** Thesis §6.4: a new leader does not know what is committed before an entry of its own term is. */
  readonly knowsCommitted: (commitIndex: Index, firstOfTerm: Index) => boolean;
  /** Thesis §6.4: a majority has accepted us as leader since the read was asked. */
  readonly confirms: (acceptedRound: number, askedInRound: number) => boolean;
  /** Thesis §6.4.1. @param acceptedAtMs when that was sent which a majority has accepted since */
  readonly leaseHolds: (nowMs: number, acceptedAtMs: number, leaseMs: number) => boolean;
  /** A target of a transfer is elected without anybody's timeout, at any time later: the lease is no guard then. */
  readonly leaseOutlivesTransfer: () => boolean;
  /** Thesis §4.2.3: with a leader that was heard of lately, nobody is voted for. The lease stands on it. */
  readonly refusesWhileLed: (nowMs: number, ledUntilMs: number) => boolean;
  /** Who has restarted no longer knows whether it just backed a leader's lease: it assumes so. */
  readonly ledAtStart: () => boolean;
}

export const RULES: Rules = {
  majorityOf: (voterCount) => Math.floor(voterCount / 2) + 1,
  countsForMajority: (suffrage) => suffrage === "voter",
  mayVoteFor: (vote, candidate) => vote === "" || vote === candidate,
  isUpToDate: (candidate, own) =>
    candidate.term > own.term || (candidate.term === own.term && candidate.index >= own.index),
  matchesPrevious: (previous, ownTerm) => previous.index === 0 || previous.term === ownTerm,
  conflicts: (ownTerm, term) => ownTerm !== term,
  followerCommit: (leaderCommit, lastVerified) => Math.min(leaderCommit, lastVerified),
  commitToSend: (commitIndex, lastSent) => Math.min(commitIndex, lastSent),
  mayCommit: (entryTerm, currentTerm) => entryTerm === currentTerm,
  mayChangeMembers: (latestChange, commitIndex, firstOfTerm) =>
    latestChange <= commitIndex && firstOfTerm <= commitIndex,
  knowsCommitted: (commitIndex, firstOfTerm) => commitIndex >= firstOfTerm,
  confirms: (acceptedRound, askedInRound) => acceptedRound >= askedInRound,
  leaseHolds: (nowMs, acceptedAtMs, leaseMs) => nowMs < acceptedAtMs + leaseMs,
  leaseOutlivesTransfer: () => false,
  refusesWhileLed: (nowMs, ledUntilMs) => nowMs < ledUntilMs,
  ledAtStart: () => true,
};
