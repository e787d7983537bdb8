/** Finds the others again: after a restart by the snapshot, and now and then somebody who has failed (serf.md §6). */
import { messageOf } from "../errors/index.ts";
import { hostOf, type Gossip } from "../gossip/index.ts";
import type { Logger, Random } from "../platform/index.ts";
import type { MemberTable } from "./member-table.ts";
import type { Recovered } from "./snapshot.ts";

export interface RejoiningNeeds {
  readonly self: string;
  readonly gossip: Gossip;
  readonly random: Random;
  readonly logger: Logger;
  /** Ends all attempts. */
  readonly signal: AbortSignal;
}

/** Tries those that were there last, in random order, until one is. It says nothing of its joining: nobody asked. */
export async function rejoin(members: Recovered["members"], needs: RejoiningNeeds): Promise<void> {
  const { self, gossip, random, logger, signal } = needs;
  const others = members.filter(({ name }) => name !== self);
  while (others.length > 0 && !signal.aborted) {
    const [drawn] = others.splice(Math.floor(random.float() * others.length), 1);
    if (drawn === undefined) break;
    logger.info(
      `serf: Attempting re-join to previously known node: ${drawn.name}: ${drawn.address}`,
    );
    try {
      await gossip.join([`${drawn.name}/${drawn.address}`], { signal });
      logger.info(`serf: Re-joined to previously known node: ${drawn.name}: ${drawn.address}`);
      return;
    } catch (error) {
      logger.debug(`serf: Failed to re-join ${drawn.name}: ${messageOf(error)}`);
    }
  }
  if (!signal.aborted) logger.warn("serf: Failed to re-join any previously known node");
}

/** Tries one failed member; the fewer have failed in proportion, the more seldom, as others try too. */
export async function reconnect(table: MemberTable, needs: RejoiningNeeds): Promise<void> {
  const { gossip, random, logger, signal } = needs;
  const failed = table.named("failed");
  const present = Math.max(1, table.size - failed.length - table.named("left").length);
  if (failed.length === 0 || random.float() > failed.length / present) return;
  const member = failed[Math.floor(random.float() * failed.length)];
  if (member === undefined) return;
  const address = dialAddress(member);
  logger.info(`serf: attempting reconnect to ${member.name} ${address}`);
  try {
    await gossip.join([`${member.name}/${address}`], { signal });
  } catch (error) {
    logger.debug(`serf: reconnect to ${member.name} failed: ${messageOf(error)}`);
  }
}

/** `10.0.0.1:7946`, `[::1]:7946` */
export function dialAddress({
  addr,
  port,
}: {
  readonly addr: Uint8Array;
  readonly port: number;
}): string {
  const host = hostOf(addr);
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
