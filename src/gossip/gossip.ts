/**
 * A running node: puts the parts together, and gives each packet, stream and timer to the part that it concerns.
 *
 *     packets ──► membership ◄── push/pulls ◄── streams
 *        ▲            │ rumors
 *        └─ broadcasts ┘      prober: membership.accuse
 *
 * membership.ts decides, prober.ts finds failures, broadcasts.ts spreads, push-pull.ts repairs.
 */
import { RollcallError } from "../errors/index.ts";
import { noMeter, type Clock, type IpAddress, type Logger } from "../platform/index.ts";
import type { GossipMessage, Ping, StreamMessage } from "../wire/index.ts";
import { Awareness } from "./awareness.ts";
import { advertised, bindBoth, type Binding } from "./binding.ts";
import { Broadcasts } from "./broadcasts.ts";
import { deadlineSignal } from "./deadline-signal.ts";
import type { Gossip, GossipOptions } from "./gossip-types.ts";
import { bytesOfHost } from "./ip-bytes.ts";
import { GossipRounds } from "./gossip-rounds.ts";
import { joinEach } from "./joining.ts";
import { LoopLag } from "./loop-lag.ts";
import { addressOf, isPresent, META_BYTES_MAX, VSN_BYTES, type GossipMember } from "./member.ts";
import { Membership, type Effect } from "./membership.ts";
import { Packets } from "./packets.ts";
import { PendingAcks } from "./pending-acks.ts";
import { Prober } from "./prober.ts";
import { PushPulls } from "./push-pull.ts";
import { Relays, returnAddress, sourceOf } from "./relays.ts";
import { admission, RumorMill } from "./rumor-mill.ts";
import { pushPullIntervalMs } from "./scaling.ts";
import { Sealer } from "./sealing.ts";
import { Streams, type Reaction } from "./streams.ts";

/**
 * Binds, announces itself to itself, and starts to probe and to gossip. It knows nobody until it joins somebody, or
 * somebody joins it.
 *
 * @throws {RollcallError} `net/bind`; `config/invalid` for options that no member could have
 */
export async function startGossip(options: GossipOptions): Promise<Gossip> {
  const { network } = options.platform;
  if (options.name === "") throw new RollcallError("config/invalid", "a member needs a name");
  if (options.vsn.length !== VSN_BYTES) throw new RollcallError("config/invalid", "six versions");
  // What comes in while the node is being built is lost, as a packet may be.
  let node: GossipNode | undefined;
  const binding = await bindBoth(network, options.bind, {
    receive: (bytes, from) => node?.receive(bytes, from),
    accept: (stream, peer) => {
      if (node === undefined) stream.destroy();
      else void node.accept(stream, peer);
    },
  });
  try {
    node = new GossipNode(options, binding);
    node.start();
    return node;
  } catch (error) {
    await binding[Symbol.asyncDispose]();
    throw error;
  }
}

class GossipNode implements Gossip {
  readonly address: IpAddress;
  readonly #options: GossipOptions;
  readonly #binding: Binding;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #awareness: Awareness;
  readonly #lag: LoopLag;
  readonly #membership: Membership;
  readonly #broadcasts: Broadcasts;
  readonly #packets: Packets;
  readonly #pending = new PendingAcks();
  readonly #relays: Relays;
  readonly #streams: Streams;
  readonly #rumors: RumorMill;
  readonly #pushPulls: PushPulls;
  readonly #prober: Prober;
  readonly #rounds: GossipRounds;
  #pushPullTimer: Disposable | undefined;
  readonly #stopping = new AbortController();

  constructor(options: GossipOptions, binding: Binding) {
    const { platform, profile, delegate, logger, meter = noMeter, name, vsn } = options;
    const { clock, network } = platform;
    const random = platform.random.fork("gossip");
    this.#options = options;
    this.#binding = binding;
    this.#clock = clock;
    this.#logger = logger;
    this.address = advertised(network, options, binding.port);
    const addr = bytesOfHost(this.address.host);
    if (addr === undefined) throw new RollcallError("config/invalid", "advertise an IP address");

    const { probeTimeoutMs, probeIntervalMs, tcpTimeoutMs } = profile;
    this.#awareness = new Awareness(profile.awarenessMax);
    this.#lag = new LoopLag({
      clock,
      awareness: this.#awareness,
      probeTimeoutMs,
      probeIntervalMs,
      mode: profile.loopLag,
      onLag: (lateMs) => {
        logger.warn(`memberlist: this node was ${Math.round(lateMs)} ms late, and accuses nobody`);
      },
    });
    this.#membership = new Membership({
      ...profile,
      self: { name, addr, port: this.address.port, vsn },
      random: random.fork("members"),
      common: options.common,
      admits: admission(delegate, logger),
    });
    const sealer = new Sealer(options, random.fork("nonces"));
    this.#broadcasts = new Broadcasts(delegate, profile.retransmitMult, options.common);
    this.#packets = new Packets({
      sealer,
      broadcasts: this.#broadcasts,
      packetBytesMax: profile.packetBytesMax,
      logger,
      meter,
      memberCount: () => this.memberCount,
      onMessage: (message, from) => this.#onMessage(message, from),
    });
    this.#packets.use(binding.socket);
    this.#streams = new Streams({
      clock,
      network,
      sealer,
      timeoutMs: tcpTimeoutMs,
      logger,
      meter,
      onMessage: (message) => this.#onStreamMessage(message),
    });
    this.#rumors = new RumorMill({
      clock,
      logger,
      meter,
      membership: this.#membership,
      broadcasts: this.#broadcasts,
      awareness: this.#awareness,
      lag: this.#lag,
      graceMs: probeIntervalMs,
      delegate,
    });
    this.#pushPulls = new PushPulls({
      clock,
      logger,
      meter,
      membership: this.#membership,
      rumors: this.#rumors,
      streams: this.#streams,
      port: binding.port,
      delegate,
    });
    this.#rounds = new GossipRounds({
      clock,
      meter,
      lag: this.#lag,
      profile,
      membership: this.#membership,
      packets: this.#packets,
    });
    const source = sourceOf(name, this.address);
    const parts = { packets: this.#packets, pending: this.#pending, lag: this.#lag, source };
    this.#relays = new Relays({ ...parts, probeTimeoutMs });
    this.#prober = new Prober({
      ...parts,
      clock,
      logger,
      meter,
      profile,
      membership: this.#membership,
      awareness: this.#awareness,
      pingOverTcp: (member, options) => this.#pingOverTcp(member, options),
      accuse: (member) => this.#rumors.perform(this.#membership.accuse(member.name, clock.now())),
      onAnswered: (member, rttMs, payload) => delegate.onPingAnswered(member, rttMs, payload),
    });
  }

  start(): void {
    const { profile, platform } = this.#options;
    const random = platform.random.fork("stagger");
    this.#rumors.perform(this.#membership.announce(this.#ownMeta(), this.#clock.now()));
    this.#prober.start(random.float() * profile.probeIntervalMs);
    this.#rounds.start(random.float() * profile.gossipIntervalMs);
    if (profile.pushPullIntervalMs > 0) this.#pushPullIn(random.float() * this.#pushPullEveryMs);
  }

  receive(bytes: Uint8Array, from: IpAddress): void {
    if (!this.#stopping.signal.aborted) this.#packets.receive(bytes, from);
  }

  accept(...stream: Parameters<Streams["accept"]>): Promise<void> {
    return this.#streams.accept(...stream);
  }

  get local(): GossipMember {
    return this.#membership.local;
  }
  get memberCount(): number {
    return this.#membership.table.size;
  }
  get aliveCount(): number {
    return this.#membership.table.aliveCount;
  }
  get healthScore(): number {
    return this.#awareness.score;
  }
  members(): readonly GossipMember[] {
    return this.#membership.table.members().filter(isPresent);
  }
  member(name: string): GossipMember | undefined {
    return this.#membership.table.get(name)?.member;
  }

  join(
    addresses: readonly string[],
    { signal }: { readonly signal: AbortSignal },
  ): Promise<number> {
    const [defaultPort, pushPulls, logger] = [this.#binding.port, this.#pushPulls, this.#logger];
    return joinEach(addresses, { defaultPort, pushPulls, logger, signal });
  }

  async updateMeta(options: {
    readonly timeoutMs: number;
    readonly signal?: AbortSignal;
  }): Promise<void> {
    if (this.#membership.isLeaving) {
      throw new RollcallError("request/refused", "this node is leaving");
    }
    const effects = this.#membership.announce(this.#ownMeta(), this.#clock.now());
    await this.#spread(effects, { ...options, what: "update" });
  }

  async leave({ timeoutMs }: { readonly timeoutMs: number }): Promise<void> {
    if (this.#membership.isLeaving) return;
    await this.#spread(this.#membership.leave(this.#clock.now()), { timeoutMs, what: "leave" });
  }

  sendUser(to: IpAddress, bytes: Uint8Array): void {
    this.#packets.sendAlone(to, [{ kind: "user", body: bytes }], "bare");
  }

  sendUserReliable(
    to: IpAddress,
    bytes: Uint8Array,
    options: { readonly signal: AbortSignal },
  ): Promise<void> {
    return this.#streams.send(to, { kind: "user", body: bytes }, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort(new RollcallError("request/aborted", "the node has stopped"));
    this.#prober[Symbol.dispose]();
    this.#rumors[Symbol.dispose]();
    this.#relays[Symbol.dispose]();
    this.#rounds[Symbol.dispose]();
    this.#pushPullTimer?.[Symbol.dispose]();
    this.#streams.close();
    await this.#binding[Symbol.asyncDispose]();
  }

  #onMessage(message: GossipMessage, from: IpAddress): void {
    switch (message.kind) {
      case "ping":
        this.#answer(message.body, from);
        break;
      case "indirectPing":
        this.#relays.relay(message.body, from);
        break;
      case "ack":
        this.#pending.ack(message.body.SeqNo, message.body.Payload);
        break;
      case "nack":
        this.#pending.nack(message.body.SeqNo);
        break;
      case "alive": {
        const { body } = message;
        const Port = body.Port || this.#binding.port;
        this.#rumors.hear({ kind: "alive", body: { ...body, Port } });
        break;
      }
      case "suspect":
      case "dead":
        this.#rumors.hear(message);
        break;
      case "user":
        this.#options.delegate.onUserMessage(message.body);
        break;
      case "err":
        break; // Means something on a stream only.
      default:
        message satisfies never;
    }
  }

  #answer(ping: Ping, from: IpAddress): void {
    if (ping.Node !== "" && ping.Node !== this.local.name) {
      this.#logger.warn(`memberlist: Got ping for unexpected node '${ping.Node}'`, {
        from: from.host,
      });
      return;
    }
    const Payload = this.#options.delegate.ackPayload() ?? null;
    const body = { SeqNo: ping.SeqNo, Payload };
    this.#packets.send(returnAddress(ping, from), { kind: "ack", body });
  }

  #onStreamMessage(message: StreamMessage): Reaction | undefined {
    switch (message.kind) {
      case "ping": {
        const { Node, SeqNo } = message.body;
        if (Node !== "" && Node !== this.local.name) return undefined;
        return { reply: { kind: "ack", body: { SeqNo, Payload: null } } };
      }
      case "pushPull":
        return this.#pushPulls.answer(message.body);
      case "user":
        this.#options.delegate.onUserMessage(message.body);
        return undefined;
      case "ack":
      case "err":
        return undefined;
      default:
        return message satisfies never;
    }
  }

  async #pingOverTcp(
    member: GossipMember,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<void> {
    const SeqNo = 0; // Only one answer can come on this stream.
    const source = sourceOf(this.local.name, this.address);
    const ping = { kind: "ping", body: { SeqNo, Node: member.name, ...source } } as const;
    const reply = await this.#streams.exchange(addressOf(member), ping, options);
    if (reply.kind !== "ack" || reply.body.SeqNo !== SeqNo) {
      throw new RollcallError("net/dial", `unexpected answer to a ping: ${reply.kind}`);
    }
  }

  #pushPullIn(delayMs: number): void {
    this.#pushPullTimer = this.#lag.after(delayMs, () => {
      void this.#pushPulls.exchangeWithAnybody();
      this.#pushPullIn(this.#pushPullEveryMs);
    });
  }

  get #pushPullEveryMs(): number {
    return pushPullIntervalMs(this.#options.profile.pushPullIntervalMs, this.memberCount);
  }

  /** @throws {RollcallError} `request/refused` if that takes too long; the signal's reason */
  async #spread(
    effects: readonly Effect[],
    options: {
      readonly timeoutMs: number;
      readonly signal?: AbortSignal;
      readonly what: "update" | "leave";
    },
  ): Promise<void> {
    const { timeoutMs, signal, what } = options;
    signal?.throwIfAborted();
    using deadline = deadlineSignal(this.#clock, timeoutMs, signal);
    const stopping = this.#stopping.signal;
    const stop = (): void => deadline.abort(stopping.reason);
    stopping.addEventListener("abort", stop);
    try {
      await new Promise<void>((resolve, reject) => {
        deadline.signal.addEventListener("abort", () => {
          const isOver = stopping.aborted || signal?.aborted;
          const text = `timeout waiting for ${what} broadcast`;
          reject(isOver ? deadline.signal.reason : new RollcallError("request/refused", text));
        });
        this.#rumors.perform(effects, resolve);
        if (this.#isAlone) resolve();
      });
    } finally {
      stopping.removeEventListener("abort", stop);
    }
  }

  get #isAlone(): boolean {
    return this.aliveCount - (isPresent(this.local) ? 1 : 0) === 0;
  }

  #ownMeta(): Uint8Array {
    const meta = this.#options.delegate.meta();
    if (meta.length > META_BYTES_MAX) {
      const text = `Node meta data provided is longer than the limit (${META_BYTES_MAX} bytes)`;
      throw new RollcallError("request/refused", text);
    }
    return meta;
  }
}
