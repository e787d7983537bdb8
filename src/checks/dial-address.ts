/**
 * `host:port` as Go's dialer reads it, with its words for what is no such thing.
 *
 * An empty host means this machine; an IPv6 address stands in brackets; a few ports have names.
 */
import type { IpAddress } from "../platform/index.ts";

export type DialAddress =
  | Readonly<{ kind: "address"; address: IpAddress }>
  | Readonly<{ kind: "invalid"; message: string }>;

type Transport = "tcp" | "udp";

const THIS_MACHINE = "127.0.0.1";

const PORT_NAMES: Readonly<Record<string, number>> = {
  ftp: 21,
  ssh: 22,
  telnet: 23,
  smtp: 25,
  domain: 53,
  http: 80,
  pop3: 110,
  imap: 143,
  ldap: 389,
  https: 443,
  ldaps: 636,
  imaps: 993,
  pop3s: 995,
};

export function parseDialAddress(text: string, network: Transport = "tcp"): DialAddress {
  const split = splitHostPort(text);
  if (typeof split === "string") return invalid(`address ${text}: ${split}`, network);
  const port = parsePort(split.port, network);
  if (typeof port === "string") return invalid(port, network);
  return { kind: "address", address: { host: split.host || THIS_MACHINE, port } };
}

/** @returns what is wrong, as a text, if it is wrong */
function splitHostPort(text: string): { readonly host: string; readonly port: string } | string {
  const lastColon = text.lastIndexOf(":");
  if (lastColon === -1) return "missing port in address";
  let host = text.slice(0, lastColon);
  const port = text.slice(lastColon + 1);
  if (text.startsWith("[")) {
    const end = text.indexOf("]");
    if (end === -1) return "missing ']' in address";
    if (end + 1 !== lastColon) {
      return text[end + 1] === ":" ? "too many colons in address" : "missing port in address";
    }
    host = text.slice(1, end);
  } else if (host.includes(":")) {
    return "too many colons in address";
  }
  if (host.includes("[") || port.includes("[")) return "unexpected '[' in address";
  if (host.includes("]") || port.includes("]")) return "unexpected ']' in address";
  return { host, port };
}

/** @returns what is wrong, as a text, if it is wrong */
export function parsePort(text: string, network: Transport = "tcp"): number | string {
  if (text === "") return 0;
  if (/^[+-]?\d+$/.test(text)) {
    const port = Number(text);
    return port >= 0 && port <= 0xffff ? port : `address ${text}: invalid port`;
  }
  const named = Object.hasOwn(PORT_NAMES, text.toLowerCase())
    ? PORT_NAMES[text.toLowerCase()]
    : undefined;
  return named ?? `address ${network}/${text}: unknown port`;
}

function invalid(problem: string, network: Transport): DialAddress {
  return { kind: "invalid", message: `dial ${network}: ${problem}` };
}
