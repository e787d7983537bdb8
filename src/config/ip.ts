/** IP addresses as text: what is one, which are private, which network holds which. */
import { holdsIp, parseCidr, parseIp } from "../model/index.ts";

/** As the model reads addresses, and with a zone (`fe80::1%eth0`), which is ignored. */
const bytesOf = (text: string): Uint8Array | undefined => parseIp(text.replace(/%[^%]+$/, ""));

export const isIp = (text: string): boolean => bytesOf(text) !== undefined;
export const isIpv4 = (text: string): boolean => bytesOf(text)?.length === 4;
export const isIpv6 = (text: string): boolean => bytesOf(text)?.length === 16;

/** Stands for every address of the machine. */
export const isAnyAddress = (text: string): boolean =>
  bytesOf(text)?.every((byte) => byte === 0) ?? text === "[::]";

export const isCidr = (text: string): boolean => parseCidr(text) !== undefined;

/** @returns false also when either is malformed, or one is IPv4 and the other IPv6 */
export function cidrContains(cidr: string, address: string): boolean {
  const network = parseCidr(cidr);
  const ip = bytesOf(address);
  return network !== undefined && ip !== undefined && holdsIp(network, ip);
}

/** RFC 1918 and RFC 6598: what Consul takes for private when it looks for an address to advertise. */
const PRIVATE_IPV4 = ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"];
const UNROUTED_IPV6 = ["::1/128", "fe80::/10", "fc00::/7"];

export const isPrivateIp = (text: string): boolean =>
  [...PRIVATE_IPV4, "fc00::/7"].some((cidr) => cidrContains(cidr, text));
export const isPrivateIpv4 = (text: string): boolean => isIpv4(text) && isPrivateIp(text);
export const isPublicIpv6 = (text: string): boolean =>
  isIpv6(text) && !UNROUTED_IPV6.some((cidr) => cidrContains(cidr, text));
export const isLoopback = (text: string): boolean =>
  cidrContains("127.0.0.0/8", text) || cidrContains("::1/128", text);
export const isLinkLocal = (text: string): boolean =>
  cidrContains("169.254.0.0/16", text) || cidrContains("fe80::/10", text);
