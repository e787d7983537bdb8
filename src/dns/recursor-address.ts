/** Addresses of recursors as an operator writes them: `10.0.0.2`, `10.0.0.2:5353`, `::1`, `[::1]:5353`, a host name. */
import { RollcallError } from "../errors/index.ts";
import type { IpAddress } from "../platform/index.ts";

const DNS_PORT = 53;
const PORT_MAX = 65_535;

/**
 * A host name is taken as it is and looked up for each question.
 * @throws {RollcallError} `config/invalid`
 */
export function parseRecursor(text: string): IpAddress {
  const bracketed = /^\[([^\]]+)\](?::(.*))?$/.exec(text);
  if (bracketed !== null) return addressOf(text, bracketed[1], bracketed[2]);
  const [host, port, ...more] = text.split(":");
  // More than one colon, and no brackets: IPv6 without a port.
  return more.length > 0 ? addressOf(text, text, undefined) : addressOf(text, host, port);
}

function addressOf(text: string, host = "", port: string | undefined): IpAddress {
  if (host === "") throw invalid(`address ${text}: missing host`);
  if (port === undefined) return { host, port: DNS_PORT };
  if (!/^\d+$/.test(port)) throw invalid(`address tcp/${port}: unknown port`);
  const number = Number(port);
  if (number < 1 || number > PORT_MAX) throw invalid(`address ${port}: invalid port`);
  return { host, port: number };
}

function invalid(detail: string): RollcallError {
  return new RollcallError("config/invalid", `Invalid recursor address: ${detail}`);
}
