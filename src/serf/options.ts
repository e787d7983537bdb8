/** What a node of a pool is started with. Where nothing is said, Serf's own default (serf.md §11). */
import type { GossipOptions } from "../gossip/index.ts";
import type { Meter, Platform } from "../platform/index.ts";
import type { Tags } from "../wire/index.ts";
import type { CoalesceTiming } from "./coalescing.ts";
import type { SerfListener } from "./event-listeners.ts";
import type { Candidate } from "./member.ts";
import type { CompilePattern } from "./query-filters.ts";
import { USER_EVENT_BYTES_MAX } from "./user-events.ts";

type Gossiping = Pick<
  GossipOptions,
  | "logger"
  | "name"
  | "bind"
  | "advertise"
  | "profile"
  | "keyring"
  | "verifyIncoming"
  | "verifyOutgoing"
  | "label"
>;

export interface SerfOptions extends Gossiping, Partial<SerfSettings> {
  readonly platform: Pick<Platform, "clock" | "random" | "network" | "disk">;
  /** `serf.*` and `memberlist.*`; gauges are in `Serf.stats`. */
  readonly metrics?: Meter;
  /** Of Serf: 4 in Consul, 5 in the Serf command. */
  readonly protocol: 4 | 5;
  /** At most 512 bytes when encoded. */
  readonly tags: Tags;
  /** For the filters of queries, which are others' expressions. */
  readonly compilePattern: CompilePattern;
  /** Written whenever the key ring changes. To read it at the start: `readKeyringFile`. */
  readonly keyringFile?: string | undefined;
  /** From which a restarted node knows whom to join; without it, it does not. */
  readonly snapshotPath?: string | undefined;
  /** Who wants to join, one or many. @throws to refuse them */
  readonly checkMerge?: ((members: readonly Candidate[]) => void) | undefined;
  readonly coalesce?: CoalesceTiming | undefined;
  /** Subscribed before anything can happen; `Serf.subscribe` comes too late to hear of this node's own join. */
  readonly listener?: SerfListener | undefined;
}

export interface SerfSettings {
  /** Whether a node that left on purpose remembers whom to join when it starts again. */
  readonly rejoinAfterLeave: boolean;
  /** How long a failed member is remembered, and tried again. */
  readonly reconnectTimeoutMs: number;
  /** How long a member that left is remembered. */
  readonly tombstoneTimeoutMs: number;
  /** How long a leave waits for the news to spread. */
  readonly leavePropagateDelayMs: number;
  /** Messages in each queue, where `queueDepthMin` is 0. */
  readonly queueDepthMax: number;
  /** Above 0 the limit is this, or twice the number of members if that is more. */
  readonly queueDepthMin: number;
  /** From here on the length of a queue is logged. */
  readonly queueDepthWarning: number;
  readonly eventSizeLimit: number;
  /** Whether this node goes when the pool knows another one under its name. */
  readonly resolveNameConflicts: boolean;
  readonly disableCoordinates: boolean;
}

const DAY_MS = 86_400_000;

export const SERF_DEFAULTS: SerfSettings = {
  rejoinAfterLeave: false,
  reconnectTimeoutMs: DAY_MS,
  tombstoneTimeoutMs: DAY_MS,
  leavePropagateDelayMs: 1000,
  queueDepthMax: 4096,
  queueDepthMin: 0,
  queueDepthWarning: 128,
  eventSizeLimit: USER_EVENT_BYTES_MAX,
  resolveNameConflicts: true,
  disableCoordinates: false,
};
