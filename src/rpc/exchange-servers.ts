/**
 * How it travels what the servers of a datacenter are. Consul has two methods for it, one of their place in the log and
 * one of their health; ours is one that gives all of it, and a server that does not have it is asked the two.
 */
import {
  failureTolerance,
  MILLISECOND,
  type RaftMembers,
  type ServerState,
} from "../model/index.ts";
import {
  bool,
  codecOf,
  float64,
  int64,
  list,
  MEMBER_STATUSES,
  nullable,
  struct,
  text,
  time,
  uint64,
  type GoTime,
  type ValueOf,
} from "../wire/index.ts";
import { plain, served, type ArgsOf, type Asked, type Served } from "./exchange.ts";
import {
  DC_REQUEST,
  dcRequest,
  fromQuery,
  noNodeFields,
  toQuery,
  type DcRequest,
} from "./query-shapes.ts";

const RAFT_SERVER = struct({
  ID: text,
  Node: text,
  Address: text,
  Leader: bool,
  ProtocolVersion: text,
  Voter: bool,
});
const raftConfiguration = codecOf(struct({ Servers: nullable(list(RAFT_SERVER)), Index: uint64 }));
type RaftConfiguration = typeof raftConfiguration.zero;

const SERVER_HEALTH = struct({
  ID: text,
  Name: text,
  Address: text,
  /** Index into `MEMBER_STATUSES`. */
  SerfStatus: int64,
  Version: text,
  Leader: bool,
  LastContact: int64,
  LastTerm: uint64,
  LastIndex: uint64,
  Healthy: bool,
  Voter: bool,
  StableSince: time,
});
const operatorHealth = codecOf(
  struct({ Healthy: bool, FailureTolerance: int64, Servers: nullable(list(SERVER_HEALTH)) }),
);
type OperatorHealth = typeof operatorHealth.zero;
type ServerHealth = ValueOf<typeof SERVER_HEALTH>;

const serverStates = codecOf(
  list(
    struct({
      ID: text,
      Name: text,
      Address: text,
      SerfStatus: text,
      Version: text,
      Leader: bool,
      Voter: bool,
      RaftProtocol: text,
      LastContactMs: float64,
      LastTerm: uint64,
      LastIndex: uint64,
      Healthy: bool,
      StableSinceMs: float64,
    }),
  ),
);

type Args = ArgsOf<"Operator.Servers">;
const fromArgs = ({ Datacenter }: Args, datacenter: string): DcRequest =>
  dcRequest(Datacenter, datacenter);

const askRaft = askedAs("Operator.RaftGetConfiguration", raftConfiguration);
const askHealth = askedAs("Operator.ServerHealth", operatorHealth);

function askedAs<R>(name: string, reply: { read: Asked<Args, R>["readReply"] }): Asked<Args, R> {
  return {
    nameFor: () => name,
    writeArgs: (into, args, datacenter) => DC_REQUEST.write(into, fromArgs(args, datacenter)),
    readReply: (from, args) => reply.read(from, args),
  };
}

export const SERVERS = {
  "Operator.RaftGetConfiguration": plain<
    "Operator.RaftGetConfiguration",
    DcRequest,
    RaftConfiguration
  >({
    name: "Operator.RaftGetConfiguration",
    args: DC_REQUEST,
    reply: raftConfiguration,
    fromArgs: (query, datacenter) => ({ ...fromQuery(query, datacenter), ...noNodeFields() }),
    toReply: ({ Servers, Index }) => ({
      Servers: (Servers ?? []).map(({ Node: Name, ProtocolVersion: RaftProtocol, ...rest }) => {
        return { ...rest, Name, RaftProtocol };
      }),
      Index,
    }),
    answer: async (server, wire, signal) =>
      raftOf(await server.call("Operator.RaftGetConfiguration", toQuery(wire), { signal })),
  }),
  "Operator.Servers": plain<"Operator.Servers", DcRequest, readonly ServerState[]>({
    name: "Operator.Servers",
    args: DC_REQUEST,
    reply: serverStates,
    fromArgs,
    toReply: (wire) => wire,
    answer: (server, { Datacenter }, signal) =>
      server.call("Operator.Servers", { Datacenter }, { signal }),
    instead: async (ask, args) => {
      const raft = await ask(askRaft, args);
      return statesOf(raft, await ask(askHealth, args));
    },
  }),
};

export const SERVERS_SERVED: Readonly<Record<string, Served>> = {
  "Operator.ServerHealth": served<DcRequest, OperatorHealth>({
    args: DC_REQUEST,
    reply: operatorHealth,
    answer: async (server, { Datacenter }, signal) =>
      healthOf(await server.call("Operator.Servers", { Datacenter }, { signal })),
  }),
};

function raftOf({ Servers: members, Index }: RaftMembers): RaftConfiguration {
  const Servers = members.map(({ ID, Name, Address, Leader, RaftProtocol, Voter }) => ({
    ID,
    Node: Name,
    Address,
    Leader,
    ProtocolVersion: RaftProtocol,
    Voter,
  }));
  return { Servers, Index };
}

function healthOf(states: readonly ServerState[]): OperatorHealth {
  return {
    Healthy: states.every(({ Healthy }) => Healthy),
    FailureTolerance: failureTolerance(states),
    Servers: states.map((state) => ({
      ...state,
      SerfStatus: Math.max(0, STATUS_NAMES.indexOf(state.SerfStatus)),
      LastContact: Math.round(state.LastContactMs * MILLISECOND),
      StableSince: goTime(state.StableSinceMs),
    })),
  };
}
const STATUS_NAMES: readonly string[] = MEMBER_STATUSES;

/** Servers that nothing is known of but their place in the log are not healthy. */
function statesOf({ Servers }: RaftConfiguration, health: OperatorHealth): ServerState[] {
  const known = new Map(health.Servers?.map((server) => [server.ID, server]));
  return (Servers ?? []).map(({ ID, Node, Address, Leader, ProtocolVersion, Voter }) => {
    const name = { ID, Name: Node, Address, Leader, Voter, RaftProtocol: ProtocolVersion };
    return { ...name, ...stateOf(known.get(ID)) };
  });
}

type HealthState = Omit<
  ServerState,
  "ID" | "Name" | "Address" | "Leader" | "Voter" | "RaftProtocol"
>;
function stateOf(server: ServerHealth | undefined): HealthState {
  if (server === undefined) return UNKNOWN;
  const { Version, LastTerm, LastIndex, Healthy } = server;
  return {
    SerfStatus: MEMBER_STATUSES[server.SerfStatus] ?? UNKNOWN.SerfStatus,
    Version,
    LastContactMs: server.LastContact / MILLISECOND,
    LastTerm,
    LastIndex,
    Healthy,
    StableSinceMs: wallMs(server.StableSince),
  };
}
const UNKNOWN: HealthState = {
  SerfStatus: "none",
  Version: "",
  LastContactMs: 0,
  LastTerm: 0,
  LastIndex: 0,
  Healthy: false,
  StableSinceMs: 0,
};

const wallMs = ({ unixSeconds, nanoseconds }: GoTime): number =>
  unixSeconds * 1000 + nanoseconds / 1_000_000;

function goTime(wall: number): GoTime {
  const unixSeconds = Math.floor(wall / 1000);
  const nanoseconds = Math.floor((wall - unixSeconds * 1000) * 1_000_000);
  return { unixSeconds, nanoseconds, zoneMinutes: undefined };
}
