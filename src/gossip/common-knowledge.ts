/**
 * What the members of one process may have in common, when a simulated pool is so large that each cannot have it for
 * itself: ten thousand members have a hundred million views of each other, and as many messages about them to pass on.
 * Who has a process to themselves has nobody to share with.
 */
import type { Instant } from "../platform/index.ts";
import type { Rumor } from "./judge.ts";
import type { Entry, GossipMember } from "./member.ts";

/** Of each member the latest views and messages are kept: whoever comes with an older one has it for themselves. */
const KEPT_MAX = 16;

/** What tells most rumors about one member apart stands in front: the rumors themselves are seldom looked at. */
interface Said {
  readonly kind: Rumor["kind"];
  readonly incarnation: number;
  readonly rumor: Rumor;
  readonly message: Uint8Array;
}

export class CommonKnowledge {
  /** Known from the start. Nobody changes them: a table copies an entry before its first change. */
  readonly entries: ReadonlyMap<string, Readonly<Entry>>;
  /** By name; each oldest first. */
  readonly #members = new Map<string, GossipMember[]>();
  readonly #said = new Map<string, Said[]>();

  constructor(members: readonly GossipMember[], changedAt: Instant) {
    this.entries = new Map(members.map((member) => [member.name, { member, changedAt }]));
  }

  /** @returns one that is equal, and mostly the same for all who ask */
  member(asked: GossipMember): GossipMember {
    const kept = keptOf(this.#members, asked.name);
    const known = kept.findLast((other) => isEqualMember(other, asked));
    if (known === undefined) keep(kept, asked);
    return known ?? asked;
  }

  /** @returns what `encode` would, mostly the same for all who ask. Nobody changes it */
  message(about: string, rumor: Rumor, encode: (rumor: Rumor) => Uint8Array): Uint8Array {
    const kept = keptOf(this.#said, about);
    const { kind, body } = rumor;
    const known = kept.findLast((other) => {
      const isAlike = other.incarnation === body.Incarnation && other.kind === kind;
      return isAlike && isEqualRumor(other.rumor, rumor);
    });
    if (known !== undefined) return known.message;
    const message = encode(rumor);
    keep(kept, { kind, incarnation: body.Incarnation, rumor, message });
    return message;
  }
}

function keptOf<T>(lists: Map<string, T[]>, name: string): T[] {
  const kept = lists.get(name);
  if (kept !== undefined) return kept;
  const none: T[] = [];
  lists.set(name, none);
  return none;
}

function keep<T>(kept: T[], one: T): void {
  if (kept.length >= KEPT_MAX) kept.shift();
  kept.push(one);
}

/** Of two with the same name. */
function isEqualMember(one: GossipMember, other: GossipMember): boolean {
  return (
    one.incarnation === other.incarnation &&
    one.state === other.state &&
    one.port === other.port &&
    isEqualBytes(one.addr, other.addr) &&
    isEqualBytes(one.meta, other.meta) &&
    isEqualBytes(one.vsn, other.vsn)
  );
}

/** Of two of the same incarnation. */
function isEqualRumor(one: Rumor, other: Rumor): boolean {
  if (one.body.Node !== other.body.Node) return false;
  if (one.kind === "alive") {
    return (
      other.kind === "alive" &&
      one.body.Port === other.body.Port &&
      isEqualBytes(one.body.Addr, other.body.Addr) &&
      isEqualBytes(one.body.Meta, other.body.Meta) &&
      isEqualBytes(one.body.Vsn, other.body.Vsn)
    );
  }
  return one.kind === other.kind && one.body.From === other.body.From;
}

function isEqualBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one === other || Buffer.compare(one, other) === 0;
}
