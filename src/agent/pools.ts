/** The gossip pools that this agent is in, and what the API asks of both together. */
import { RollcallError } from "../errors/index.ts";
import type { KeyringAnswer, KeyringRequest, Member } from "../http/index.ts";
import { decodeBase64 } from "../model/index.ts";
import { DisposableScope } from "../platform/index.ts";
import type { KeyOutcome, Serf } from "../serf/index.ts";
import type { WireCoordinate } from "../wire/index.ts";
import { startPool, type PoolNeeds } from "./gossip-pool.ts";
import { shownMember } from "./members.ts";
import type { PoolName } from "./pool-tags.ts";

export class Pools implements AsyncDisposable {
  readonly lan: Serf;
  /** Only servers are in it, and only where it has a port. */
  readonly wan: Serf | undefined;
  readonly #datacenter: string;
  readonly #scope: DisposableScope;

  /** @throws {RollcallError} `net/bind`, `config/invalid`; nothing is left running then */
  static async start(needs: PoolNeeds): Promise<Pools> {
    const { server, ports, datacenter } = needs.config;
    const scope = new DisposableScope();
    try {
      const wan =
        server && ports.serfWan > 0 ? scope.use(await startPool(needs, "wan")) : undefined;
      const lan = scope.use(await startPool(needs, "lan"));
      return new Pools({ lan, wan, datacenter, scope });
    } catch (error) {
      await scope[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(parts: {
    readonly lan: Serf;
    readonly wan: Serf | undefined;
    readonly datacenter: string;
    readonly scope: DisposableScope;
  }) {
    this.lan = parts.lan;
    this.wan = parts.wan;
    this.#datacenter = parts.datacenter;
    this.#scope = parts.scope;
  }

  members(pool: PoolName): readonly Member[] {
    const serf = pool === "lan" ? this.lan : this.wan;
    return serf?.members().map(shownMember) ?? [];
  }

  /** A server's name is `<node>.<datacenter>` there. Empty where coordinates are disabled. */
  wanCoordinates(): ReadonlyMap<string, WireCoordinate> {
    const { wan } = this;
    const known = (wan?.members() ?? []).flatMap(({ name }) => {
      const coordinate = wan?.coordinateOf(name);
      return coordinate === undefined ? [] : [[name, coordinate] as const];
    });
    return new Map(known);
  }

  /**
   * Events from before the join are others' past.
   * @throws {RollcallError} `request/refused`, saying of each address why it could not be joined
   */
  async join(addresses: readonly string[], pool: PoolName, signal: AbortSignal): Promise<number> {
    const serf = pool === "lan" ? this.lan : this.wan;
    if (serf === undefined) throw refuse("this agent is not in the WAN pool");
    return serf.join(addresses, { signal, oldEvents: "ignore" });
  }

  /**
   * Takes the name of a member of either pool.
   * @throws {RollcallError} `agent: No node found with name 'x'`
   */
  async forceLeave(node: string, options: { readonly prune: boolean }): Promise<void> {
    const wanName = node.endsWith(`.${this.#datacenter}`) ? node : `${node}.${this.#datacenter}`;
    const inLan = this.lan.member(node) !== undefined;
    const inWan = this.wan?.member(wanName) !== undefined;
    if (!inLan && this.wan?.member(node) === undefined && !inWan) {
      throw refuse(`agent: No node found with name '${node}'`);
    }
    if (inLan) await this.lan.forceLeave(node, options);
    if (inWan) await this.wan?.forceLeave(wanName, options);
  }

  async keyring(request: KeyringRequest): Promise<readonly KeyringAnswer[]> {
    const pools = [
      ...(this.wan === undefined || request.localOnly ? [] : [{ serf: this.wan, WAN: true }]),
      { serf: this.lan, WAN: false },
    ];
    const answers: KeyringAnswer[] = [];
    for (const { serf, WAN } of pools) {
      const outcome = await askForKeys(serf, request);
      answers.push({ WAN, Datacenter: this.#datacenter, Segment: "", ...answerOf(outcome) });
    }
    return answers;
  }

  /** Tells both pools that this agent goes, and waits until they have heard. */
  async leave(): Promise<void> {
    await this.wan?.leave();
    await this.lan.leave();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#scope[Symbol.asyncDispose]();
  }
}

function askForKeys(
  { keys }: Serf,
  { operation, key, relayFactor }: KeyringRequest,
): Promise<KeyOutcome> {
  if (operation === "list") return keys.list({ relayFactor });
  return keys[operation](decodeBase64(key), { relayFactor });
}

function answerOf(outcome: KeyOutcome): Omit<KeyringAnswer, "WAN" | "Datacenter" | "Segment"> {
  return {
    Messages: Object.fromEntries(outcome.messages),
    Keys: Object.fromEntries(outcome.keys),
    PrimaryKeys: Object.fromEntries(outcome.primaryKeys),
    NumNodes: outcome.nodeCount,
    Error: outcome.failure ?? "",
  };
}

function refuse(text: string): RollcallError {
  return new RollcallError("request/refused", text);
}
