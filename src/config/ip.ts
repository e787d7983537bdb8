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

const within = (networks: readonly string[], text: string): boolean =>
  networks.some((cidr) => cidrContains(cidr, text));

/** What Consul takes for private, and not for public, when it looks for an address to advertise. */
const PRIVATE_IPV4 = [
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.168.0.0/16",
];
const NOT_PUBLIC_IPV6 = ["::1/128", "2001:db8::/32", "fc00::/7", "fe80::/10", "fec0::/10"];

export const isPrivateIpv4 = (text: string): boolean => within(PRIVATE_IPV4, text);
export const isPublicIpv6 = (text: string): boolean =>
  isIpv6(text) && !within(NOT_PUBLIC_IPV6, text);

/** IANA's special-purpose addresses (RFC 6890, tables 1 to 24): those that routers pass on, and those they do not. */
const SPECIAL = {
  forwarded: [
    "10.0.0.0/8",
    "100.64.0.0/10",
    "172.16.0.0/12",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "64:ff9b::/96",
    "100::/64",
    "2001::/32",
    "2001:2::/48",
    "2002::/16",
    "fc00::/7",
  ],
  kept: [
    "0.0.0.0/8",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "::/128",
    "::1/128",
    "2001:10::/28",
    "2001:db8::/32",
    "fe80::/10",
  ],
};

/** Is it in one of RFC 6890's tables? */
export const isSpecial = (text: string): boolean =>
  within(SPECIAL.forwarded, text) || within(SPECIAL.kept, text);
export const isForwarded = (text: string): boolean => !within(SPECIAL.kept, text);
export const isRfc1918 = (text: string): boolean =>
  within(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"], text);
