/**
 * Failure detection: every interval one member is pinged; who does not answer is pinged through others and over TCP;
 * who still does not answer is accused (SWIM §3.1; Lifeguard, "LHA-Probe"; memberlist: `probeNode`).
 *
 *     0            probeTimeoutMs                          interval × (score + 1)
 *     │ ping       │ indirect pings, TCP ping              │ accuse
 *     └── ack: answered, with a round-trip time ──┴── ack: answered
 *
 * What is new here: after a stall of our own event loop there is no verdict (loop-lag.ts).
 */
import { messageOf, unreachable } from "../errors/index.ts";
import type { Clock, Instant, Logger, Meter } from "../platform/index.ts";
import type { GossipMessage } from "../wire/index.ts";
import type { Awareness } from "./awareness.ts";
import type { LoopLag } from "./loop-lag.ts";
import {
  addressOf,
  CRC_PROTOCOL,
  highestProtocol,
  NACK_PROTOCOL,
  TCP_PING_PROTOCOL,
  type GossipMember,
} from "./member.ts";
import type { Membership } from "./membership.ts";
import type { Packets } from "./packets.ts";
import type { PendingAcks } from "./pending-acks.ts";
import type { GossipProfile } from "./profile.ts";
import type { Source } from "./relays.ts";

export interface ProberOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly profile: GossipProfile;
  readonly membership: Membership;
  readonly awareness: Awareness;
  readonly lag: LoopLag;
  readonly packets: Packets;
  readonly pending: PendingAcks;
  readonly source: Source;
  /** @throws when there is no answer */
  readonly pingOverTcp: (
    member: GossipMember,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ) => Promise<void>;
  readonly accuse: (member: GossipMember) => void;
  readonly onAnswered: (member: GossipMember, rttMs: number, payload: Uint8Array) => void;
}

/** `unknown`: we were the ones who did not listen. */
type Outcome = "answered" | "answered only over TCP" | "failed" | "unknown";

interface Probe {
  readonly target: GossipMember;
  readonly number: number;
  readonly startedAt: Instant;
  readonly endsAt: number;
  /** Ends the ping over TCP, if there is one. */
  overTcp: AbortController | undefined;
  answeredOverTcp: boolean;
  /** Of the members that were asked to help. */
  nacksExpected: number;
  nacksReceived: number;
}

export class Prober implements Disposable {
  readonly #options: ProberOptions;
  #probe: Probe | undefined;
  #timer: Disposable | undefined;

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  start(staggerMs: number): void {
    if (this.#options.profile.probeIntervalMs > 0) this.#arm(staggerMs);
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#probe?.overTcp?.abort();
    this.#probe = undefined;
  }

  #arm(delayMs: number): void {
    this.#timer = this.#options.lag.after(delayMs, () => this.#begin());
  }

  #begin(): void {
    const { clock, membership, profile, awareness, meter, pending, lag } = this.#options;
    const startedAt = clock.now();
    const target = membership.table.nextToProbe(startedAt, profile.gossipToTheDeadMs);
    const number =
      target &&
      pending.open({
        onAck: (payload) => this.#onAck(payload),
        onNack: () => {
          if (this.#probe !== undefined) this.#probe.nacksReceived += 1;
        },
      });
    if (target === undefined || number === undefined) {
      this.#arm(profile.probeIntervalMs);
      return;
    }
    if (awareness.score > 0) meter.count("memberlist.degraded.probe");
    this.#probe = {
      target,
      number,
      startedAt,
      endsAt: startedAt + awareness.scaled(profile.probeIntervalMs),
      overTcp: undefined,
      answeredOverTcp: false,
      nacksExpected: 0,
      nacksReceived: 0,
    };
    this.#ping(this.#probe);
    const { probeTimeoutMs } = profile;
    this.#timer = lag.deadline(probeTimeoutMs, probeTimeoutMs, (stallMs) => {
      if (this.#probe === undefined) return;
      if (stallMs > 0) this.#end(this.#probe, "unknown");
      else this.#askOthers(this.#probe);
    });
  }

  #ping({ target, number }: Probe): void {
    const { packets, membership, source } = this.#options;
    const body = { SeqNo: number, Node: target.name, ...source };
    const ping: GossipMessage = { kind: "ping", body };
    if (target.state === "alive") {
      packets.send(addressOf(target), ping);
      return;
    }
    // Lifeguard, "Buddy System": whoever is suspected shall hear of it first.
    const integrity = highestProtocol(target) >= CRC_PROTOCOL ? "checksummed" : "bare";
    packets.sendAlone(addressOf(target), [ping, membership.suspicionOf(target)], integrity);
  }

  #askOthers(probe: Probe): void {
    const { clock, membership, packets, profile, source, lag, pingOverTcp, logger } = this.#options;
    const { target, number } = probe;
    const self = membership.local.name;
    const helpers = membership.table.pick(profile.indirectChecks, ({ member }) => {
      return member.state === "alive" && member.name !== self && member.name !== target.name;
    });
    for (const helper of helpers) {
      const Nack = highestProtocol(helper) >= NACK_PROTOCOL;
      if (Nack) probe.nacksExpected += 1;
      const { name: Node, addr: Target, port: Port } = target;
      const body = { SeqNo: number, Target, Port, Node, Nack, ...source };
      packets.send(addressOf(helper), { kind: "indirectPing", body });
    }
    const restMs = Math.max(0, probe.endsAt - clock.now());
    if (highestProtocol(target) >= TCP_PING_PROTOCOL) {
      probe.overTcp = new AbortController();
      const { signal } = probe.overTcp;
      pingOverTcp(target, { timeoutMs: restMs, signal }).then(
        () => {
          probe.answeredOverTcp = true;
        },
        (error: unknown) => {
          logger.debug(`memberlist: Failed fallback ping: ${messageOf(error)}`);
        },
      );
    }
    this.#timer = lag.deadline(restMs, profile.probeTimeoutMs, (stallMs) => {
      if (probe.answeredOverTcp) this.#end(probe, "answered only over TCP");
      else this.#end(probe, stallMs > 0 ? "unknown" : "failed");
    });
  }

  #onAck(payload: Uint8Array): void {
    const probe = this.#probe;
    if (probe === undefined) return;
    const { clock, profile, onAnswered } = this.#options;
    const rttMs = clock.now() - probe.startedAt;
    this.#end(probe, "answered");
    // A later one has come through others, or says more about our own loop than about the network.
    if (rttMs < profile.probeTimeoutMs) onAnswered(probe.target, rttMs, payload);
  }

  #end(probe: Probe, outcome: Outcome): void {
    const { clock, pending, awareness, profile, meter, logger, accuse } = this.#options;
    this.#timer?.[Symbol.dispose]();
    pending.close(probe.number);
    probe.overTcp?.abort();
    this.#probe = undefined;
    const tookMs = clock.now() - probe.startedAt;
    meter.sample("memberlist.probeNode", tookMs);
    // Armed first: what an accusation sets in motion may stop this node.
    this.#arm(Math.max(0, profile.probeIntervalMs - tookMs));
    const { name } = probe.target;
    switch (outcome) {
      case "answered":
        awareness.change(-1);
        break;
      case "answered only over TCP":
        awareness.change(-1);
        logger.warn(
          `memberlist: Was able to connect to ${name} but other probes failed, network may be misconfigured`,
        );
        break;
      case "failed":
        awareness.change(failureScore(probe));
        logger.info(`memberlist: Suspect ${name} has failed, no acks received`);
        accuse(probe.target);
        break;
      case "unknown":
        break;
      default:
        unreachable(outcome);
    }
  }
}

/** How much a failed probe tells about ourselves: as many points as helpers kept silent too. */
function failureScore({ nacksExpected, nacksReceived }: Probe): number {
  return nacksExpected === 0 ? 1 : Math.max(0, nacksExpected - nacksReceived);
}
