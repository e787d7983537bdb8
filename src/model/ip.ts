/** IP addresses as bytes, parsed as Go's resolver does. */

/** 4 or 16 bytes. An IPv4 address written as IPv6 (`::ffff:10.0.0.1`) is IPv4, as Go's resolver has it. */
export type IpBytes = Uint8Array;

const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** @returns undefined when `text` is not an address; zones (`fe80::1%eth0`) are not addresses */
export function parseIp(text: string): IpBytes | undefined {
  if (!text.includes(":")) return parseIpv4(text);
  const bytes = parseIpv6(text);
  if (bytes === undefined) return undefined;
  return MAPPED_PREFIX.every((byte, i) => bytes[i] === byte) ? bytes.subarray(12) : bytes;
}

/** 4 or 6; 0 for what is no address. */
export function ipVersion(text: string): 0 | 4 | 6 {
  const length = parseIp(text)?.length;
  if (length === 4) return 4;
  return length === 16 ? 6 : 0;
}

function parseIpv4(text: string): IpBytes | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part))) return undefined;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? Uint8Array.from(bytes) : undefined;
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map(groupsOf);
  if (head === undefined) return undefined;
  if (halves.length === 1) return head.length === 16 ? Uint8Array.from(head) : undefined;
  if (tail === undefined || head.length + tail.length > 14) return undefined;
  const zeros = Array.from<number>({ length: 16 - head.length - tail.length }).fill(0);
  return Uint8Array.from([...head, ...zeros, ...tail]);
}

/** Bytes of colon-separated groups; the last may be dotted IPv4. */
function groupsOf(text: string): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [i, group] of groups.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else {
      const dotted = i === groups.length - 1 ? parseIpv4(group) : undefined;
      if (dotted === undefined) return undefined;
      bytes.push(...dotted);
    }
  }
  return bytes;
}
