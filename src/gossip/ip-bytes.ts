/** IP addresses as the bytes that members are announced with, and as the text that sockets take (RFC 5952). */

const GROUPS = 8;
const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** @param addr 4 or 16 bytes; an IPv4 address in 16 is written as IPv4 */
export function hostOf(addr: Uint8Array): string {
  if (addr.length === 4) return `${addr[0]}.${addr[1]}.${addr[2]}.${addr[3]}`;
  if (MAPPED_PREFIX.every((byte, i) => addr[i] === byte)) return hostOf(addr.subarray(12));
  const groups: number[] = [];
  for (let i = 0; i < GROUPS; i += 1) {
    groups.push(((addr[2 * i] ?? 0) << 8) | (addr[2 * i + 1] ?? 0));
  }
  const { start, length } = longestZeros(groups);
  const text = (part: readonly number[]): string => part.map((n) => n.toString(16)).join(":");
  if (length < 2) return text(groups);
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}

/** @returns 4 bytes for IPv4, 16 for IPv6, undefined for what is neither */
export function bytesOfHost(host: string): Uint8Array | undefined {
  return host.includes(":") ? bytesOfV6(host) : bytesOfV4(host);
}

export function isWildcard(host: string): boolean {
  return bytesOfHost(host)?.every((byte) => byte === 0) ?? false;
}

function bytesOfV4(host: string): Uint8Array | undefined {
  const parts = host.split(".");
  const isAddress =
    parts.length === 4 && parts.every((p) => /^\d{1,3}$/.test(p) && Number(p) < 256);
  return isAddress ? Uint8Array.from(parts, Number) : undefined;
}

function bytesOfV6(host: string): Uint8Array | undefined {
  const [address = ""] = host.split("%");
  const halves = address.split("::").map((half) => groupsOf(half));
  const [head, tail] = halves;
  if (head === undefined || halves.length > 2) return undefined;
  const given = head.length + (tail?.length ?? 0);
  if (tail === undefined ? given !== GROUPS : given >= GROUPS) return undefined;
  const groups = [...head, ...Array<number>(GROUPS - given).fill(0), ...(tail ?? [])];
  if (groups.some((group) => Number.isNaN(group))) return undefined;
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

/** A group that is none is NaN. */
function groupsOf(half: string): number[] {
  if (half === "") return [];
  const parts = half.split(":");
  const v4 = bytesOfV4(parts.at(-1) ?? "");
  const hex = v4 === undefined ? parts : parts.slice(0, -1);
  const groups = hex.map((part) => (/^[0-9a-fA-F]{1,4}$/.test(part) ? parseInt(part, 16) : NaN));
  if (v4 === undefined) return groups;
  const [a = 0, b = 0, c = 0, d = 0] = v4;
  return [...groups, (a << 8) | b, (c << 8) | d];
}

function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start += 1) {
    let length = 0;
    while (groups[start + length] === 0) length += 1;
    if (length > best.length) best = { start, length };
  }
  return best;
}
