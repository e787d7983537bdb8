/**
 * What Consul's agents send as serf user events (Consul: agent/user_event.go, agent/consul/server_serf.go).
 *
 * The payload of a user's event is msgpack in the extended dialect, where bytes are bin and longer text is str8:
 * the only place in gossip. A reader takes the old forms too. Its keys are Consul's short ones.
 */
import { codecOf } from "./msgpack-codec.ts";
import { bytes, int64, omitEmpty, struct, text, type ValueOf } from "./msgpack-schema.ts";
import { MsgpackWriter } from "./msgpack-writer.ts";

/** A server that becomes leader; the payload is its node name. */
export const NEW_LEADER_EVENT = "consul:new-leader";
const USER_EVENT_PREFIX = "consul:event:";
/** A reader warns of a higher one. */
export const USER_EVENT_VERSION = 1;

const USER_EVENT = struct({
  /** A UUID, made by the agent that fires it. */
  ID: text,
  n: text,
  p: omitEmpty(bytes),
  nf: omitEmpty(text),
  sf: omitEmpty(text),
  tf: omitEmpty(text),
  v: int64,
});
const CODEC = codecOf(USER_EVENT);
type Short = ValueOf<typeof USER_EVENT>;

export interface ConsulUserEvent {
  readonly ID: string;
  readonly Name: string;
  readonly Payload: Uint8Array;
  /** Regular expressions; empty when there is no such filter. */
  readonly NodeFilter: string;
  readonly ServiceFilter: string;
  readonly TagFilter: string;
  readonly Version: number;
}

/** The name of the serf event that carries a user's event. */
export function serfNameOfEvent(name: string): string {
  return USER_EVENT_PREFIX + name;
}

/** @returns undefined when `serfName` is not that of a user's event */
export function eventOfSerfName(serfName: string): string | undefined {
  return serfName.startsWith(USER_EVENT_PREFIX)
    ? serfName.slice(USER_EVENT_PREFIX.length)
    : undefined;
}

export function encodeConsulUserEvent(event: ConsulUserEvent): Uint8Array {
  const into = new MsgpackWriter({ extended: true });
  CODEC.write(into, {
    ID: event.ID,
    n: event.Name,
    p: event.Payload,
    nf: event.NodeFilter,
    sf: event.ServiceFilter,
    tf: event.TagFilter,
    v: event.Version,
  });
  return into.finish();
}

/** @throws {RollcallError} `wire/malformed` */
export function decodeConsulUserEvent(payload: Uint8Array): ConsulUserEvent {
  const { ID, n, p, nf, sf, tf, v }: Short = CODEC.decode(payload);
  return {
    ID,
    Name: n,
    Payload: p,
    NodeFilter: nf,
    ServiceFilter: sf,
    TagFilter: tf,
    Version: v,
  };
}
