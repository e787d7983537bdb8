/**
 * The knobs, and the three sets of values that memberlist ships (`DefaultLANConfig` and its siblings). Spread one
 * and override what differs: `{ ...LAN_PROFILE, gossipNodes: 4 }`.
 */
export interface GossipProfile {
  /** How long one exchange over a stream may take. */
  readonly tcpTimeoutMs: number;
  /** Members that are asked to probe for us when no answer came. */
  readonly indirectChecks: number;
  /** A message is sent `retransmitMult * ceil(log10(n + 1))` times. */
  readonly retransmitMult: number;
  /** A suspect has at least `suspicionMult * max(1, log10(n)) * probeIntervalMs` to refute. */
  readonly suspicionMult: number;
  /** And at most so many times that, as long as nobody else agrees. 1: as SWIM without Lifeguard. */
  readonly suspicionMaxTimeoutMult: number;
  /** Between exchanges of the whole state, scaled with the number of members; 0: never. */
  readonly pushPullIntervalMs: number;
  /** Between probes; 0: never. */
  readonly probeIntervalMs: number;
  /** How long the answer to a direct probe may take. */
  readonly probeTimeoutMs: number;
  /** The health score stays below this. 1: as SWIM without Lifeguard. */
  readonly awarenessMax: number;
  /** What follows when this node's event loop is held up (loop-lag.ts). `ignored`: nothing, as in memberlist. */
  readonly loopLag: "counts" | "ignored";
  /** Members that a round of gossip goes to; 0: none. */
  readonly gossipNodes: number;
  readonly gossipIntervalMs: number;
  /** Who is dead is still told what is new for so long, and remembered: it may be alive, and then refutes. */
  readonly gossipToTheDeadMs: number;
  /** The name of who has been dead for so long may be taken by another address; 0: only of who has left. */
  readonly deadNodeReclaimMs: number;
  readonly compression: "lzw" | "none";
  /** Of one datagram, everything included. */
  readonly packetBytesMax: number;
}

export const LAN_PROFILE: GossipProfile = {
  tcpTimeoutMs: 10_000,
  indirectChecks: 3,
  retransmitMult: 4,
  suspicionMult: 4,
  suspicionMaxTimeoutMult: 6,
  pushPullIntervalMs: 30_000,
  probeIntervalMs: 1000,
  probeTimeoutMs: 500,
  awarenessMax: 8,
  loopLag: "counts",
  gossipNodes: 3,
  gossipIntervalMs: 200,
  gossipToTheDeadMs: 30_000,
  deadNodeReclaimMs: 0,
  compression: "lzw",
  packetBytesMax: 1400,
};

export const WAN_PROFILE: GossipProfile = {
  ...LAN_PROFILE,
  tcpTimeoutMs: 30_000,
  suspicionMult: 6,
  pushPullIntervalMs: 60_000,
  probeIntervalMs: 5000,
  probeTimeoutMs: 3000,
  gossipNodes: 4,
  gossipIntervalMs: 500,
  gossipToTheDeadMs: 60_000,
};

/** All on one machine. */
export const LOCAL_PROFILE: GossipProfile = {
  ...LAN_PROFILE,
  tcpTimeoutMs: 1000,
  indirectChecks: 1,
  retransmitMult: 2,
  suspicionMult: 3,
  pushPullIntervalMs: 15_000,
  probeTimeoutMs: 200,
  gossipIntervalMs: 100,
  gossipToTheDeadMs: 15_000,
};
