/**
 * What the leader writes into the catalog for a member of the pool: its node, the check by which gossip
 * vouches for it, and for a server the service `consul`.
 */
import {
  BLANK_CHECK,
  BLANK_SERVICE,
  CONSUL_SERVICE,
  CONSUL_VERSION,
  SERF_HEALTH,
  type HealthCheck,
  type NodeService,
  type RegisterRequest,
} from "../model/index.ts";

export interface ServerMember {
  readonly name: string;
  readonly id: string;
  readonly address: string;
  readonly rpcPort: number;
  readonly datacenter: string;
}

/** The registration of a live server; the node's tagged addresses and metadata are its agent's to write. */
export function aliveServer(member: ServerMember): RegisterRequest {
  return {
    Datacenter: member.datacenter,
    ID: member.id,
    Node: member.name,
    Address: member.address,
    TaggedAddresses: null,
    NodeMeta: null,
    Service: consulService(member.rpcPort),
    Check: serfHealth(member.name),
    Checks: null,
    SkipNodeUpdate: false,
  };
}

function consulService(port: number): NodeService {
  return {
    ...BLANK_SERVICE,
    ID: CONSUL_SERVICE,
    Service: CONSUL_SERVICE,
    Tags: [],
    Port: port,
    Meta: {
      non_voter: "false",
      raft_version: "3",
      serf_protocol_current: "2",
      serf_protocol_max: "5",
      serf_protocol_min: "1",
      version: CONSUL_VERSION,
    },
  };
}

function serfHealth(node: string): HealthCheck {
  return {
    ...BLANK_CHECK,
    Node: node,
    CheckID: SERF_HEALTH,
    Name: "Serf Health Status",
    Status: "passing",
    Output: "Agent alive and reachable",
  };
}
