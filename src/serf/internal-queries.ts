/** Queries that Serf asks itself, and that the layer above never sees (serf.md §8). */
import { messageOf } from "../errors/index.ts";
import type { Logger } from "../platform/index.ts";
import { encodeSerfMessage } from "../wire/index.ts";
import type { IncomingQuery } from "./incoming-query.ts";
import { answerKeyChange, answerKeyList, type KeyAnswersNeeds } from "./key-answers.ts";
import { wireMemberOf, type SerfMember } from "./member.ts";

const PREFIX = "_serf_";
export const INTERNAL_QUERIES = {
  /** Its acknowledgement is all that is wanted. */
  ping: "_serf_ping",
  conflict: "_serf_conflict",
  installKey: "_serf_install-key",
  useKey: "_serf_use-key",
  removeKey: "_serf_remove-key",
  listKeys: "_serf_list-keys",
} as const;

export interface InternalQueriesNeeds extends KeyAnswersNeeds {
  readonly self: string;
  readonly memberNamed: (name: string) => SerfMember | undefined;
  readonly logger: Logger;
}

type Answer = (query: IncomingQuery, needs: InternalQueriesNeeds) => void | Promise<void>;

const ANSWERS: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  [INTERNAL_QUERIES.ping, () => {}],
  [INTERNAL_QUERIES.conflict, answerConflict],
  [INTERNAL_QUERIES.installKey, (query, needs) => answerKeyChange(query, "install", needs)],
  [INTERNAL_QUERIES.useKey, (query, needs) => answerKeyChange(query, "use", needs)],
  [INTERNAL_QUERIES.removeKey, (query, needs) => answerKeyChange(query, "remove", needs)],
  [INTERNAL_QUERIES.listKeys, answerKeyList],
]);

export function isInternal(queryName: string): boolean {
  return queryName.startsWith(PREFIX);
}

export async function answerInternal(
  query: IncomingQuery,
  needs: InternalQueriesNeeds,
): Promise<void> {
  const { logger } = needs;
  const answer = ANSWERS.get(query.name);
  if (answer === undefined) {
    logger.warn(`serf: Unhandled internal query '${query.name}'`);
    return;
  }
  try {
    await answer(query, needs);
  } catch (error) {
    logger.error(`serf: Failed to respond to ${query.name}: ${messageOf(error)}`);
  }
}

/** Tells whom we know under the disputed name. Who bears it has no say. */
function answerConflict(
  query: IncomingQuery,
  { self, memberNamed, logger }: InternalQueriesNeeds,
): void {
  const name = Buffer.from(query.payload).toString();
  if (name === self) return;
  logger.debug(`serf: Got conflict resolution query for '${name}'`);
  const member = memberNamed(name);
  const body = member === undefined ? null : wireMemberOf(member);
  query.respond(encodeSerfMessage({ kind: "conflictResponse", body }));
}
