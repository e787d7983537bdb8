/**
 * The nouns of transactions (Consul HTTP API, "Transactions"): the operations as the log carries them, what they
 * result in, and the body of `/v1/txn`, whose shape is the client library's and not the log's.
 *
 * Exactly one of an operation's kinds is there, the others are null.
 */
import { HealthCheck, Node, NodeService, ServiceAddress } from "./catalog.ts";
import { DirEntry, Session } from "./kv.ts";
import {
  alias,
  any,
  bool,
  bytes,
  duration,
  int,
  list,
  map,
  omitEmpty,
  pointer,
  struct,
  text,
  uint64,
  type Static,
} from "./schema.ts";

export const TxnOp = struct(
  "TxnOp",
  {
    KV: pointer(struct("TxnKVOp", { Verb: text(), DirEnt: DirEntry })),
    Node: pointer(struct("TxnNodeOp", { Verb: text(), Node })),
    Service: pointer(struct("TxnServiceOp", { Verb: text(), Node: text(), Service: NodeService })),
    Check: pointer(struct("TxnCheckOp", { Verb: text(), Check: HealthCheck })),
  },
  // Only servers make these, and only those of before 1.8 did.
  {
    Intention: any(),
    Session: pointer(struct("TxnSessionOp", { Verb: text(), Session })),
  },
);
export type TxnOp = Static<typeof TxnOp>;

/** Body of log command 8. */
export const TxnRequest = struct(
  "TxnRequest",
  { Datacenter: text(), Ops: list(TxnOp) },
  { Token: text() },
);
export type TxnRequest = Static<typeof TxnRequest>;

export const TxnResult = struct("TxnResult", {
  KV: omitEmpty(pointer(DirEntry)),
  Node: omitEmpty(pointer(Node)),
  Service: omitEmpty(pointer(NodeService)),
  Check: omitEmpty(pointer(HealthCheck)),
});
export type TxnResult = Static<typeof TxnResult>;

export const TxnError = struct("TxnError", {
  OpIndex: int({ description: "Which operation, from 0" }),
  What: text(),
});
export type TxnError = Static<typeof TxnError>;

/** One of the two is null. */
export const TxnResponse = struct("TxnResponse", {
  Results: list(TxnResult),
  Errors: list(TxnError),
});
export type TxnResponse = Static<typeof TxnResponse>;

const KvTxnOp = struct("KVTxnOp", {
  Verb: text({
    description:
      "set, cas, lock, unlock, get, get-tree, check-index, check-session, check-not-exists, delete, delete-tree or delete-cas",
  }),
  Key: text(),
  Value: bytes(),
  Flags: uint64(),
  Index: uint64({ description: "ModifyIndex that cas, delete-cas and check-index compare with" }),
  Session: text(),
});

const NodeTxnOp = struct("NodeTxnOp", {
  Verb: text({ description: "get, set, cas, delete or delete-cas" }),
  Node,
});

/** As the client library has it. Of these fields a transaction keeps ID to Weights. */
const ServiceTxnOp = struct("ServiceTxnOp", {
  Verb: text({ description: "get, set, cas, delete or delete-cas" }),
  Node: text(),
  Service: struct("AgentService", {
    ID: text(),
    Service: text(),
    Tags: list(text()),
    Meta: map(text()),
    Port: int(),
    Address: text(),
    EnableTagOverride: bool(),
    Weights: struct("AgentWeights", { Passing: int(), Warning: int() }),
    CreateIndex: int(),
    ModifyIndex: int(),
    Kind: text(),
    TaggedAddresses: map(ServiceAddress),
    ContentHash: text(),
    Proxy: any(),
    Connect: any(),
  }),
});

const CheckTxnOp = struct("CheckTxnOp", {
  Verb: text({ description: "get, set, cas, delete or delete-cas" }),
  Check: struct("HealthCheck", {
    ...HealthCheck.properties,
    Definition: struct("HealthCheckDefinition", {
      HTTP: text(),
      Header: map(list(text())),
      Method: text(),
      Body: text(),
      TLSSkipVerify: bool(),
      TCP: text(),
      Interval: alias(duration(), "IntervalDuration"),
      Timeout: alias(duration(), "TimeoutDuration"),
      DeregisterCriticalServiceAfter: alias(duration(), "DeregisterCriticalServiceAfterDuration"),
    }),
  }),
});

export const ApiTxnOps = list(
  pointer(
    struct("ApiTxnOp", {
      KV: pointer(KvTxnOp),
      Node: pointer(NodeTxnOp),
      Service: pointer(ServiceTxnOp),
      Check: pointer(CheckTxnOp),
    }),
  ),
);
export type ApiTxnOps = Static<typeof ApiTxnOps>;
