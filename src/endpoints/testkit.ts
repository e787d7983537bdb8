/** A server's endpoints over a store of their own, with a log that is applied at once. */
import {
  BLANK_CHECK,
  BLANK_SERVICE,
  type Command,
  type DirEntry,
  type HealthCheck,
  type KvsOp,
  type NodeService,
  type RegisterRequest,
  type Session,
} from "../model/index.ts";
import { RollcallError } from "../errors/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { DEFAULT_QUERY, type Delegate, type QueryOptions } from "../rpc/index.ts";
import { Store, type ApplyResult, type ReadView } from "../store/index.ts";
import { Reading } from "../store/readings.ts";
import { localDelegate } from "./methods.ts";

export interface EndpointsUnderTest {
  readonly store: Store;
  readonly delegate: Delegate;
  readonly platform: ReturnType<typeof simPlatform>;
  apply(command: Command): ApplyResult;
}

export function endpointsUnderTest(seed = 1, store: Store = new Store()): EndpointsUnderTest {
  const platform = simPlatform({ seed });
  const apply = (command: Command): ApplyResult => store.apply(store.lastIndex + 1, command);
  const delegate = localDelegate({
    platform,
    store,
    datacenter: "dc1",
    limits: { defaultQueryTimeMs: 300_000, maxQueryTimeMs: 600_000, sessionTtlMinMs: 10_000 },
    apply: async (command) => apply(command),
    leadership: {
      leader: () => "127.0.0.1:8300",
      peers: () => ["127.0.0.1:8300"],
      lastContactMs: () => 0,
      servers: () => [],
      serversIndex: () => 1,
      transferTo: () => Promise.resolve(),
      removePeer: () => Promise.resolve(),
    },
    elsewhere: {
      names: () => ["dc1"],
      execute: () => Promise.reject(new RollcallError("dc/unknown")),
    },
    sessionTimers: { renew: () => {} },
    coordinates: {
      update: (coordinate) => void apply({ type: "CoordinateBatchUpdate", body: [coordinate] }),
    },
    lockDelayMs: () => 0,
  });
  return { store, delegate, platform, apply };
}

/** Evaluates every question anew, also one that it mistakes for another. */
class ForgettingStore extends Store {
  override read<T extends object>(_: string, evaluate: (view: ReadView) => T): Reading<T> {
    const view = this.view();
    return new Reading(evaluate(view), view.cells);
  }
}

/** Answers from the same state, but keeps nothing. */
export const afresh = (store: Store): Delegate =>
  endpointsUnderTest(1, new ForgettingStore(store.snapshot())).delegate;

export const query = <T extends object>(args: T): T & QueryOptions => ({
  ...DEFAULT_QUERY,
  ...args,
});

export function registration(
  Node: string,
  {
    address = "10.0.0.1",
    meta = null,
    id = "",
    service = null,
    checks = null,
  }: {
    address?: string;
    meta?: Record<string, string> | null;
    id?: string;
    service?: Partial<NodeService> | null;
    checks?: readonly Partial<HealthCheck>[] | null;
  } = {},
): RegisterRequest {
  return {
    Datacenter: "dc1",
    ID: id,
    Node,
    Address: address,
    TaggedAddresses: null,
    NodeMeta: meta,
    Service: service === null ? null : { ...BLANK_SERVICE, ...service },
    Check: null,
    Checks: checks?.map((check) => ({ ...BLANK_CHECK, Node, ...check })) ?? null,
    SkipNodeUpdate: false,
  };
}

export function kvs(
  Op: KvsOp,
  Key: string,
  entry: Partial<DirEntry> = {},
): Extract<Command, { type: "KVS" }> {
  const DirEnt: DirEntry = {
    LockIndex: 0,
    Key,
    Flags: 0n,
    Value: null,
    Session: "",
    CreateIndex: 0,
    ModifyIndex: 0,
    ...entry,
  };
  return { type: "KVS", body: { Datacenter: "dc1", Op, DirEnt } };
}

export function session(Op: "create" | "destroy", of: Partial<Session>): Command {
  const blank: Session = {
    ID: "",
    Name: "",
    Node: "",
    LockDelay: 0,
    Behavior: "",
    TTL: "",
    NodeChecks: null,
    ServiceChecks: null,
    Checks: null,
    CreateIndex: 0,
    ModifyIndex: 0,
  };
  return { type: "Session", body: { Datacenter: "dc1", Op, Session: { ...blank, ...of } } };
}
