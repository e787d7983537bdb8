/** Whom to join: `host`, `host:port`, `[v6]:port`, each perhaps with `name/` in front (memberlist: `resolveAddr`). */
import { RollcallError } from "../errors/index.ts";
import type { IpAddress } from "../platform/index.ts";

const LAST_PORT = 65_535;

/** @throws {RollcallError} `request/bad` for what is no address */
export function parseJoinAddress(text: string, defaultPort: number): IpAddress {
  // Only transports that go through a gateway need the name of the node.
  const address = text.slice(text.indexOf("/") + 1);
  const { host, port } = splitHostPort(address);
  const portNumber = port === undefined ? defaultPort : Number(port);
  const isPort = Number.isInteger(portNumber) && portNumber > 0 && portNumber <= LAST_PORT;
  if (host === "" || !isPort) {
    throw new RollcallError("request/bad", `Failed to resolve ${text}: invalid address`);
  }
  return { host, port: portNumber };
}

export function addressText({ host, port }: IpAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function splitHostPort(address: string): { host: string; port?: string } {
  const bracketed = /^\[([^\]]*)\](?::(\d+))?$/.exec(address);
  if (bracketed !== null) {
    const [, host = "", port] = bracketed;
    return port === undefined ? { host } : { host, port };
  }
  const colon = address.indexOf(":");
  // More than one colon, and no brackets: a bare IPv6 address.
  if (colon < 0 || colon !== address.lastIndexOf(":")) return { host: address };
  return { host: address.slice(0, colon), port: address.slice(colon + 1) };
}
