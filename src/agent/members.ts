/** Members of a pool, as the API shows them and as the leader looks at them. */
import { hostOf } from "../gossip/index.ts";
import type { Member } from "../http/index.ts";
import type { PoolMember } from "../server/index.ts";
import type { MemberEventKind, SerfMember } from "../serf/index.ts";
import { MEMBER_STATUSES } from "../wire/index.ts";

export function shownMember(member: SerfMember): Member {
  return {
    Name: member.name,
    Addr: hostOf(member.addr),
    Port: member.port,
    Tags: Object.fromEntries(Object.entries(member.tags).toSorted(([a], [b]) => (a < b ? -1 : 1))),
    Status: MEMBER_STATUSES.indexOf(member.status),
    ProtocolMin: member.protocolMin,
    ProtocolMax: member.protocolMax,
    ProtocolCur: member.protocolCur,
    DelegateMin: member.delegateMin,
    DelegateMax: member.delegateMax,
    DelegateCur: member.delegateCur,
  };
}

/** @param event what happened to it, where it is more than its status says */
export function poolMember(member: SerfMember, event?: MemberEventKind): PoolMember {
  const { name, addr, tags, status } = member;
  return {
    name,
    address: hostOf(addr),
    tags,
    status: event === "reap" ? "reaped" : status === "none" ? "failed" : status,
    protocol: {
      current: member.protocolCur,
      min: member.protocolMin,
      max: member.protocolMax,
    },
  };
}
