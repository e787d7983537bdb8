/**
 * Somebody else bears our name: the pool votes by whom it knows under it, and whoever has no majority goes
 * (serf.md §6).
 */
import { messageOf } from "../errors/index.ts";
import { hostOf, type GossipMember } from "../gossip/index.ts";
import type { Logger } from "../platform/index.ts";
import { decodeSerfMessage, type Member } from "../wire/index.ts";
import { INTERNAL_QUERIES } from "./internal-queries.ts";
import type { Queries } from "./queries.ts";

export interface NameConflictsNeeds {
  /** Ours. */
  readonly name: string;
  readonly resolution: "vote" | "none";
  readonly queries: Queries;
  readonly logger: Logger;
}

type Claim = Pick<GossipMember, "name" | "addr" | "port">;

export class NameConflicts {
  /** Resolves when the pool has decided that our name is the other's; else never. */
  readonly lost: Promise<void>;
  readonly #needs: NameConflictsNeeds;
  #lose: () => void = () => {};
  /** A claim is heard again and again; one vote at a time is enough. */
  #voting = false;

  constructor(needs: NameConflictsNeeds) {
    this.#needs = needs;
    this.lost = new Promise((resolve) => (this.#lose = resolve));
  }

  /** @param existing ours, if the name is ours */
  onClaim(existing: Claim, other: Claim): void {
    const { name, resolution, logger } = this.#needs;
    const both = `${hostOf(existing.addr)}:${existing.port} and ${hostOf(other.addr)}:${other.port}`;
    if (existing.name !== name) {
      logger.warn(`serf: Name conflict for '${existing.name}' both ${both} are claiming`);
      return;
    }
    if (this.#voting) return;
    const rival = `${hostOf(other.addr)}:${other.port}`;
    const how = `(Resolution enabled: ${resolution === "vote"})`;
    logger.error(
      `serf: Node name conflicts with another node at ${rival}. Names must be unique! ${how}`,
    );
    if (resolution === "vote") void this.#resolve(existing);
  }

  async #resolve(ours: Claim): Promise<void> {
    this.#voting = true;
    try {
      if ((await this.#vote(ours)) === "lost") this.#lose();
    } catch (error) {
      this.#needs.logger.error(`serf: Failed to start name resolution query: ${messageOf(error)}`);
    }
    this.#voting = false;
  }

  /** "lost" also when nobody answers: then it is not us whom the others know. */
  async #vote({ name, addr, port }: Claim): Promise<"won" | "lost"> {
    const { queries, logger } = this.#needs;
    let responses = 0;
    let matching = 0;
    for await (const answer of queries.ask(INTERNAL_QUERIES.conflict, Buffer.from(name))) {
      if (answer.kind === "ack") continue;
      const known = memberOf(answer.payload);
      if (known === "unreadable") {
        logger.error(`serf: Invalid conflict query response from ${answer.from}`);
        continue;
      }
      responses += 1;
      if (known?.Port === port && hostOf(known.Addr) === hostOf(addr)) matching += 1;
    }
    const tally = `[${matching} / ${responses}]`;
    if (matching >= Math.floor(responses / 2) + 1) {
      logger.info(`serf: majority in name conflict resolution ${tally}`);
      return "won";
    }
    logger.warn(`serf: minority in name conflict resolution, quitting ${tally}`);
    return "lost";
  }
}

function memberOf(payload: Uint8Array): Member | null | "unreadable" {
  try {
    const message = decodeSerfMessage(payload);
    return message.kind === "conflictResponse" ? message.body : "unreadable";
  } catch {
    return "unreadable";
  }
}
