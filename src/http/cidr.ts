/** Networks in CIDR notation, IPv4 and IPv6, as `http_config.allow_write_http_from` names them. */
import { parseIp, type IpBytes } from "../model/index.ts";

export interface Cidr {
  readonly network: IpBytes;
  readonly prefixBits: number;
}

/** @returns undefined for what is no network; a bare address is the network of itself */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf("/");
  const network = parseIp(slash === -1 ? text : text.slice(0, slash));
  if (network === undefined) return undefined;
  const digits = slash === -1 ? String(network.length * 8) : text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(digits) || Number(digits) > network.length * 8) return undefined;
  return { network, prefixBits: Number(digits) };
}

export function contains({ network, prefixBits }: Cidr, host: string): boolean {
  const address = parseIp(host);
  if (address?.length !== network.length) return false;
  return network.every((byte, i) => {
    const bits = Math.min(8, Math.max(0, prefixBits - i * 8));
    return (byte ^ (address[i] ?? 0)) >> (8 - bits) === 0;
  });
}
