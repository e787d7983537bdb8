/**
 * Who is here, and who seems gone: SWIM membership with Lifeguard, as memberlist 0.2 speaks it. Usable without Serf
 * and Consul: `startGossip` with a delegate. Read membership.ts for the rules, gossip.ts for the parts.
 */
export { startGossip } from "./gossip.ts";
export type { Gossip, GossipDelegate, GossipOptions } from "./gossip-types.ts";
export type { GossipMember } from "./member.ts";
export { LAN_PROFILE, LOCAL_PROFILE, WAN_PROFILE } from "./profile.ts";
export type { GossipProfile } from "./profile.ts";
export { Keyring } from "./keyring.ts";
export { TransmitQueue } from "./transmit-queue.ts";
export type { Take, Transmission } from "./transmit-queue.ts";
export { retransmitLimit } from "./scaling.ts";
export { bytesOfHost, hostOf } from "./ip-bytes.ts";
