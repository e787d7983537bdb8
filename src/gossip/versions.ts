/**
 * Whether two clusters can become one: every member must speak a version that all who are alive understand
 * (memberlist: `verifyProtocol`).
 */
import { RollcallError } from "../errors/index.ts";
import { VSN_BYTES, type GossipMember } from "./member.ts";

/** Where in `vsn` the lowest, highest and current version stand. */
const PARTS = [
  { name: "protocol version", lowest: 0, highest: 1, current: 2 },
  { name: "delegate protocol version", lowest: 3, highest: 4, current: 5 },
] as const;

/**
 * Whether such a member could be one of ours: it speaks what it says it understands, and each side understands the
 * other. Nobody else ever gets past a state exchange; a forged one that did would spoil all that follow.
 */
export function understand(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length < VSN_BYTES || other.length < VSN_BYTES) return true;
  return PARTS.every(({ lowest, highest, current }) => {
    const speaks = (speaker: Uint8Array, listener: Uint8Array): boolean => {
      const version = speaker[current] ?? 0;
      return version >= (listener[lowest] ?? 0) && version <= (listener[highest] ?? 0);
    };
    return speaks(one, one) && speaks(one, other) && speaks(other, one);
  });
}

/** @throws {RollcallError} `request/refused`, with memberlist's text */
export function checkVersions(members: Iterable<GossipMember>): void {
  const known = [...members].filter(({ vsn }) => vsn.length >= VSN_BYTES);
  const alive = known.filter(({ state }) => state === "alive");
  for (const { name, lowest, highest, current } of PARTS) {
    let low = 0;
    let high = 0xff;
    for (const { vsn } of alive) {
      low = Math.max(low, vsn[lowest] ?? 0);
      high = Math.min(high, vsn[highest] ?? 0);
    }
    for (const member of known) {
      const version = member.vsn[current] ?? 0;
      if (version >= low && version <= high) continue;
      const range = `[${low}, ${high}]`;
      const text = `Node '${member.name}' ${name} (${version}) is incompatible: ${range}`;
      throw new RollcallError("request/refused", text);
    }
  }
}
