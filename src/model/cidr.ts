/** Networks in CIDR notation, IPv4 and IPv6, read as Go reads them. */
import { parseIp, type IpBytes } from "./ip.ts";

export interface Cidr {
  readonly network: IpBytes;
  readonly prefixBits: number;
}

/** IPv4 written as IPv6 has these bits in front. */
const MAPPED_PREFIX_BITS = 96;

/** @returns undefined for what is no `address/bits` */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf("/");
  const network = slash === -1 ? undefined : parseIp(text.slice(0, slash));
  const digits = text.slice(slash + 1);
  if (network === undefined || !/^\d{1,3}$/.test(digits)) return undefined;
  const isMapped = network.length === 4 && text.includes(":");
  const prefixBits = Number(digits) - (isMapped ? MAPPED_PREFIX_BITS : 0);
  return prefixBits < 0 || prefixBits > network.length * 8 ? undefined : { network, prefixBits };
}

/** @returns false also when one is IPv4 and the other IPv6 */
export function holdsIp({ network, prefixBits }: Cidr, ip: IpBytes): boolean {
  if (ip.length !== network.length) return false;
  return network.every((byte, i) => {
    const bits = Math.min(8, Math.max(0, prefixBits - i * 8));
    return (byte ^ (ip[i] ?? 0)) >> (8 - bits) === 0;
  });
}
