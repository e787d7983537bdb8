/**
 * What the HTTP room asks of the agent that it serves. The agent implements it; tests can too.
 */
import type { LineLogger, Logger, Measured, Meter, Platform } from "../platform/index.ts";
import type {
  CheckDefinition,
  CheckServiceNode,
  HealthCheck,
  NodeService,
  ServiceDefinition,
  UserEvent,
  UserEventRequest,
} from "../model/index.ts";
import type { RuntimeConfig } from "../config/index.ts";
import type { DatacenterMap, Delegate, ExcludedInstance, Snapshots } from "../rpc/index.ts";

/** A service of this agent as it was registered, with what the agent adds. */
export interface LocalService {
  readonly service: NodeService;
  /** Hash of the definition, 16 hex digits; changes when the definition does. */
  readonly contentHash: string;
}

export interface Member {
  readonly Name: string;
  readonly Addr: string;
  readonly Port: number;
  readonly Tags: Readonly<Record<string, string>>;
  /** 0 none, 1 alive, 2 leaving, 3 left, 4 failed. */
  readonly Status: number;
  readonly ProtocolMin: number;
  readonly ProtocolMax: number;
  readonly ProtocolCur: number;
  readonly DelegateMin: number;
  readonly DelegateMax: number;
  readonly DelegateCur: number;
}

export interface KeyringRequest {
  readonly operation: "list" | "install" | "use" | "remove";
  readonly key: string;
  /** Each member's answer comes over so many others too. */
  readonly relayFactor: number;
  /** Without the WAN pool. */
  readonly localOnly: boolean;
}
/** What the members of a pool say of their keys. */
export interface KeyringAnswer {
  readonly WAN: boolean;
  readonly Datacenter: string;
  readonly Segment: string;
  /** By member, where it has something to say. */
  readonly Messages: Readonly<Record<string, string>>;
  /** How many members have each key, in base64. */
  readonly Keys: Readonly<Record<string, number>>;
  readonly PrimaryKeys: Readonly<Record<string, number>>;
  readonly NumNodes: number;
  /** Empty when all members have done what was asked. */
  readonly Error: string;
}

/** The agent's own services and checks; every change is pushed to the catalog before it resolves. */
export interface LocalAgent {
  services(): ReadonlyMap<string, LocalService>;
  checks(): ReadonlyMap<string, HealthCheck>;
  /**
   * @throws {RollcallError} with Consul's text and status for what a definition may not say
   */
  registerService(
    definition: ServiceDefinition,
    options: { readonly replaceExistingChecks: boolean; readonly source: "local" | "remote" },
  ): Promise<void>;
  deregisterService(serviceId: string): Promise<void>;
  registerCheck(
    definition: CheckDefinition,
    options: { readonly source: "local" | "remote" },
  ): Promise<void>;
  deregisterCheck(checkId: string): Promise<void>;
  /** @throws {RollcallError} `CheckID "x" does not have associated TTL` */
  updateTtl(
    checkId: string,
    status: "passing" | "warning" | "critical",
    output: string,
  ): Promise<void>;
  setNodeMaintenance(enable: boolean, reason: string): Promise<void>;
  /** @throws {RollcallError} 404 `No service registered with ID "x"` */
  setServiceMaintenance(serviceId: string, enable: boolean, reason: string): Promise<void>;
  /** Resolves when the definition's hash differs from `hash`, the time is up, or the caller has gone. */
  serviceChanged(
    serviceId: string,
    hash: string,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<void>;

  /** @throws {RollcallError} for filters that are none, and for more than fits into a packet */
  fireEvent(event: UserEventRequest, datacenter: string): Promise<UserEvent>;
  /** The latest events that are for this agent, oldest first; another list after each event. */
  events(): readonly UserEvent[];
  /** Resolves when `events()` is no longer `seen`, the time is up, or the caller has gone. */
  eventsChanged(seen: readonly UserEvent[], waitMs: number, signal: AbortSignal): Promise<void>;

  /** Of the last interval. */
  metrics(): Measured;
  /** Since the start. */
  totalMetrics(): Measured;
  /** @throws {RollcallError} when nobody could be joined; the signal's reason */
  join(address: string, pool: "lan" | "wan", signal: AbortSignal): Promise<void>;
  /** @throws {RollcallError} `agent: No node found with name 'x'` */
  forceLeave(node: string, options: { readonly prune: boolean }): Promise<void>;
  members(pool: "lan" | "wan"): readonly Member[];
  /** Where the servers of all datacenters are; without those that were never heard of. */
  datacenterMaps(): Promise<readonly DatacenterMap[]>;
  /** One answer for each pool, the WAN first. `key` is base64, and empty to list. */
  keyring(request: KeyringRequest): Promise<readonly KeyringAnswer[]>;
  /** The whole body of `/v1/agent/self` as plain JSON values. */
  self(): Record<string, unknown>;
  /** @throws when the new configuration cannot be used; the old one stays */
  reload(): Promise<void>;
  leave(): Promise<void>;
}

/** Instances of a service that DNS would send, those that it would not, and why: `?explain=dns`. */
export interface DnsSelection {
  readonly kept: readonly CheckServiceNode[];
  readonly excluded: readonly ExcludedInstance[];
  /** What an answer has room for, in words. */
  readonly limit: string;
}

/** The agent's log as it goes on. */
export type LogSource = Pick<LineLogger, "subscribe">;

export interface HttpNeeds {
  readonly platform: Platform;
  readonly logger: Logger;
  readonly logs: LogSource;
  readonly meter: Meter;
  readonly config: () => RuntimeConfig;
  readonly delegate: Delegate;
  readonly snapshots: Snapshots;
  readonly agent: LocalAgent;
  /** Chooses among `nodes`, which the catalog considers healthy enough for DNS; `excluded` is what it does not. */
  readonly dnsSelection: (instances: {
    readonly nodes: readonly CheckServiceNode[];
    readonly excluded: readonly ExcludedInstance[];
  }) => DnsSelection;
}
