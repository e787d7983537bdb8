/**
 * What becomes of what one simulated host sends to another: late, lost, twice, out of order, or not before a
 * partition heals. All of it is drawn from one seed, and each decision goes into a hash, so that two runs can
 * be compared by one line.
 *
 * Without conditions everything arrives at once and in order, as it does on one machine; and what a host sends
 * to itself always does. Datagrams overtake each other when their latencies differ; the bytes of a stream do
 * not, and a lost segment only comes later, as TCP has it.
 */
import { createHash } from "node:crypto";
import type { Clock } from "../platform.ts";
import type { SimRandom } from "./random.ts";
import type { Lane } from "./stream.ts";

/** How long a packet travels. `tailed`: exponential beyond `minMs`, so that one in a hundred takes long. */
export type Latency =
  | Readonly<{ kind: "fixed"; ms: number }>
  | Readonly<{ kind: "uniform"; minMs: number; maxMs: number }>
  | Readonly<{ kind: "tailed"; minMs: number; meanMs: number }>;

export interface LinkConditions {
  readonly latency?: Latency;
  /** Of datagrams and segments, 0 to 1. */
  readonly lossRatio?: number;
  /** Of datagrams. */
  readonly duplicateRatio?: number;
  /** What exceeds it queues up; datagrams that would wait for longer than a second are lost. */
  readonly bytesPerS?: number;
}
export interface Packet {
  readonly kind: "datagram" | "stream";
  readonly from: string;
  readonly to: string;
  readonly bytes: number;
}
/** Asked about each packet, newest first; the first verdict that is not "pass" is carried out. */
export type Fault = (packet: Packet) => "pass" | "drop" | Readonly<{ delayMs: number }>;
type Hosts = readonly string[];

const UNTRACED_MAX = 65_536;
const QUEUE_MAX_MS = 1000;
/** TCP's first retransmission. */
const RETRANSMIT_MS = 200;
/** Datagrams that wait for a paused process, before a receive buffer would be full. */
const PAUSED_DATAGRAMS_MAX = 256;

interface Held {
  readonly packet: Packet;
  readonly send: () => void;
}

export class SimLinks {
  readonly #clock: Clock;
  readonly #random: SimRandom;
  readonly #trace = createHash("sha256");
  /** What is not in the hash yet: it costs less per piece the larger the pieces are. */
  #untraced = "";
  #everywhere: readonly LinkConditions[] = [];
  readonly #byLink = new Map<string, readonly LinkConditions[]>();
  readonly #faults: Fault[] = [];
  readonly #cuts = new Set<Readonly<{ from: Hosts; to: Hosts }>>();
  readonly #paused = new Map<string, number>();
  readonly #slow = new Map<string, number>();
  #held: Held[] = [];
  /** When the last byte that was given to a link will have left. */
  readonly #freeAtMs = new Map<string, number>();

  constructor(clock: Clock, random: SimRandom) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Of every packet's fate until now. The same seed and the same calls give the same. */
  get traceHash(): string {
    return this.#trace.copy().update(this.#untraced).digest("hex");
  }

  /** On all links, until disposed; the latest conditions count, and those of one link before these. */
  everywhere(conditions: LinkConditions): Disposable {
    this.#everywhere = [conditions, ...this.#everywhere];
    return disposable(() => {
      this.#everywhere = this.#everywhere.filter((other) => other !== conditions);
    });
  }

  /** One way. */
  between(from: string, to: string, conditions: LinkConditions): Disposable {
    const link = linkOf(from, to);
    this.#byLink.set(link, [conditions, ...(this.#byLink.get(link) ?? [])]);
    return disposable(() => {
      const left = this.#byLink.get(link)?.filter((other) => other !== conditions) ?? [];
      this.#byLink.set(link, left);
    });
  }

  /** Nothing passes in this one direction: datagrams are lost, streams wait. */
  cut(from: Hosts, to: Hosts): Disposable {
    const cut = { from, to };
    this.#cuts.add(cut);
    return disposable(() => {
      this.#cuts.delete(cut);
      this.#release();
    });
  }

  /** Nothing passes between the two sides, until disposed. */
  partition(one: Hosts, other: Hosts): Disposable {
    const cuts = [this.cut(one, other), this.cut(other, one)];
    return disposable(() => {
      for (const cut of cuts) cut[Symbol.dispose]();
    });
  }

  fault(fault: Fault): Disposable {
    this.#faults.unshift(fault);
    return disposable(() => {
      const place = this.#faults.indexOf(fault);
      if (place >= 0) this.#faults.splice(place, 1);
    });
  }

  /** As SIGSTOP: what comes for the process waits until it goes on. Its timers: host-clock.ts. */
  pause(host: string): Disposable {
    this.#paused.set(host, (this.#paused.get(host) ?? 0) + 1);
    return disposable(() => {
      this.#paused.set(host, (this.#paused.get(host) ?? 1) - 1);
      this.#release();
    });
  }

  /** Everything that a process does takes it so much longer. */
  slow(host: string, byMs: number): Disposable {
    const before = this.#slow.get(host) ?? 0;
    this.#slow.set(host, before + byMs);
    return disposable(() => this.#slow.set(host, (this.#slow.get(host) ?? byMs) - byMs));
  }

  isPaused(host: string): boolean {
    return (this.#paused.get(host) ?? 0) > 0;
  }

  slownessMs(host: string): number {
    return this.#slow.get(host) ?? 0;
  }

  /** Calls `act` once `host` is not paused: at once, or when it goes on, in the order of the calls. */
  whenAwake(host: string, act: () => void): void {
    if (!this.isPaused(host)) act();
    else this.#held.push({ packet: { kind: "stream", from: host, to: host, bytes: 0 }, send: act });
  }

  /** @param deliver is called for each copy that arrives */
  sendDatagram(packet: Packet, deliver: () => void): void {
    const verdict = this.#verdict(packet);
    if (this.#isCut(packet) || verdict === "drop" || this.#draws("lossRatio", packet)) {
      this.#note(packet, "lost");
      return;
    }
    const waitMs = this.#queueMs(packet, QUEUE_MAX_MS);
    if (waitMs === undefined) {
      this.#note(packet, "queue full");
      return;
    }
    const copies = this.#draws("duplicateRatio", packet) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      this.#arriveIn(waitMs + this.#travelMs(packet) + verdict, packet, () => {
        this.#deliverDatagram(packet, deliver);
      });
    }
  }

  /** One direction of a stream: what is given to it arrives, in order. */
  lane(from: string, to: string): Lane {
    let lastAtMs = 0;
    /** What has a timer. */
    let underway = 0;
    const send = (packet: Packet, deliver: () => void): void => {
      const verdict = this.#verdict(packet);
      if (this.#isCut(packet)) {
        this.#note(packet, "waits");
        this.#held.push({ packet, send: () => send(packet, deliver) });
        return;
      }
      let delayMs = (this.#queueMs(packet, Infinity) ?? 0) + this.#travelMs(packet);
      delayMs += verdict === "drop" ? RETRANSMIT_MS : verdict;
      for (let wait = RETRANSMIT_MS; this.#draws("lossRatio", packet) && wait < 60_000; wait *= 2) {
        delayMs += wait;
      }
      const nowMs = this.#clock.now();
      lastAtMs = Math.max(lastAtMs, nowMs + delayMs);
      // Not at once while something that was sent before waits for its timer.
      const atOnce = lastAtMs === nowMs && underway === 0;
      underway += atOnce ? 0 : 1;
      const arrive = (): void => {
        underway -= atOnce ? 0 : 1;
        this.whenAwake(to, deliver);
      };
      this.#arriveIn(lastAtMs - nowMs, packet, arrive, atOnce);
    };
    return (bytes, deliver) => send({ kind: "stream", from, to, bytes }, deliver);
  }

  #deliverDatagram(packet: Packet, deliver: () => void): void {
    if (!this.isPaused(packet.to)) {
      deliver();
      return;
    }
    const waiting = this.#held.filter(({ packet: { kind, to } }) => {
      return kind === "datagram" && to === packet.to;
    });
    if (waiting.length < PAUSED_DATAGRAMS_MAX) this.#held.push({ packet, send: deliver });
    else this.#note(packet, "buffer full");
  }

  /** Lets go what waited for a cut or a pause that has ended. What still must wait queues up again. */
  #release(): void {
    const held = this.#held;
    this.#held = [];
    for (const one of held) {
      const { packet } = one;
      if (this.isPaused(packet.to) || (packet.kind === "stream" && this.#isCut(packet))) {
        this.#held.push(one);
      } else {
        one.send();
      }
    }
  }

  #arriveIn(delayMs: number, packet: Packet, deliver: () => void, atOnce = delayMs <= 0): void {
    this.#note(packet, `arrives in ${delayMs}`);
    if (atOnce) queueMicrotask(deliver);
    else this.#clock.after(delayMs, deliver);
  }

  #conditions({ from, to }: Packet): LinkConditions {
    if (from === to) return {};
    const [own] = this.#byLink.size === 0 ? [] : (this.#byLink.get(linkOf(from, to)) ?? []);
    return own ?? this.#everywhere[0] ?? {};
  }

  #isCut({ from, to }: Packet): boolean {
    if (from === to || this.#cuts.size === 0) return false;
    return [...this.#cuts].some((cut) => cut.from.includes(from) && cut.to.includes(to));
  }

  /** @returns "drop", or how much later a packet is to come */
  #verdict(packet: Packet): "drop" | number {
    for (const fault of this.#faults) {
      const verdict = fault(packet);
      if (verdict === "drop") return verdict;
      if (verdict !== "pass") return verdict.delayMs;
    }
    return 0;
  }

  #draws(ratio: "lossRatio" | "duplicateRatio", packet: Packet): boolean {
    const limit = this.#conditions(packet)[ratio] ?? 0;
    return limit > 0 && this.#random.float() < limit;
  }

  #travelMs(packet: Packet): number {
    const { latency } = this.#conditions(packet);
    const slowMs = packet.from === packet.to ? 0 : this.slownessMs(packet.to);
    return slowMs + (latency === undefined ? 0 : drawLatencyMs(latency, this.#random));
  }

  /** @returns how long a packet waits until it has left, or undefined if that would exceed `maxMs` */
  #queueMs(packet: Packet, maxMs: number): number | undefined {
    const { bytesPerS } = this.#conditions(packet);
    if (bytesPerS === undefined) return 0;
    const link = linkOf(packet.from, packet.to);
    const nowMs = this.#clock.now();
    const freeAtMs = Math.max(nowMs, this.#freeAtMs.get(link) ?? 0);
    if (freeAtMs - nowMs > maxMs) return undefined;
    const leftAtMs = freeAtMs + (packet.bytes / bytesPerS) * 1000;
    this.#freeAtMs.set(link, leftAtMs);
    return leftAtMs - nowMs;
  }

  #note({ kind, from, to, bytes }: Packet, fate: string): void {
    this.#untraced += `${this.#clock.now()} ${kind} ${from} ${to} ${bytes} ${fate}\n`;
    if (this.#untraced.length < UNTRACED_MAX) return;
    this.#trace.update(this.#untraced);
    this.#untraced = "";
  }
}

function drawLatencyMs(latency: Latency, random: SimRandom): number {
  switch (latency.kind) {
    case "fixed":
      return latency.ms;
    case "uniform":
      return latency.minMs + random.float() * (latency.maxMs - latency.minMs);
    case "tailed":
      return latency.minMs - Math.log(1 - random.float()) * (latency.meanMs - latency.minMs);
  }
}

function linkOf(from: string, to: string): string {
  return `${from}>${to}`;
}

function disposable(end: () => void): Disposable {
  let ended = false;
  return {
    [Symbol.dispose]: () => {
      if (!ended) end();
      ended = true;
    },
  };
}
