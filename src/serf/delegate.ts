/** Serf as memberlist sees it: what rides along, what comes in, and what is to be told. */
import { messageOf, RollcallError } from "../errors/index.ts";
import type { GossipDelegate } from "../gossip/index.ts";
import type { Logger, Meter } from "../platform/index.ts";
import { decodeSerfMessage, encodeSerfMessage, encodeTags, type Tags } from "../wire/index.ts";
import type { Answers } from "./answers.ts";
import type { Broadcasts, QueueName } from "./broadcasts.ts";
import type { Coordinates } from "./coordinates.ts";
import { candidateOf, type Candidate } from "./member.ts";
import type { NameConflicts } from "./name-conflict.ts";
import { localState, mergeState, type OldEvents, type PushPullParts } from "./push-pull.ts";
import type { Queries } from "./queries.ts";

export interface DelegateParts extends PushPullParts {
  readonly tags: () => Tags;
  readonly broadcasts: Broadcasts;
  readonly queries: Queries;
  readonly answers: Answers;
  /** Undefined: this node takes no part in coordinates. */
  readonly coordinates: Coordinates | undefined;
  /** @throws to refuse them */
  readonly checkMerge: ((members: readonly Candidate[]) => void) | undefined;
  readonly oldEvents: () => OldEvents;
  readonly nameConflicts: NameConflicts;
  readonly logger: Logger;
  readonly metrics: Meter;
}

/** Nothing that comes from others makes it throw, but what is refused on purpose. */
export function gossipDelegate(parts: DelegateParts): GossipDelegate {
  const { membership, broadcasts, coordinates, checkMerge, logger, metrics } = parts;
  return {
    meta: () => encodeTags(parts.tags()),
    onUserMessage: (bytes) => {
      metrics.sample("serf.msgs.received", bytes.length);
      try {
        const queue = receive(bytes, parts);
        if (queue !== undefined) broadcasts.add(queue, bytes);
      } catch (error) {
        logger.debug(`serf: Dropped a message: ${messageOf(error)}`);
      }
    },
    broadcasts: (overheadBytes, limitBytes) => broadcasts.take(overheadBytes, limitBytes),
    localState: () => encodeSerfMessage({ kind: "pushPull", body: localState(parts) }),
    mergeRemoteState: (bytes, join) => {
      try {
        const message = decodeSerfMessage(bytes);
        if (message.kind !== "pushPull") throw unexpected(message.kind);
        mergeState(message.body, parts, join ? parts.oldEvents() : "deliver");
      } catch (error) {
        logger.error(`serf: Failed to merge remote state: ${messageOf(error)}`);
      }
    },
    onJoin: (node) => membership.there(node),
    onLeave: ({ name }) => membership.gone(name),
    onUpdate: (node) => membership.updated(node),
    onConflict: (existing, other) => parts.nameConflicts.onClaim(existing, other),
    checkMerge: (nodes) => checkMerge?.(nodes.map((node) => candidateOf(node))),
    checkAlive: (node) => checkMerge?.([candidateOf(node)]),
    ackPayload: () => coordinates?.ackPayload(),
    onPingAnswered: ({ name }, rttMs, payload) => coordinates?.onPingAnswered(name, rttMs, payload),
  };
}

/**
 * @returns the queue in which the message is to be passed on
 * @throws {RollcallError} `wire/malformed`
 */
function receive(bytes: Uint8Array, parts: DelegateParts): QueueName | undefined {
  const { membership, userEvents, queries, answers } = parts;
  const message = decodeSerfMessage(bytes);
  switch (message.kind) {
    case "leave":
      return membership.receiveLeave(message.body) ? "intent" : undefined;
    case "join":
      return membership.receiveJoin(message.body) ? "intent" : undefined;
    case "userEvent":
      return userEvents.receive(message.body) ? "event" : undefined;
    case "query":
      return queries.receive(message.body) ? "query" : undefined;
    case "queryResponse":
      queries.receiveResponse(message.body);
      return undefined;
    case "relay":
      answers.passOn(message.body);
      return undefined;
    case "pushPull":
    case "conflictResponse":
    case "keyRequest":
    case "keyResponse":
      throw unexpected(message.kind);
  }
}

function unexpected(kind: string): RollcallError {
  return new RollcallError("wire/malformed", `unexpected message: ${kind}`);
}
