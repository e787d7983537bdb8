/**
 * Who may be in a pool (Consul: agent/consul/merge.go). Asked of the whole list of members that a joining state
 * exchange brings, and of each member that is heard to be alive, alone.
 */
import { RollcallError } from "../errors/index.ts";
import { hostOf } from "../gossip/index.ts";
import { holdsIp, parseCidr } from "../model/index.ts";
import { serverOf, type Tags } from "../wire/index.ts";

/** A member as it presents itself. */
export interface Applicant {
  readonly name: string;
  readonly tags: Tags;
  readonly hasLeft: boolean;
}
export interface Pool {
  readonly nodeName: string;
  readonly nodeId: string;
  readonly datacenter: string;
  readonly segment: string;
}

/** Agents before this version had ids that were not unique. */
const UNIQUE_IDS_SINCE = [0, 8, 5] as const;

/**
 * `serf_lan_allowed_cidrs`: where members may be. A node always takes itself.
 * @throws {RollcallError} `gossip/refused`
 */
export function admitAddresses(
  members: readonly { readonly name: string; readonly addr: Uint8Array }[],
  { ownName, allowed }: { readonly ownName: string; readonly allowed: readonly string[] },
): void {
  if (allowed.length === 0) return;
  const networks = allowed.map(parseCidr).filter((network) => network !== undefined);
  for (const { name, addr } of members) {
    const ip = withoutMapping(addr);
    if (name === ownName || networks.some((network) => holdsIp(network, ip))) continue;
    throw refuse(`Member '${name}': ${hostOf(addr)} is not allowed`);
  }
}

/** @throws {RollcallError} `gossip/refused`, in Consul's words, at the first member that does not belong to the LAN */
export function admitToLan(applicants: readonly Applicant[], own: Pool): void {
  const nameOfId = new Map<string, string>();
  for (const { name, tags, hasLeft } of applicants) {
    const { id = "", role, dc = "", segment = "" } = tags;
    if (id !== "") {
      if (hasLeft) continue;
      const conflict = `Member '${name}' has conflicting node ID '${id}' with`;
      if (id === own.nodeId && name !== own.nodeName) throw refuse(`${conflict} this agent's ID`);
      const namesake = nameOfId.get(id);
      if (namesake !== undefined) throw refuse(`${conflict} member '${namesake}'`);
      if (hasUniqueId(tags)) nameOfId.set(id, name);
    }
    const isConsul = role === "node" || serverOf(tags) !== undefined;
    if (isConsul && dc !== own.datacenter) {
      throw refuse(`Member '${name}' part of wrong datacenter '${dc}'`);
    }
    if (segment !== own.segment) {
      const expected = `(expected '${own.segment}')`;
      throw refuse(`Member '${name}' part of wrong segment '${segment}' ${expected}`);
    }
  }
}

/** @throws {RollcallError} `gossip/refused`: only servers are in the WAN */
export function admitToWan(applicants: readonly Applicant[]): void {
  for (const { name, tags } of applicants) {
    if (serverOf(tags) === undefined) throw refuse(`Member '${name}' is not a server`);
  }
}

function refuse(text: string): RollcallError {
  return new RollcallError("gossip/refused", text);
}

/** An IPv4 address may come in the form that IPv6 has for it. */
function withoutMapping(addr: Uint8Array): Uint8Array {
  const isMapped =
    addr.length === 16 && addr.subarray(0, 12).every((byte, i) => byte === (i < 10 ? 0 : 0xff));
  return isMapped ? addr.subarray(12) : addr;
}

function hasUniqueId({ build = "" }: Tags): boolean {
  const version = /\d+\.\d+\.\d+/.exec(build)?.[0].split(".").map(Number);
  if (version === undefined) return false;
  for (const [i, wanted] of UNIQUE_IDS_SINCE.entries()) {
    const part = version[i] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}
