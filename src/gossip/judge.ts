/**
 * What to make of a rumor: memberlist's rules, as pure functions (SWIM §4.2; memberlist: state.go).
 *
 * A rumor about somebody is believed by its incarnation, a number that only its subject raises. At equal
 * incarnation bad news beats good news, and only the subject can answer it, with a higher one.
 */
import type { Alive, Dead, GossipMessage, Suspect } from "../wire/index.ts";
import type { GossipMember } from "./member.ts";

export type Rumor = Extract<GossipMessage, { kind: "alive" | "suspect" | "dead" }>;

/** `confirm`: one accuser more. `refute`: it is about us, and wrong. `conflict`: two addresses, one name. */
export type Verdict = "ignore" | "accept" | "confirm" | "refute" | "conflict";

export interface Circumstances {
  /** Whom it is about, as known here. */
  readonly known: GossipMember | undefined;
  /** How long that has been its state. */
  readonly knownForMs: number;
  readonly isSelf: boolean;
  /** This node has begun to leave: what is said about it no longer matters. */
  readonly isLeaving: boolean;
  /** A suspicion is running: it is known as suspect. */
  readonly isSuspected: boolean;
  readonly deadNodeReclaimMs: number;
}

/** The last there is: who is accused at it could not answer. No honest member gets there. */
export const INCARNATION_LIMIT = 0xffff_ffff;

export function judge(rumor: Rumor, circumstances: Circumstances): Verdict {
  if (rumor.body.Incarnation >= INCARNATION_LIMIT) return "ignore";
  switch (rumor.kind) {
    case "alive":
      return judgeAlive(rumor.body, circumstances);
    case "suspect":
      return judgeSuspect(rumor.body, circumstances);
    case "dead":
      return judgeDead(rumor.body, circumstances);
  }
}

function judgeAlive(heard: Alive, circumstances: Circumstances): Verdict {
  const { known, isSelf, isLeaving } = circumstances;
  if (isSelf && isLeaving) return "ignore";
  if (known === undefined) return heard.Incarnation > 0 ? "accept" : "ignore";
  const hasMoved = known.port !== heard.Port || Buffer.compare(known.addr, heard.Addr) !== 0;
  if (hasMoved && !isNameFree(known, circumstances)) return "conflict";
  if (isSelf) return judgeSelf(known, heard);
  return heard.Incarnation > known.incarnation || hasMoved ? "accept" : "ignore";
}

function isNameFree({ state }: GossipMember, circumstances: Circumstances): boolean {
  const { knownForMs, deadNodeReclaimMs } = circumstances;
  if (state === "left") return true;
  return state === "dead" && deadNodeReclaimMs > 0 && knownForMs > deadNodeReclaimMs;
}

/** From before a restart, or said by somebody else: others must not believe it. */
function judgeSelf(known: GossipMember, heard: Alive): Verdict {
  if (heard.Incarnation < known.incarnation) return "ignore";
  const isOwn =
    heard.Incarnation === known.incarnation &&
    Buffer.compare(heard.Meta, known.meta) === 0 &&
    Buffer.compare(heard.Vsn, known.vsn) === 0;
  return isOwn ? "ignore" : "refute";
}

function judgeSuspect(heard: Suspect, circumstances: Circumstances): Verdict {
  const { known, isSelf, isSuspected } = circumstances;
  if (known === undefined || heard.Incarnation < known.incarnation) return "ignore";
  if (isSuspected) return "confirm";
  if (known.state !== "alive") return "ignore";
  return isSelf ? "refute" : "accept";
}

function judgeDead(heard: Dead, { known, isSelf, isLeaving }: Circumstances): Verdict {
  if (known === undefined || heard.Incarnation < known.incarnation) return "ignore";
  if (known.state === "dead" || known.state === "left") return "ignore";
  return isSelf && !isLeaving ? "refute" : "accept";
}
