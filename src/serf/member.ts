/** A member as Serf shows it, made of what memberlist knows of the node. */
import type { GossipMember } from "../gossip/index.ts";
import { RollcallError } from "../errors/index.ts";
import {
  decodeTags,
  MEMBER_STATUSES,
  type Member,
  type MemberStatus,
  type NodeState,
  type Tags,
} from "../wire/index.ts";

/** Immutable; another object whenever something changes. */
export interface SerfMember {
  readonly name: string;
  /** 4 or 16 bytes, as they were received. */
  readonly addr: Uint8Array;
  readonly port: number;
  readonly tags: Tags;
  readonly status: MemberStatus;
  /** Of memberlist. */
  readonly protocolMin: number;
  readonly protocolMax: number;
  readonly protocolCur: number;
  /** Of Serf. */
  readonly delegateMin: number;
  readonly delegateMax: number;
  readonly delegateCur: number;
}

/** A node that wants to be a member, or that somebody else says is one. */
export interface Candidate {
  readonly name: string;
  readonly addr: Uint8Array;
  readonly port: number;
  readonly tags: Tags;
  /** What memberlist knows of it; only "left" is certain. */
  readonly state: NodeState;
}

const ADDRESS_BYTES = [4, 16];
const NO_TAGS: Tags = Object.freeze({});

/** Tags that cannot be read are none: the member is there all the same. */
export function memberOf(node: GossipMember, status: MemberStatus): SerfMember {
  const { name, addr, port, vsn } = node;
  const [protocolMin = 0, protocolMax = 0, protocolCur = 0] = vsn;
  const [delegateMin = 0, delegateMax = 0, delegateCur = 0] = vsn.subarray(3);
  return {
    name,
    addr,
    port,
    tags: tagsOf(node),
    status,
    protocolMin,
    protocolMax,
    protocolCur,
    delegateMin,
    delegateMax,
    delegateCur,
  };
}

/**
 * As whoever decides about admission sees it.
 * @throws {RollcallError} `request/refused` for an address that is none
 */
export function candidateOf(node: GossipMember): Candidate {
  const { name, addr, port, state } = node;
  if (!ADDRESS_BYTES.includes(addr.length)) {
    const text = `IP byte length is invalid: ${addr.length} bytes is not either 4 or 16`;
    throw new RollcallError("request/refused", text);
  }
  return { name, addr, port, tags: tagsOf(node), state };
}

/** As it travels in the answer to a name conflict. */
export function wireMemberOf(member: SerfMember): Member {
  return {
    Name: member.name,
    Addr: member.addr,
    Port: member.port,
    Tags: member.tags,
    Status: MEMBER_STATUSES.indexOf(member.status),
    ProtocolMin: member.protocolMin,
    ProtocolMax: member.protocolMax,
    ProtocolCur: member.protocolCur,
    DelegateMin: member.delegateMin,
    DelegateMax: member.delegateMax,
    DelegateCur: member.delegateCur,
  };
}

function tagsOf({ meta }: GossipMember): Tags {
  try {
    return decodeTags(meta);
  } catch {
    return NO_TAGS;
  }
}
