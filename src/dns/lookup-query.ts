/**
 * `<name or ID>.query`: the instances that a prepared query finds. It says itself how healthy they have to be, in
 * which order they stand and, if it likes, how long they may be kept.
 */
import { parseDuration, SECOND } from "../model/index.ts";
import type { PreparedQueryResult } from "../rpc/index.ts";
import type { Chase } from "./chase.ts";
import type { Draw } from "./draw.ts";
import type { ServiceQuestion } from "./instance.ts";
import { serviceReply } from "./lookup-service.ts";
import type { Reply } from "./reply.ts";

export async function queryReply(
  result: PreparedQueryResult,
  question: Omit<ServiceQuestion, "service" | "datacenter">,
  chase: Chase,
  draw: Draw,
): Promise<Reply> {
  const { Service: service, Datacenter: datacenter } = result;
  const ttlS = ttlOf(result);
  const asService = { ...question, service, datacenter, ...(ttlS === undefined ? {} : { ttlS }) };
  const { reply } = await serviceReply(result.Nodes, asService, chase, draw);
  return { ...reply, order: "fixed" };
}

/** undefined: as long as the service's other answers. */
function ttlOf({ DNS }: PreparedQueryResult): number | undefined {
  const ttlNs = DNS.TTL === "" ? undefined : parseDuration(DNS.TTL);
  return ttlNs === undefined ? undefined : Math.max(0, Math.floor(ttlNs / SECOND));
}
