/** The whole state, as two nodes exchange it (memberlist: `sendLocalState`, `mergeState`). */
import { NODE_STATES, type NodeState, type PushPullNode } from "../wire/index.ts";
import type { Rumor } from "./judge.ts";
import type { GossipMember } from "./member.ts";

export function nodeOf(member: GossipMember): PushPullNode {
  return {
    Name: member.name,
    Addr: member.addr,
    Port: member.port,
    Meta: member.meta,
    Incarnation: member.incarnation,
    State: NODE_STATES.indexOf(member.state),
    Vsn: member.vsn,
  };
}

/** A state that we do not know is taken for a suspicion: whoever it is about can answer. */
export function memberOf(node: PushPullNode, defaultPort: number): GossipMember {
  return {
    name: node.Name,
    addr: node.Addr,
    port: node.Port || defaultPort,
    meta: node.Meta,
    vsn: node.Vsn,
    state: NODE_STATES[node.State] ?? "suspect",
    incarnation: node.Incarnation,
  };
}

/**
 * What the other side's view of a member amounts to. That it is dead is never believed at once: it becomes a
 * suspect, and can refute.
 *
 * @param self the name of this node, who passes a suspicion on as its own
 */
export function rumorOf(member: GossipMember, self: string): Rumor {
  const { name, incarnation } = member;
  return RUMORS[member.state](member, { Incarnation: incarnation, Node: name, From: self });
}

type Accusation = Readonly<{ Incarnation: number; Node: string; From: string }>;

const RUMORS: Readonly<Record<NodeState, (member: GossipMember, by: Accusation) => Rumor>> = {
  alive: (member, { Incarnation, Node }) => {
    const { addr: Addr, port: Port, meta: Meta, vsn: Vsn } = member;
    return { kind: "alive", body: { Incarnation, Node, Addr, Port, Meta, Vsn } };
  },
  suspect: (_member, body) => ({ kind: "suspect", body }),
  dead: (_member, body) => ({ kind: "suspect", body }),
  left: ({ name }, body) => ({ kind: "dead", body: { ...body, From: name } }),
};
