/**
 * What the leader writes into the catalog for a member of the pool: its node, the check by which gossip
 * vouches for it, and for a server the service `consul`.
 */
import {
  BLANK_CHECK,
  BLANK_SERVICE,
  CONSUL_SERVICE,
  SERF_HEALTH,
  type HealthCheck,
  type NodeService,
} from "../model/index.ts";

export interface ServerFacts {
  readonly rpcPort: number;
  readonly raftVersion: number;
  /** Of memberlist, as the member announces them. */
  readonly protocol: { readonly current: number; readonly min: number; readonly max: number };
  readonly version: string;
}

export function consulService(facts: ServerFacts): NodeService {
  const { rpcPort, raftVersion, protocol, version } = facts;
  return {
    ...BLANK_SERVICE,
    ID: CONSUL_SERVICE,
    Service: CONSUL_SERVICE,
    Tags: [],
    Port: rpcPort,
    Meta: {
      non_voter: "false",
      raft_version: String(raftVersion),
      serf_protocol_current: String(protocol.current),
      serf_protocol_max: String(protocol.max),
      serf_protocol_min: String(protocol.min),
      version,
    },
  };
}

const OUTPUTS = {
  passing: "Agent alive and reachable",
  critical: "Agent not live or unreachable",
} as const;

export function serfHealth(node: string, Status: keyof typeof OUTPUTS): HealthCheck {
  return {
    ...BLANK_CHECK,
    Node: node,
    CheckID: SERF_HEALTH,
    Name: "Serf Health Status",
    Status,
    Output: OUTPUTS[Status],
  };
}
