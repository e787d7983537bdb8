/**
 * What the members of one process may have in common, when a simulated pool is so large that each cannot have it for
 * itself: ten thousand members have a hundred million views of each other, and as many messages about them to pass on.
 * Who has a process to themselves has nobody to share with.
 */
import type { Instant } from "../platform/index.ts";
import type { Entry, GossipMember } from "./member.ts";

export class CommonKnowledge {
  /** Known from the start. Nobody changes them: a table copies an entry before its first change. */
  readonly entries: ReadonlyMap<string, Readonly<Entry>>;
  readonly #members = new Map<string, GossipMember>();
  readonly #messages = new Map<string, Uint8Array>();

  constructor(members: readonly GossipMember[], changedAt: Instant) {
    this.entries = new Map(members.map((member) => [member.name, { member, changedAt }]));
  }

  /** @returns one that is equal, and mostly the same for all who ask */
  member(asked: GossipMember): GossipMember {
    const key = `${asked.name} ${asked.incarnation} ${asked.state}`;
    const known = this.#members.get(key);
    if (known === undefined) this.#members.set(key, asked);
    return known !== undefined && isEqual(known, asked) ? known : asked;
  }

  /** @returns equal bytes, the same for all who ask. Nobody changes them */
  message(asked: Uint8Array): Uint8Array {
    const key = Buffer.from(asked.buffer, asked.byteOffset, asked.length).toString("latin1");
    const known = this.#messages.get(key);
    if (known === undefined) this.#messages.set(key, asked);
    return known ?? asked;
  }
}

/** Of two with the same name, state and incarnation. */
function isEqual(one: GossipMember, other: GossipMember): boolean {
  return (
    one.port === other.port &&
    Buffer.compare(one.addr, other.addr) === 0 &&
    Buffer.compare(one.meta, other.meta) === 0 &&
    Buffer.compare(one.vsn, other.vsn) === 0
  );
}
