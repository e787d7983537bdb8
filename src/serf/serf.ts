/**
 * A member of a pool, as Serf 0.9 is one: memberlist's gossip underneath, and on top of it who is a member and who
 * has left, user events, queries, tags, the key ring, and network coordinates. Knows nothing of Consul.
 *
 * This file starts and stops a node and is its face. parts.ts puts the parts together, delegate.ts is where gossip
 * comes in.
 */
import { messageOf, RollcallError } from "../errors/index.ts";
import { startGossip, type Gossip } from "../gossip/index.ts";
import { DisposableScope, noMeter, pause, type IpAddress } from "../platform/index.ts";
import { encodeTags, type Tags, type WireCoordinate } from "../wire/index.ts";
import { gossipDelegate } from "./delegate.ts";
import type { SerfListener } from "./event-listeners.ts";
import type { KeyRequests } from "./key-requests.ts";
import type { SerfMember } from "./member.ts";
import { BROADCAST_TIMEOUT_MS } from "./membership.ts";
import { SERF_DEFAULTS, type SerfOptions, type SerfSettings } from "./options.ts";
import { assemble, newClocks, type Parts, type SelfState } from "./parts.ts";
import type { Clocks, OldEvents } from "./push-pull.ts";
import type { QueryParams } from "./queries.ts";
import { reconnect, rejoin } from "./rejoining.ts";
import { every } from "./repeated.ts";
import type { RunningQuery } from "./running-query.ts";
import { openSnapshot, type Recovered, type Snapshot } from "./snapshot.ts";
import { serfStats, type SerfStats } from "./stats.ts";

/** memberlist's lowest, highest and current protocol, then Serf's lowest and highest. */
const VSN_PREFIX = [1, 5, 2, 2, 5];
const REAP_INTERVAL_MS = 15_000;
const RECONNECT_INTERVAL_MS = 30_000;
const QUEUE_CHECK_INTERVAL_MS = 30_000;

export type SerfState = "alive" | "leaving" | "left" | "stopped";

/**
 * Starts a node that knows nobody, but for whom a snapshot remembers: those it tries to join by itself.
 * @throws {RollcallError} `request/refused` for too many tags, `net/bind`, `disk/failed`
 */
export async function startSerf(given: SerfOptions): Promise<Serf> {
  const options = { ...SERF_DEFAULTS, ...given };
  encodeTags(options.tags);
  const scope = new DisposableScope();
  try {
    const clocks = newClocks();
    const snapshot = await snapshotOf(options, clocks);
    if (snapshot !== undefined) scope.use(snapshot);
    const self: SelfState = { tags: options.tags, gossip: undefined, joinsIgnoringOld: 0 };
    const parts = scope.use(assemble(options, { self, clocks, snapshot }));
    if (snapshot !== undefined) recall(parts, snapshot.recovered);
    const gossip = await startGossip({
      ...options,
      meter: options.metrics ?? noMeter,
      vsn: Uint8Array.of(...VSN_PREFIX, options.protocol),
      delegate: gossipDelegate({
        ...parts,
        tags: () => self.tags,
        checkMerge: options.checkMerge,
        oldEvents: () => (self.joinsIgnoringOld > 0 ? "ignore" : "deliver"),
        logger: options.logger,
        metrics: options.metrics ?? noMeter,
      }),
    });
    self.gossip = scope.use(gossip);
    return new Serf(options, { self, parts, gossip, snapshot, scope });
  } catch (error) {
    await scope[Symbol.asyncDispose]();
    throw error;
  }
}

async function snapshotOf(
  options: SerfOptions & SerfSettings,
  { members }: Clocks,
): Promise<Snapshot | undefined> {
  const { snapshotPath, platform, logger, rejoinAfterLeave } = options;
  if (snapshotPath === undefined) return undefined;
  return openSnapshot({
    ...platform,
    logger,
    metrics: options.metrics ?? noMeter,
    path: snapshotPath,
    afterLeave: rejoinAfterLeave ? "rejoin" : "forget",
    lastSeenTime: () => members.time - 1,
  });
}

/** Goes on where the node stopped: what it has seen is not news. */
function recall({ clocks, userEvents, queries }: Parts, recovered: Recovered): void {
  clocks.members.witness(recovered.clock);
  clocks.events.witness(recovered.eventClock);
  clocks.queries.witness(recovered.queryClock);
  userEvents.ignoreBefore(recovered.eventClock + 1);
  queries.ignoreBefore(recovered.queryClock + 1);
}

interface Insides {
  readonly self: SelfState;
  readonly parts: Parts;
  readonly gossip: Gossip;
  readonly snapshot: Snapshot | undefined;
  /** Closes everything. */
  readonly scope: DisposableScope;
}

/** A running node. Disposing it stops at once, without a word to the others: `leave` first. */
export class Serf implements AsyncDisposable {
  /** Changes of the pool's keys, and who has which. */
  readonly keys: KeyRequests;
  readonly #options: SerfOptions & SerfSettings;
  readonly #self: SelfState;
  readonly #parts: Parts;
  readonly #gossip: Gossip;
  readonly #snapshot: Snapshot | undefined;
  readonly #scope: DisposableScope;
  readonly #stopping = new AbortController();
  #state: SerfState = "alive";
  #leaving: Promise<void> | undefined;

  /** For `startSerf`. */
  constructor(
    options: SerfOptions & SerfSettings,
    { self, parts, gossip, snapshot, scope }: Insides,
  ) {
    this.#options = options;
    this.#self = self;
    this.#parts = parts;
    this.#gossip = gossip;
    this.#snapshot = snapshot;
    this.#scope = scope;
    this.keys = parts.keys;
    this.#begin();
  }

  /** "stopped" also once the pool has decided that our name is another's. */
  get state(): SerfState {
    return this.#state;
  }

  /** Aborts when the node stops, whoever stopped it. */
  get stopped(): AbortSignal {
    return this.#stopping.signal;
  }

  /** As advertised. */
  get address(): IpAddress {
    return this.#gossip.address;
  }

  get local(): SerfMember {
    const member = this.#parts.membership.table.get(this.#options.name);
    if (member === undefined) throw new Error("a node is a member of its own pool");
    return member;
  }

  /** All that are known, whatever their status, this node included. */
  members(): readonly SerfMember[] {
    return this.#parts.membership.table.list();
  }

  member(name: string): SerfMember | undefined {
    return this.#parts.membership.table.get(name);
  }

  subscribe(listener: SerfListener): Disposable {
    return this.#parts.listeners.subscribe(listener);
  }

  /**
   * @param addresses `host`, `host:port` or `name/host:port`
   * @param options.oldEvents what to make of events from before the join; default: deliver them
   * @returns how many of them worked
   * @throws {RollcallError} `net/dial` if none did; `request/refused` after `leave`; the signal's reason
   */
  async join(
    addresses: readonly string[],
    options: { readonly signal?: AbortSignal; readonly oldEvents?: OldEvents } = {},
  ): Promise<number> {
    if (this.#state !== "alive") throw refused("Serf can't Join after Leave or Shutdown");
    const { signal = this.stopped, oldEvents = "deliver" } = options;
    const ignoring = oldEvents === "ignore" ? 1 : 0;
    this.#self.joinsIgnoringOld += ignoring;
    try {
      const joined = await this.#gossip.join(addresses, { signal });
      if (joined > 0) this.#parts.membership.announceJoin();
      return joined;
    } finally {
      this.#self.joinsIgnoringOld -= ignoring;
    }
  }

  /** Tells the others that this node goes, and waits until they have heard. Dispose of it then. */
  leave(): Promise<void> {
    this.#leaving ??= this.#leave();
    return this.#leaving;
  }

  /**
   * Declares that a failed member has left; with `prune` it is forgotten at once. One that is there objects.
   * @throws {RollcallError} `request/refused` if that could not be passed on in time
   */
  async forceLeave(name: string, options: { readonly prune: boolean }): Promise<void> {
    await this.#parts.membership.forceLeave(name, options);
  }

  /** @throws {RollcallError} `request/refused` for too many, or if they could not be passed on in time */
  async setTags(tags: Tags): Promise<void> {
    encodeTags(tags);
    this.#self.tags = { ...tags };
    await this.#gossip.updateMeta({ timeoutMs: BROADCAST_TIMEOUT_MS });
  }

  /**
   * @param options.coalesce whether of several with this name the latest will do
   * @throws {RollcallError} `request/refused`, in Serf's words, for one that is too large
   */
  fireEvent(
    name: string,
    payload: Uint8Array,
    options: { readonly coalesce: boolean } = { coalesce: false },
  ): void {
    this.#parts.userEvents.fire(name, payload, options);
  }

  /** @throws {RollcallError} `request/refused`, in Serf's words, for one that is too large */
  query(name: string, payload: Uint8Array, params: QueryParams = {}): RunningQuery {
    return this.#parts.queries.ask(name, payload, params);
  }

  get defaultQueryTimeoutMs(): number {
    return this.#parts.queries.defaultTimeoutMs();
  }

  /** @throws {RollcallError} `request/refused` where they are disabled */
  coordinate(): WireCoordinate {
    const { coordinates } = this.#parts;
    if (coordinates === undefined) throw refused("Coordinates are disabled");
    return coordinates.ours;
  }

  /** Undefined for who was never pinged. */
  coordinateOf(name: string): WireCoordinate | undefined {
    return this.#parts.coordinates?.of(name);
  }

  stats(): SerfStats {
    return serfStats(this.#parts, this.#gossip, this.#options.keyring);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#state = "stopped";
    this.#stopping.abort(new RollcallError("request/aborted", "Serf has stopped"));
    await this.#scope[Symbol.asyncDispose]();
  }

  #begin(): void {
    const { platform, name, logger } = this.#options;
    const { membership, broadcasts, nameConflicts } = this.#parts;
    const { clock } = platform;
    const random = platform.random.fork("serf/rejoining");
    const needs = { self: name, gossip: this.#gossip, random, logger, signal: this.stopped };
    const repeat = (intervalMs: number, act: () => void): void => {
      this.#scope.use(every(clock, intervalMs, act));
    };
    repeat(REAP_INTERVAL_MS, () => membership.reap());
    repeat(QUEUE_CHECK_INTERVAL_MS, () => broadcasts.check());
    repeat(RECONNECT_INTERVAL_MS, () => {
      if (this.#state === "alive") void reconnect(membership.table, needs);
    });
    const remembered = this.#snapshot?.recovered.members ?? [];
    if (remembered.length > 0) void rejoin(remembered, needs);
    void nameConflicts.lost.then(() => this[Symbol.asyncDispose]());
  }

  async #leave(): Promise<void> {
    if (this.#state !== "alive") return;
    const { name, logger, platform, leavePropagateDelayMs } = this.#options;
    const { membership } = this.#parts;
    this.#state = "leaving";
    membership.beginLeaving();
    await this.#snapshot?.leave();
    const told = await membership.announceLeave(name, { prune: false });
    if (told === "late") logger.warn("serf: timeout while waiting for graceful leave");
    try {
      await this.#gossip.leave({ timeoutMs: BROADCAST_TIMEOUT_MS });
    } catch (error) {
      logger.warn(`serf: timeout waiting for leave broadcast: ${messageOf(error)}`);
    }
    // So far the news has left this node; now it has to reach everybody before this node is not there any more.
    const others = membership.table.named("alive").filter((member) => member.name !== name);
    if (others.length > 0) await pause(platform.clock, leavePropagateDelayMs, this.stopped);
    if (this.#state === "leaving") this.#state = "left";
  }
}

function refused(text: string): RollcallError {
  return new RollcallError("request/refused", text);
}
