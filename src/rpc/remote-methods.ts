/**
 * What one server can ask another: the calls of everybody, and those that only servers make of each other. What a
 * server needs besides its store to answer them is in `ServerHooks`.
 */
import type { NodeCoordinate } from "../model/index.ts";
import type { Delegate, MethodName, Methods, QueryOptions } from "./methods.ts";

/** Of the answering server's own log. */
export interface RaftStats {
  /** A Go duration; "0" on the leader, "never" where no leader was heard of. */
  readonly LastContact: string;
  readonly LastTerm: number;
  readonly LastIndex: number;
}

export interface EventFire extends QueryOptions {
  readonly Name: string;
  /** The event as it travels, see `encodeConsulUserEvent`. */
  readonly Payload: Uint8Array | null;
}

export const KEYRING_OPERATIONS = ["list", "install", "use", "remove"] as const;
export interface KeyringRequest extends QueryOptions {
  readonly Operation: (typeof KEYRING_OPERATIONS)[number];
  /** base64; empty to list. */
  readonly Key: string;
  /** By a server of another datacenter: not to be passed on to further ones. */
  readonly Forwarded: boolean;
  /** Do not ask other datacenters. */
  readonly LocalOnly: boolean;
  readonly RelayFactor: number;
}
/** What the members of one ring said. */
export interface KeyringResponse {
  readonly WAN: boolean;
  readonly Datacenter: string;
  readonly Segment: string;
  /** By node. */
  readonly Messages: Readonly<Record<string, string>> | null;
  /** How many nodes have a key, and how many have it as the primary one. */
  readonly Keys: Readonly<Record<string, number>> | null;
  readonly PrimaryKeys: Readonly<Record<string, number>> | null;
  readonly NumNodes: number;
  readonly Error: string;
}

/** The servers of a datacenter, as the WAN pool places them. */
export interface DatacenterMap {
  readonly Datacenter: string;
  readonly AreaID: string;
  readonly Coordinates: readonly NodeCoordinate[] | null;
}

export interface ServerMethods {
  "Status.Ping": { args: Readonly<Record<string, never>>; reply: void };
  "Status.RaftStats": { args: Readonly<Record<string, never>>; reply: RaftStats };
  "Internal.EventFire": { args: EventFire; reply: void };
  "Internal.KeyringOperation": {
    args: KeyringRequest;
    reply: readonly KeyringResponse[];
  };
  "Coordinate.ListDatacenters": {
    args: Readonly<Record<string, never>>;
    reply: readonly DatacenterMap[];
  };
}
export type RemoteMethods = Methods & ServerMethods;
export type RemoteMethodName = MethodName | keyof ServerMethods;

/** What a server does that is no business of its store. */
export interface ServerHooks {
  raftStats(): RaftStats;
  /** Broadcasts the event in this datacenter. */
  fireEvent(request: EventFire, signal: AbortSignal): Promise<void>;
  keyring(request: KeyringRequest, signal: AbortSignal): Promise<readonly KeyringResponse[]>;
  datacenterMaps(): readonly DatacenterMap[];
}

/** A server that can be called: its connection goes by both. */
export interface RemoteServer {
  readonly name: string;
  /** `host:port` of its RPC. */
  readonly address: string;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** For how long an answer is waited for; without, as long as it takes. */
  readonly timeoutMs?: number;
}

/** Who answers what comes in over the wire. */
export interface CallServer {
  readonly call: Delegate["call"];
  readonly hooks: ServerHooks;
}
