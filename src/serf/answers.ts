/**
 * Sends answers to whoever asked: one datagram to their address, and as many more on detours over other members
 * as they wished for, since a path that is lost to us may not be lost to those (serf.md §8).
 */
import { hostOf } from "../gossip/index.ts";
import { RollcallError } from "../errors/index.ts";
import type { IpAddress, Logger, Random } from "../platform/index.ts";
import { encodeSerfMessage, type Query, type QueryResponse, type Relay } from "../wire/index.ts";
import { RESPONSE_BYTES_MAX } from "./incoming-query.ts";
import type { SerfMember } from "./member.ts";

/** Of memberlist: members that know how to relay. */
const RELAY_PROTOCOL = 5;

export interface AnswersNeeds {
  readonly self: string;
  readonly random: Random;
  readonly logger: Logger;
  readonly members: () => readonly SerfMember[];
  readonly send: (to: IpAddress, bytes: Uint8Array) => void;
}

type Asker = Pick<Query, "Addr" | "Port" | "SourceNode" | "RelayFactor">;

export class Answers {
  readonly #needs: AnswersNeeds;

  constructor(needs: AnswersNeeds) {
    this.#needs = needs;
  }

  send(asker: Asker, response: QueryResponse): void {
    const bytes = encodeSerfMessage({ kind: "queryResponse", body: response });
    this.#needs.send({ host: hostOf(asker.Addr), port: asker.Port }, bytes);
    if (asker.RelayFactor > 0) this.#relay(asker, bytes);
  }

  /** @throws {RollcallError} `wire/malformed` for an address that is none */
  passOn({ DestAddr: { IP, Port }, inner }: Relay): void {
    const isAddress = (IP.length === 4 || IP.length === 16) && Port > 0 && Port <= 0xffff;
    if (!isAddress) throw new RollcallError("wire/malformed", "a relay without a destination");
    this.#needs.send({ host: hostOf(IP), port: Port }, inner);
  }

  #relay({ Addr, Port, SourceNode, RelayFactor }: Asker, inner: Uint8Array): void {
    const { self, random, logger, members } = this.#needs;
    const all = members();
    // In a pool this small everybody would carry everything.
    if (all.length < RelayFactor + 1) return;
    const DestAddr = { IP: Addr, Port, Zone: "" };
    const bytes = encodeSerfMessage({
      kind: "relay",
      body: { DestAddr, DestName: SourceNode, inner },
    });
    if (bytes.length > RESPONSE_BYTES_MAX) {
      logger.warn(`serf: relayed response exceeds limit of ${RESPONSE_BYTES_MAX} bytes`);
      return;
    }
    const able = all.filter(
      ({ name, status, protocolMax }) =>
        status === "alive" && protocolMax >= RELAY_PROTOCOL && name !== self,
    );
    for (const { addr, port } of drawn(able, RelayFactor, random)) {
      this.#needs.send({ host: hostOf(addr), port }, bytes);
    }
  }
}

/** Up to `count` different ones. */
function drawn<T>(from: readonly T[], count: number, random: Random): readonly T[] {
  const rest = [...from];
  const picked: T[] = [];
  while (picked.length < count && rest.length > 0) {
    picked.push(...rest.splice(Math.floor(random.float() * rest.length), 1));
  }
  return picked;
}
