/** Puts the parts of a node together. Owns no part's logic. */
import type { Gossip } from "../gossip/index.ts";
import { noMeter } from "../platform/index.ts";
import type { Tags } from "../wire/index.ts";
import { Answers } from "./answers.ts";
import { Broadcasts } from "./broadcasts.ts";
import { coalescing } from "./coalescing.ts";
import { Coordinates } from "./coordinates.ts";
import { EventListeners } from "./event-listeners.ts";
import { answerInternal, isInternal } from "./internal-queries.ts";
import { RESPONSE_BYTES_MAX } from "./incoming-query.ts";
import { KeyRequests } from "./key-requests.ts";
import { KeyringFile } from "./keyring-file.ts";
import { LamportClock } from "./lamport-clock.ts";
import { MemberTable } from "./member-table.ts";
import { Membership } from "./membership.ts";
import { NameConflicts } from "./name-conflict.ts";
import type { SerfOptions, SerfSettings } from "./options.ts";
import type { Clocks } from "./push-pull.ts";
import { Queries } from "./queries.ts";
import { dialAddress } from "./rejoining.ts";
import type { MemberChange, SerfEvent } from "./serf-event.ts";
import type { Snapshot } from "./snapshot.ts";
import { UserEvents } from "./user-events.ts";

/** What changes of this node while it runs. */
export interface SelfState {
  tags: Tags;
  /** Undefined until it has started; what comes before that is not answered. */
  gossip: Gossip | undefined;
  /** Joins under way that want no events from before. */
  joinsIgnoringOld: number;
}

export interface Parts extends Disposable {
  readonly clocks: Clocks;
  readonly listeners: EventListeners;
  readonly broadcasts: Broadcasts;
  readonly membership: Membership;
  readonly userEvents: UserEvents;
  readonly queries: Queries;
  readonly answers: Answers;
  readonly keys: KeyRequests;
  readonly nameConflicts: NameConflicts;
  readonly coordinates: Coordinates | undefined;
}

export interface Assembled {
  readonly self: SelfState;
  readonly clocks: Clocks;
  readonly snapshot: Snapshot | undefined;
}

export function assemble(
  options: SerfOptions & SerfSettings,
  { self, clocks, snapshot }: Assembled,
): Parts {
  const { platform, logger, name, profile, metrics = noMeter } = options;
  const { clock } = platform;
  const random = platform.random.fork("serf");
  const table = new MemberTable(name);
  const shared = { self: name, clock, random, logger, metrics };

  const listeners = new EventListeners(logger);
  if (options.listener !== undefined) listeners.subscribe(options.listener);
  const tellAtOnce = (event: SerfEvent): void => listeners.tell(event);
  const gathering =
    options.coalesce === undefined ? undefined : coalescing(clock, options.coalesce, tellAtOnce);
  const tell = gathering === undefined ? tellAtOnce : (event: SerfEvent) => gathering.tell(event);

  const broadcasts = new Broadcasts({
    ...options,
    retransmitMult: profile.retransmitMult,
    packetBytesMax: profile.packetBytesMax,
    memberCount: () => table.size,
    metrics,
  });
  const coordinates = options.disableCoordinates ? undefined : new Coordinates(shared);
  const answers = new Answers({
    ...shared,
    members: () => table.list(),
    send: (to, bytes) => self.gossip?.sendUser(to, bytes),
  });
  const membership = new Membership({
    ...shared,
    table,
    time: clocks.members,
    broadcasts,
    leavePropagateDelayMs: options.leavePropagateDelayMs,
    reconnectTimeoutMs: options.reconnectTimeoutMs,
    tombstoneTimeoutMs: options.tombstoneTimeoutMs,
    onChange: ({ kind, member }: MemberChange) => {
      if (kind === "join") snapshot?.alive(member.name, dialAddress(member));
      if (kind === "leave" || kind === "failed") snapshot?.notAlive(member.name);
      if (kind === "reap") coordinates?.forget(member.name);
      tell({ kind, members: [member] });
    },
  });
  const userEvents = new UserEvents({
    time: clocks.events,
    sizeLimit: options.eventSizeLimit,
    broadcasts,
    logger,
    metrics,
    onEvent: (event) => {
      snapshot?.eventSeen(event.ltime);
      tell(event);
    },
  });
  const { keyring, keyringFile } = options;
  const internal = {
    self: name,
    memberNamed: (wanted: string) => table.get(wanted),
    keyring,
    file: keyringFile === undefined ? undefined : new KeyringFile(platform.disk, keyringFile),
    responseBytesMax: RESPONSE_BYTES_MAX,
    logger,
  };
  const queries = new Queries({
    ...shared,
    tags: () => self.tags,
    address: () => self.gossip?.local ?? { addr: new Uint8Array(4), port: 0 },
    aliveCount: () => self.gossip?.aliveCount ?? 1,
    gossipIntervalMs: profile.gossipIntervalMs,
    time: clocks.queries,
    broadcasts,
    answers,
    compilePattern: options.compilePattern,
    onSeen: (time) => snapshot?.querySeen(time),
    onQuery: (query) => {
      if (isInternal(query.name)) void answerInternal(query, internal);
      else tell({ kind: "query", query });
    },
  });
  return {
    clocks,
    listeners,
    broadcasts,
    membership,
    userEvents,
    queries,
    answers,
    keys: new KeyRequests(queries, logger),
    nameConflicts: new NameConflicts({
      name,
      resolution: options.resolveNameConflicts ? "vote" : "none",
      queries,
      logger,
    }),
    coordinates,
    [Symbol.dispose]: () => {
      gathering?.[Symbol.dispose]();
      queries[Symbol.dispose]();
      membership[Symbol.dispose]();
    },
  };
}

export function newClocks(): Clocks {
  return {
    members: new LamportClock(),
    events: new LamportClock(),
    queries: new LamportClock(),
  };
}
