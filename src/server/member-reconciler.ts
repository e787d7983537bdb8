/**
 * A leader's duty: the catalog's nodes follow the members of the LAN pool (Consul: agent/consul/leader.go). Each
 * change of a member is written as it happens; now and then the whole list is compared, since an event can be
 * missed, and a former leader may not have come to it.
 *
 * Writes go one after the other, so that a node that fails and returns ends as it is now.
 */
import { messageOf } from "../errors/index.ts";
import {
  CONSUL_SERVICE,
  SERF_HEALTH,
  type Command,
  type Node,
  type NodeService,
  type RegisterRequest,
} from "../model/index.ts";
import type { Clock, Logger } from "../platform/index.ts";
import type { Store } from "../store/index.ts";
import { serverOf } from "../wire/index.ts";
import { consulService, serfHealth } from "./member-records.ts";
import type { PoolMember } from "./pool-member.ts";
import { knownServer, type KnownServer } from "./server-directory.ts";

export interface ReconcilerNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Store;
  readonly datacenter: string;
  /** This server's own node, which is never deregistered. */
  readonly ownName: string;
  readonly apply: (command: Command) => Promise<void>;
  /** All members, in any status. */
  readonly members: () => readonly PoolMember[];
  /** A server is to be in the log's cluster, or out of it. */
  readonly keepPeer: (server: KnownServer) => Promise<void>;
}

const RECONCILE_MS = 60_000;

export class MemberReconciler implements Disposable {
  readonly #needs: ReconcilerNeeds;
  #work: Promise<void> = Promise.resolve();
  #timer: Disposable | undefined;
  #isClosed = false;

  constructor(needs: ReconcilerNeeds) {
    this.#needs = needs;
  }

  /** Compares everything now, and from then on in rhythm. */
  async start(): Promise<void> {
    await this.#enqueue(() => this.#reconcileAll());
    this.#schedule();
  }

  /** A member has changed. Resolves once the catalog has followed, or could not. */
  async memberChanged(member: PoolMember): Promise<void> {
    await this.#enqueue(() => this.#reconcile(member));
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#timer?.[Symbol.dispose]();
  }

  #schedule(): void {
    if (this.#isClosed) return;
    this.#timer = this.#needs.clock.after(RECONCILE_MS, () => {
      void this.#enqueue(() => this.#reconcileAll()).then(() => this.#schedule());
    });
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(async () => {
      if (this.#isClosed) return;
      try {
        await work();
      } catch (error) {
        this.#needs.logger.error("failed to reconcile member", { error: messageOf(error) });
      }
    });
    return this.#work;
  }

  async #reconcileAll(): Promise<void> {
    const members = this.#needs.members();
    for (const member of members) await this.#reconcile(member);
    const known = new Set(members.map(({ name }) => name));
    const view = this.#needs.store.view();
    for (const { Node: name } of view.nodes()) {
      if (known.has(name) || name === this.#needs.ownName) continue;
      const isGossiped = view.checksOfNode(name).some(({ CheckID }) => CheckID === SERF_HEALTH);
      if (isGossiped) await this.#remove(name, "reaped");
    }
  }

  async #reconcile(member: PoolMember): Promise<void> {
    if (!this.#isOurs(member)) return;
    const server = knownServer(member);
    if (server !== undefined) await this.#needs.keepPeer(server);
    switch (member.status) {
      case "alive":
        return this.#alive(member);
      case "failed":
        return this.#failed(member);
      case "left":
      case "reaped":
        return this.#remove(member.name, member.status);
      case "leaving":
        return;
    }
  }

  /** Agents of this datacenter, in its default segment: not other programs in the pool. */
  #isOurs({ tags }: PoolMember): boolean {
    const isAgent = tags["role"] === "node" || serverOf(tags) !== undefined;
    return isAgent && tags["dc"] === this.#needs.datacenter && (tags["segment"] ?? "") === "";
  }

  async #alive(member: PoolMember): Promise<void> {
    const { store, logger } = this.#needs;
    const { name, address } = member;
    const view = store.view();
    const node = view.node(name);
    const service = serviceOf(member);
    const isRegistered =
      node?.Address === address &&
      (service === undefined || hasService(view.servicesOfNode(name), service)) &&
      view.checksOfNode(name).some((check) => {
        return check.CheckID === SERF_HEALTH && check.Status === "passing";
      });
    if (isRegistered) return;
    logger.info("member joined, marking health alive", { member: name });
    await this.#register(member, {
      ...keptFacts(node),
      Service: service ?? null,
      Check: serfHealth(name, "passing"),
      // It may tell of itself meanwhile, and knows more than this does.
      SkipNodeUpdate: node === undefined,
    });
  }

  async #failed(member: PoolMember): Promise<void> {
    const { store, logger } = this.#needs;
    const { name } = member;
    const view = store.view();
    const node = view.node(name);
    if (node === undefined) {
      logger.info("ignoring failed event for member because it does not exist in the catalog", {
        member: name,
      });
      return;
    }
    const isCritical = view.checksOfNode(name).some((check) => {
      return check.CheckID === SERF_HEALTH && check.Status === "critical";
    });
    if (isCritical) return;
    logger.info("member failed, marking health critical", { member: name });
    await this.#register(member, {
      TaggedAddresses: null,
      NodeMeta: null,
      Service: null,
      Check: serfHealth(name, "critical"),
      SkipNodeUpdate: true,
    });
  }

  async #register(
    { name, address, tags }: PoolMember,
    what: Omit<RegisterRequest, "Datacenter" | "ID" | "Node" | "Address" | "Checks">,
  ): Promise<void> {
    const { datacenter: Datacenter, apply } = this.#needs;
    const node = { Datacenter, ID: tags["id"] ?? "", Node: name, Address: address };
    await apply({ type: "Register", body: { ...node, ...what, Checks: null } });
  }

  async #remove(name: string, why: "left" | "reaped"): Promise<void> {
    const { store, logger, datacenter: Datacenter, ownName, apply } = this.#needs;
    if (name === ownName) {
      logger.warn("deregistering self should be done by follower", { name });
      return;
    }
    if (store.view().node(name) === undefined) return;
    logger.info("deregistering member", { member: name, reason: why });
    await apply({
      type: "Deregister",
      body: { Datacenter, Node: name, ServiceID: "", CheckID: "" },
    });
  }
}

/** What a node's agent has told of itself, and the leader does not know. */
function keptFacts(node: Node | undefined): {
  readonly TaggedAddresses: Node["TaggedAddresses"];
  readonly NodeMeta: Node["Meta"];
} {
  return { TaggedAddresses: node?.TaggedAddresses ?? null, NodeMeta: node?.Meta ?? null };
}

function serviceOf({ tags, protocol }: PoolMember): NodeService | undefined {
  const server = serverOf(tags);
  if (server === undefined) return undefined;
  const { Port: rpcPort, RaftVersion: raftVersion, Version: version } = server;
  return consulService({ rpcPort, raftVersion, protocol, version });
}

function hasService(
  registered: readonly { readonly Service: NodeService }[],
  { Port }: NodeService,
): boolean {
  return registered.some(({ Service }) => Service.ID === CONSUL_SERVICE && Service.Port === Port);
}
