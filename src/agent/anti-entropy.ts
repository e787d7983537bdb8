/**
 * Makes the catalog follow the agent's local state: at once after a change, and in full every minute or so,
 * because either side may have missed something (facts: checks.md, "Anti-entropy").
 *
 * One sync runs at a time. A sync never throws: what could not be told stays out of sync and is tried again.
 */
import { messageOf } from "../errors/index.ts";
import {
  BLANK_CHECK,
  CONSUL_SERVICE,
  SERF_HEALTH,
  sameRecord,
  type HealthCheck,
  type Node,
  type NodeService,
} from "../model/index.ts";
import type { Clock, Logger, Random } from "../platform/index.ts";
import { DEFAULT_QUERY, type Delegate } from "../rpc/index.ts";
import type { CheckEntry, LocalState, ServiceEntry } from "./local-state.ts";

const FULL_SYNC_MS = 60_000;
const RETRY_MS = 15_000;
/** So many calls may be under way at once. */
const MAX_IN_FLIGHT = 64;
/** Up to here a pool syncs at the plain rhythm; from there on each doubling makes it slower. */
const SCALE_FROM_MEMBERS = 128;

export interface NodeInfo {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly datacenter: string;
  readonly taggedAddresses: Readonly<Record<string, string>>;
  readonly meta: Readonly<Record<string, string>>;
}

export interface AntiEntropyNeeds {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly delegate: Delegate;
  readonly state: LocalState;
  readonly node: () => NodeInfo;
  readonly memberCount: () => number;
  readonly checkUpdateIntervalMs: number;
}

/** How much slower a pool of this size syncs: 1 up to 128 members, 2 up to 256, and so on. */
export function syncScale(memberCount: number): number {
  if (memberCount <= SCALE_FROM_MEMBERS) return 1;
  return Math.ceil(Math.log2(memberCount) - Math.log2(SCALE_FROM_MEMBERS)) + 1;
}

export class AntiEntropy implements Disposable {
  readonly #needs: AntiEntropyNeeds;
  #running: Promise<boolean> = Promise.resolve(true);
  #waiting: Promise<boolean> | undefined;
  #fullTimer: Disposable | undefined;
  readonly #outputTimers = new Map<string, Disposable>();
  #isNodeInSync = false;
  #isClosed = false;

  constructor(needs: AntiEntropyNeeds) {
    this.#needs = needs;
  }

  /** A full sync now, and from then on in rhythm. */
  async start(): Promise<void> {
    const succeeded = await this.#enqueueFull();
    this.#scheduleFull(succeeded);
  }

  /** Compares everything with the catalog, out of turn: there is a new leader, say. */
  async syncAll(): Promise<void> {
    await this.#enqueueFull();
  }

  /** Tells the catalog what it has not been told. Changes made while a sync runs go with the next one. */
  async syncChanges(): Promise<void> {
    this.#waiting ??= this.#running.then(() => {
      this.#waiting = undefined;
      this.#running = this.#guarded(() => this.#push());
      return this.#running;
    });
    await this.#waiting;
  }

  /**
   * Has a changed output told to the catalog some time within the update interval, not at once: outputs
   * change with every run of some checks, and each telling is a write to the log.
   */
  outputChanged(checkId: string): void {
    const { clock, random, checkUpdateIntervalMs: intervalMs } = this.#needs;
    if (this.#outputTimers.has(checkId)) return;
    const delayMs = intervalMs === 0 ? 0 : intervalMs / 2 + random.float() * intervalMs;
    this.#outputTimers.set(
      checkId,
      clock.after(delayMs, () => this.#tellOutput(checkId)),
    );
  }

  #tellOutput(checkId: string): void {
    this.#outputTimers.delete(checkId);
    const entry = this.#needs.state.checks.get(checkId);
    if (entry === undefined || !entry.isOutputDeferred) return;
    entry.isOutputDeferred = false;
    this.#needs.state.unsyncedChecks.add(checkId);
    void this.syncChanges();
  }

  /** The node's own address or metadata changed. */
  nodeChanged(): void {
    this.#isNodeInSync = false;
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#fullTimer?.[Symbol.dispose]();
    for (const timer of this.#outputTimers.values()) timer[Symbol.dispose]();
    this.#outputTimers.clear();
  }

  #scheduleFull(succeeded: boolean): void {
    if (this.#isClosed) return;
    const { clock, random, memberCount } = this.#needs;
    const scale = syncScale(memberCount());
    const delayMs = succeeded
      ? scale * FULL_SYNC_MS * (1 + random.float())
      : RETRY_MS + random.float() * RETRY_MS * scale;
    this.#fullTimer = clock.after(delayMs, () => {
      void this.#enqueueFull().then((next) => this.#scheduleFull(next));
    });
  }

  #enqueueFull(): Promise<boolean> {
    this.#running = this.#running.then(() =>
      this.#guarded(async () => {
        await this.#compare();
        await this.#push();
      }),
    );
    return this.#running;
  }

  async #guarded(sync: () => Promise<void>): Promise<boolean> {
    if (this.#isClosed) return true;
    try {
      await sync();
      return true;
    } catch (error) {
      this.#needs.logger.error("failed to sync remote state", { error: messageOf(error) });
      return false;
    }
  }

  /** Reads what the catalog has of this node and marks every difference. */
  async #compare(): Promise<void> {
    const { delegate, state, node } = this.#needs;
    const info = node();
    const query = { ...DEFAULT_QUERY, Consistency: "stale" as const, Node: info.name };
    const services = await delegate.call("Catalog.NodeServices", query);
    const checks = await delegate.call("Health.NodeChecks", query);
    const known = services.value.NodeServices;
    this.#isNodeInSync = known !== null && sameNode(known.Node, info);
    this.#compareServices(known?.Services ?? {});
    for (const remote of checks.value.HealthChecks) {
      const local = state.checks.get(remote.CheckID);
      if (local !== undefined)
        mark(state.unsyncedChecks, remote.CheckID, !sameCheck(local, remote));
      else if (remote.CheckID !== SERF_HEALTH) state.removedChecks.add(remote.CheckID);
    }
    const present = new Set(checks.value.HealthChecks.map(({ CheckID }) => CheckID));
    for (const id of state.checks.keys()) if (!present.has(id)) state.unsyncedChecks.add(id);
  }

  #compareServices(remote: Readonly<Record<string, NodeService>>): void {
    const { state } = this.#needs;
    for (const [id, entry] of state.services) {
      const known = remote[id];
      if (known !== undefined && entry.service.EnableTagOverride) {
        adoptTags(state, entry, known.Tags);
      }
      const current = state.services.get(id) ?? entry;
      const agrees = known !== undefined && sameRecord(asStored(current.service), known);
      mark(state.unsyncedServices, id, !agrees);
    }
    for (const id of Object.keys(remote)) {
      if (!state.services.has(id) && id !== CONSUL_SERVICE) state.removedServices.add(id);
    }
  }

  async #push(): Promise<void> {
    const { state, node } = this.#needs;
    const info = node();
    const { removedServices, removedChecks, unsyncedServices, unsyncedChecks } = state;
    if (removedServices.size > 0) {
      await this.#tellAll(removedServices, (id) => this.#deregisterService(info, id));
    }
    if (removedChecks.size > 0) {
      await this.#tellAll(removedChecks, (id) => this.#deregisterCheck(info, id));
    }
    if (unsyncedServices.size > 0) {
      await this.#tellAll(unsyncedServices, (id) => this.#registerService(info, id));
    }
    if (unsyncedChecks.size > 0) {
      await this.#tellAll(unsyncedChecks, (id) => this.#registerCheck(info, id));
    }
    if (!this.#isNodeInSync) await this.#registerNode(info);
  }

  /**
   * Tells of all these and of those that come while it does, many at once: a burst costs one wait, not one each.
   *
   * @param tell takes the ID out of `ids`, or else fails
   * @throws what the first failed with, once all that were begun have ended
   */
  async #tellAll(ids: ReadonlySet<string>, tell: (id: string) => Promise<void>): Promise<void> {
    while (ids.size > 0) {
      let failure: { readonly error: unknown } | undefined;
      const failed = (error: unknown): void => void (failure ??= { error });
      const begun: Promise<void>[] = [];
      for (const id of ids) {
        // Heard from the beginning: one may fail while those before it still wait.
        begun.push(tell(id).catch(failed));
        if (begun.length === MAX_IN_FLIGHT) break;
      }
      // All are awaited even after a failure: syncs do not overlap.
      await Promise.all(begun);
      if (failure !== undefined) throw failure.error;
    }
  }

  #deregisterService(info: NodeInfo, id: string): Promise<void> {
    return this.#deregister(info, id, "").then(() => {
      this.#needs.state.removedServices.delete(id);
      this.#needs.logger.info("Deregistered service", { service: id });
    });
  }

  #deregisterCheck(info: NodeInfo, id: string): Promise<void> {
    return this.#deregister(info, "", id).then(() => {
      this.#needs.state.removedChecks.delete(id);
      this.#needs.logger.info("Deregistered check", { check: id });
    });
  }

  #deregister(info: NodeInfo, ServiceID: string, CheckID: string): Promise<void> {
    const { name: Node, datacenter: Datacenter } = info;
    const args = { Datacenter, Node, ServiceID, CheckID };
    return this.#needs.delegate.call("Catalog.Deregister", args);
  }

  /** The service goes together with its checks that the catalog does not have yet, so that it never shows without. */
  #registerService(info: NodeInfo, id: string): Promise<void> {
    const { state, logger } = this.#needs;
    // Taken for told before it is, so that a change made meanwhile is not.
    state.unsyncedServices.delete(id);
    const entry = state.services.get(id);
    if (entry === undefined) return Promise.resolve();
    const checks = state.checksOfService(id).filter(({ check, token }) => {
      return state.unsyncedChecks.has(check.CheckID) && token === entry.token;
    });
    for (const check of checks) this.#settle(check);
    return this.#register(
      info,
      entry.service,
      checks.map(({ check }) => check),
    ).then(
      () => {
        this.#isNodeInSync = true;
        logger.info("Synced service", { service: id });
      },
      (error: unknown) => {
        if (state.services.has(id)) state.unsyncedServices.add(id);
        for (const { check } of checks) this.#unsettle(check.CheckID);
        throw error;
      },
    );
  }

  #registerCheck(info: NodeInfo, id: string): Promise<void> {
    const { state, logger } = this.#needs;
    const entry = state.checks.get(id);
    if (entry === undefined) {
      state.unsyncedChecks.delete(id);
      return Promise.resolve();
    }
    this.#settle(entry);
    return this.#register(info, null, [entry.check]).then(
      () => {
        this.#isNodeInSync = true;
        logger.info("Synced check", { check: id });
      },
      (error: unknown) => {
        this.#unsettle(id);
        throw error;
      },
    );
  }

  #settle(entry: CheckEntry): void {
    this.#needs.state.unsyncedChecks.delete(entry.check.CheckID);
    entry.isOutputDeferred = false;
  }

  #unsettle(checkId: string): void {
    const { state } = this.#needs;
    if (state.checks.has(checkId)) state.unsyncedChecks.add(checkId);
  }

  async #registerNode(info: NodeInfo): Promise<void> {
    await this.#register(info, null, null);
    this.#isNodeInSync = true;
    this.#needs.logger.info("Synced node info");
  }

  #register(
    info: NodeInfo,
    Service: NodeService | null,
    Checks: readonly HealthCheck[] | null,
  ): Promise<void> {
    return this.#needs.delegate.call("Catalog.Register", {
      Datacenter: info.datacenter,
      ID: info.id,
      Node: info.name,
      Address: info.address,
      TaggedAddresses: info.taggedAddresses,
      NodeMeta: info.meta,
      Service,
      Check: null,
      Checks,
      SkipNodeUpdate: this.#isNodeInSync,
    });
  }
}

function mark(unsynced: Set<string>, id: string, isUnsynced: boolean): void {
  if (isUnsynced) unsynced.add(id);
  else unsynced.delete(id);
}

function adoptTags(state: LocalState, entry: ServiceEntry, tags: NodeService["Tags"]): void {
  if (JSON.stringify(entry.service.Tags ?? []) === JSON.stringify(tags ?? [])) return;
  state.putService({ ...entry.service, Tags: tags }, entry);
}

function sameNode(known: Node, info: NodeInfo): boolean {
  return sameRecord(known, {
    ID: info.id,
    Node: info.name,
    Address: info.address,
    Datacenter: info.datacenter,
    TaggedAddresses: info.taggedAddresses,
    Meta: info.meta,
  });
}

/** The catalog lists no tags as [] where the definition may have null. */
const asStored = (service: NodeService): NodeService => ({ ...service, Tags: service.Tags ?? [] });

function sameCheck({ check, isOutputDeferred }: CheckEntry, remote: HealthCheck): boolean {
  const expected = { ...BLANK_CHECK, ...check, ServiceTags: check.ServiceTags ?? [] };
  return sameRecord(isOutputDeferred ? { ...expected, Output: remote.Output } : expected, remote);
}
