/** The configuration that an entry brings, as hashicorp/raft writes it. */
import * as wire from "../wire/index.ts";
import type { Configuration, Server } from "./configuration.ts";
import type { Entry } from "./entry.ts";

export function encodeConfiguration({ servers }: Configuration): Uint8Array {
  return wire.encodeConfiguration({
    Servers: servers.map(({ id, address, suffrage }) => ({
      Suffrage: wire.SUFFRAGES.indexOf(suffrage),
      ID: id,
      Address: address,
    })),
  });
}

/** @throws {RollcallError} `wire/malformed` */
export function decodeConfiguration(data: Uint8Array): Configuration {
  const { Servers } = wire.decodeConfiguration(data);
  return {
    servers: Servers.map(({ Suffrage, ID, Address }): Server => {
      const suffrage = wire.SUFFRAGES[Suffrage] === "voter" ? "voter" : "nonvoter";
      return { id: ID, address: Address, suffrage };
    }),
  };
}

/** undefined: an entry of another kind. @throws {RollcallError} `wire/malformed` */
export function configurationOf({ type, data }: Entry): Configuration | undefined {
  if (type === "configuration") return decodeConfiguration(data);
  if (type !== "addPeer" && type !== "removePeer") return undefined;
  // From before configurations: all that there is to know of a server is its address.
  const servers = wire.decodePeers(data).map((address): Server => {
    return { id: address, address, suffrage: "voter" };
  });
  return { servers };
}
