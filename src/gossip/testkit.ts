/** Clusters for tests: any number of nodes, each on a host of its own, in one virtual world. */
import { noLogger, type Clock, type Logger } from "../platform/index.ts";
import { simPlatform, type SimLinks, type SimPlatform } from "../platform/sim/index.ts";
import { CommonKnowledge } from "./common-knowledge.ts";
import type { Gossip, GossipDelegate, GossipOptions } from "./gossip-types.ts";
import { startGossip } from "./gossip.ts";
import { bytesOfHost } from "./ip-bytes.ts";
import type { GossipMember } from "./member.ts";
import { LAN_PROFILE, type GossipProfile } from "./profile.ts";

export const VSN = Uint8Array.of(1, 5, 2, 2, 5, 4);
export const NEVER: AbortSignal = new AbortController().signal;
export const PORT = 7946;
const NO_BYTES = new Uint8Array(0);

/** For fast runs: everything of the LAN profile but the CPU time of compression. */
export const SIM_PROFILE: GossipProfile = { ...LAN_PROFILE, compression: "none" };

/** As before Lifeguard: no local health, one fixed suspicion timeout. */
export const SWIM_ONLY = {
  awarenessMax: 1,
  suspicionMaxTimeoutMult: 1,
  loopLag: "ignored",
} as const;
/** As memberlist has it. */
export const LIFEGUARD_ONLY = { loopLag: "ignored" } as const;

export function silentDelegate(overrides: Partial<GossipDelegate> = {}): GossipDelegate {
  return {
    meta: () => NO_BYTES,
    onUserMessage: () => {},
    broadcasts: () => [],
    localState: () => NO_BYTES,
    mergeRemoteState: () => {},
    onJoin: () => {},
    onLeave: () => {},
    onUpdate: () => {},
    onConflict: () => {},
    checkMerge: () => {},
    checkAlive: () => {},
    ackPayload: () => undefined,
    onPingAnswered: () => {},
    ...overrides,
  };
}

/** What a node was told: `join b`, `dead c`, `left c`, `update b`, `conflict b`. */
export interface Told {
  readonly atMs: number;
  readonly by: string;
  readonly what: "join" | "dead" | "left" | "update" | "conflict";
  readonly about: string;
}

export interface SimNode extends AsyncDisposable {
  readonly name: string;
  readonly host: string;
  readonly gossip: Gossip;
  readonly loop: StallingLoop;
}

/**
 * The event loop of one node, as libuv has it after it was held up: all timers that fell due fire first, in their
 * order, and only then are the sockets read.
 */
export class StallingLoop {
  readonly clock: Clock;
  readonly #links: SimLinks;
  readonly #host: string;
  #isStalled = false;
  #waiting: (() => void)[] = [];

  constructor(world: Clock, links: SimLinks, host: string) {
    this.#links = links;
    this.#host = host;
    this.clock = {
      now: () => world.now(),
      wallMs: () => world.wallMs(),
      after: (delayMs, fire) => this.#after(world, delayMs, fire),
    };
  }

  /** Nothing runs until it is disposed. */
  stall(): Disposable {
    const pause = this.#links.pause(this.#host);
    this.#isStalled = true;
    return {
      [Symbol.dispose]: () => {
        this.#isStalled = false;
        const due = this.#waiting;
        this.#waiting = [];
        for (const fire of due) fire();
        pause[Symbol.dispose]();
      },
    };
  }

  #after(world: Clock, delayMs: number, fire: () => void): Disposable {
    let isDisposed = false;
    const fireOnce = (): void => {
      if (!isDisposed) fire();
    };
    const timer = world.after(delayMs, () => {
      if (this.#isStalled) this.#waiting.push(fireOnce);
      else fireOnce();
    });
    return {
      [Symbol.dispose]: () => {
        isDisposed = true;
        timer[Symbol.dispose]();
      },
    };
  }
}

export interface ClusterOptions {
  readonly seed?: number | string;
  readonly profile?: GossipProfile;
  readonly logger?: Logger;
  /** Further options of each node. */
  readonly options?: (name: string) => Partial<GossipOptions>;
}

export class SimCluster implements AsyncDisposable {
  readonly world: SimPlatform;
  readonly nodes: SimNode[] = [];
  /** Oldest first. */
  readonly told: Told[] = [];
  readonly #options: ClusterOptions;
  readonly #startMs: number;

  constructor(options: ClusterOptions = {}) {
    this.#options = options;
    this.world = simPlatform({ seed: options.seed ?? 1 });
    this.#startMs = this.world.clock.now();
  }

  get nowMs(): number {
    return this.world.clock.now() - this.#startMs;
  }

  /** Starts `count` more, named n0, n1 and so on. They know nobody. */
  async start(count: number): Promise<void> {
    for (let i = 0; i < count; i += 1) await this.startNode(`n${this.nodes.length}`);
  }

  /**
   * Starts `count` that all know each other, which takes no joining, and little memory: their tables are copies of
   * one until they learn something new.
   */
  async startAcquainted(count: number): Promise<void> {
    const names = Array.from({ length: count }, (_, i) => `n${i}`);
    const members = names.map((name, i) => memberAt(name, hostAt(i)));
    const common = new CommonKnowledge(members, this.world.clock.now());
    for (const [i, name] of names.entries()) await this.startNode(name, hostAt(i), common);
  }

  async startNode(
    name: string,
    host = hostAt(this.nodes.length),
    common?: CommonKnowledge,
  ): Promise<SimNode> {
    const { world } = this;
    const { profile = SIM_PROFILE, logger = noLogger, options } = this.#options;
    const { network } = world;
    const loop = new StallingLoop(world.clock, network.links, host);
    const random = world.random.fork(name);
    const gossip = await startGossip({
      platform: { clock: loop.clock, network: network.at(host), random },
      logger,
      name,
      bind: { host, port: PORT },
      vsn: VSN,
      profile,
      delegate: this.#delegateOf(name),
      ...(common && { common }),
      ...options?.(name),
    });
    const node = {
      name,
      host,
      gossip,
      loop,
      [Symbol.asyncDispose]: () => gossip[Symbol.asyncDispose](),
    };
    this.nodes.push(node);
    return node;
  }

  /** Everybody joins the first. */
  async joinAll(): Promise<void> {
    const [first, ...rest] = this.nodes;
    if (first === undefined) return;
    for (const { gossip } of rest) {
      await this.world.clock.until(gossip.join([`${first.host}:${PORT}`], { signal: NEVER }));
    }
  }

  /** Virtual time, in steps within which only what is synchronous happens: for many nodes, with latency. */
  async runCoarsely(durationMs: number, stepMs = 5): Promise<void> {
    const { clock } = this.world;
    for (let restMs = durationMs; restMs > 0; restMs -= stepMs) {
      clock.advance(Math.min(stepMs, restMs));
      await clock.settle();
    }
  }

  /** @returns how long that took, or undefined if it did not come to pass within `limitMs` */
  async runUntil(
    isSo: () => boolean,
    limitMs: number,
    options: { readonly stepMs?: number } = {},
  ): Promise<number | undefined> {
    const startMs = this.nowMs;
    const { stepMs = 10 } = options;
    while (!isSo()) {
      if (this.nowMs - startMs >= limitMs) return undefined;
      await this.runCoarsely(stepMs);
    }
    return this.nowMs - startMs;
  }

  /** Which of the running nodes believe what else than that exactly the running nodes are here. */
  wrongViews(): string[] {
    const right = new Set(this.nodes.map(({ name }) => name));
    return this.nodes.flatMap(({ name, gossip }) => {
      const view = gossip.members();
      const missing = [...right].filter((other) => !view.some((member) => member.name === other));
      const surplus = view.filter((member) => !right.has(member.name));
      const faults = [
        ...missing.map((other) => `-${other}`),
        ...surplus.map((other) => `+${other.name}`),
      ];
      return faults.length === 0 ? [] : [`${name}: ${faults.join(" ")}`];
    });
  }

  /** Cheaper than `wrongViews`. */
  get allSeeAll(): boolean {
    return this.nodes.every(({ gossip }) => gossip.aliveCount === this.nodes.length);
  }

  /** As kill -9: it says nothing. */
  async kill(node: SimNode): Promise<void> {
    this.nodes.splice(this.nodes.indexOf(node), 1);
    await node[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node[Symbol.asyncDispose]()));
  }

  #delegateOf(by: string): GossipDelegate {
    const note = (what: Told["what"], { name: about }: GossipMember): void => {
      this.told.push({ atMs: this.nowMs, by, what, about });
    };
    return silentDelegate({
      onJoin: (member) => note("join", member),
      onLeave: (member) => note(member.state === "left" ? "left" : "dead", member),
      onUpdate: (member) => note("update", member),
      onConflict: (existing) => note("conflict", existing),
    });
  }
}

/** As a node announces itself when it starts. */
function memberAt(name: string, host: string): GossipMember {
  const addr = bytesOfHost(host) ?? NO_BYTES;
  return { name, addr, port: PORT, meta: NO_BYTES, vsn: VSN, state: "alive", incarnation: 1 };
}

export function hostAt(index: number): string {
  return `10.${(index >> 16) & 0xff}.${(index >> 8) & 0xff}.${index & 0xff}`;
}
