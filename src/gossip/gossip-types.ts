/** What this room promises, and what it asks of the layer above (memberlist: `Delegate` and its siblings). */
import type { IpAddress, Logger, Meter, Platform } from "../platform/index.ts";
import type { Keyring } from "./keyring.ts";
import type { GossipMember } from "./member.ts";
import type { CommonKnowledge } from "./common-knowledge.ts";
import type { GossipProfile } from "./profile.ts";

/** What the layer above gives and is told. All calls are synchronous. */
export interface GossipDelegate {
  /** Own meta, at most 512 bytes. */
  meta(): Uint8Array;
  /** A user message, over UDP or a stream. `bytes` belongs to the receiver. */
  onUserMessage(bytes: Uint8Array): void;
  /** Messages to ride along: each costs `overheadBytes` more; all together at most `limitBytes`. */
  broadcasts(overheadBytes: number, limitBytes: number): readonly Uint8Array[];
  /** For a push/pull. */
  localState(join: boolean): Uint8Array;
  mergeRemoteState(bytes: Uint8Array, join: boolean): void;
  onJoin(member: GossipMember): void;
  /** Failed or left: `member.state` says which. */
  onLeave(member: GossipMember): void;
  /** Its meta has changed. */
  onUpdate(member: GossipMember): void;
  /** Two addresses claim one name. Called at each claim. */
  onConflict(existing: GossipMember, other: GossipMember): void;
  /** @throws to refuse a push/pull that joins */
  checkMerge(members: readonly GossipMember[]): void;
  /** @throws to refuse one alive message */
  checkAlive(member: GossipMember): void;
  /** Rides on the answer to a ping. */
  ackPayload(): Uint8Array | undefined;
  /** Only for answers over UDP that came in time. `payload` is empty when there was none. */
  onPingAnswered(member: GossipMember, rttMs: number, payload: Uint8Array): void;
}

export interface GossipOptions {
  readonly platform: Pick<Platform, "clock" | "random" | "network">;
  readonly logger: Logger;
  /** `memberlist.*`; the health score is a gauge, which is `Gossip.healthScore`. */
  readonly meter?: Meter;
  /** Unique among the members. */
  readonly name: string;
  /** UDP and TCP. Port 0 picks one that is free for both. */
  readonly bind: IpAddress;
  /** What others are told; port 0 is the port that is bound. Default: `bind`, or an address of this machine. */
  readonly advertise?: IpAddress;
  /** Six bytes (member.ts). */
  readonly vsn: Uint8Array;
  readonly profile: GossipProfile;
  /** With keys in it everything is encrypted. */
  readonly keyring?: Keyring;
  /** False: take plain packets too, while a cluster is being moved to encryption. Default true. */
  readonly verifyIncoming?: boolean;
  /** False: send plainly though there are keys. Default true. */
  readonly verifyOutgoing?: boolean;
  /** Only nodes with the same label hear each other (memberlist 0.3 and later). */
  readonly label?: string;
  readonly delegate: GossipDelegate;
  /** Its members are known from the start, this node among them; the delegate is not told. For simulations. */
  readonly common?: CommonKnowledge;
}

/** A running node. Disposing it stops at once, without a word to the others: `leave` first. */
export interface Gossip extends AsyncDisposable {
  readonly local: GossipMember;
  /** As advertised. */
  readonly address: IpAddress;
  /** Alive and suspect, this node included. */
  members(): readonly GossipMember[];
  /** All that are known, this node included, and the dead until they are dropped. */
  readonly memberCount: number;
  readonly aliveCount: number;
  /** 0: this node is well. Rises while it fails to keep up, and makes it slower to accuse (Lifeguard). */
  readonly healthScore: number;
  member(name: string): GossipMember | undefined;
  /**
   * Push/pull with each: `host`, `host:port` or `name/host:port`.
   *
   * @returns how many worked
   * @throws {RollcallError} `net/dial` if none did, saying why for each; the signal's reason
   */
  join(addresses: readonly string[], options: { readonly signal: AbortSignal }): Promise<number>;
  /** Announces `delegate.meta()` again. @throws {RollcallError} `request/refused` if it is not passed on in time */
  updateMeta(options: { readonly timeoutMs: number; readonly signal?: AbortSignal }): Promise<void>;
  /** Tells the others, and resolves once that has been passed on. @throws as `updateMeta` */
  leave(options: { readonly timeoutMs: number }): Promise<void>;
  /** One datagram, which nothing else rides on. */
  sendUser(to: IpAddress, bytes: Uint8Array): void;
  sendUserReliable(
    to: IpAddress,
    bytes: Uint8Array,
    options: { readonly signal: AbortSignal },
  ): Promise<void>;
}
