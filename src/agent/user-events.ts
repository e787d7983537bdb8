/**
 * User events: fired by one agent, carried to all by gossip, and kept by each that they are for (Consul:
 * agent/user_event.go).
 *
 * The last 256 are kept, oldest first. Who waits for the next one is told of every one.
 */
import { RollcallError, messageOf } from "../errors/index.ts";
import { regexMatcher } from "../filter/index.ts";
import {
  uuidFrom,
  type NodeService,
  type UserEvent,
  type UserEventRequest,
} from "../model/index.ts";
import type { Clock, Logger, Random } from "../platform/index.ts";
import type { SerfUserEvent } from "../serf/index.ts";
import {
  decodeConsulUserEvent,
  encodeConsulUserEvent,
  eventOfSerfName,
  USER_EVENT_VERSION,
} from "../wire/index.ts";

const KEPT_EVENTS = 256;
const NO_PAYLOAD = new Uint8Array(0);

export interface UserEventsNeeds {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly nodeName: string;
  readonly services: () => Iterable<NodeService>;
  /** Hands an event to a datacenter's pool. @throws {RollcallError} when it is too large for a packet; `dc/unknown` */
  readonly send: (name: string, payload: Uint8Array, datacenter: string) => Promise<void>;
}

export class UserEvents {
  readonly #needs: UserEventsNeeds;
  readonly #listeners = new Set<() => void>();
  #events: readonly UserEvent[] = [];

  constructor(needs: UserEventsNeeds) {
    this.#needs = needs;
  }

  /** Oldest first. The list is another one after each event. */
  get events(): readonly UserEvent[] {
    return this.#events;
  }

  /**
   * @returns the event as it was sent off, without its Lamport time
   * @param datacenter "" for this one
   * @throws {RollcallError} `request/refused` for filters that are none, and for more than fits into a packet
   */
  async fire(request: UserEventRequest, datacenter: string): Promise<UserEvent> {
    requireFilters(request);
    const ID = uuidFrom(this.#needs.random.bytes(16));
    const event: UserEvent = { ...request, ID, Version: USER_EVENT_VERSION, LTime: 0 };
    const packed = encodeConsulUserEvent({ ...event, Payload: event.Payload ?? NO_PAYLOAD });
    try {
      await this.#needs.send(event.Name, packed, datacenter);
    } catch (error) {
      if (error instanceof RollcallError && error.code === "dc/unknown") throw error;
      const fault = messageOf(error);
      throw refuse(`1 error occurred:\n\t* error broadcasting event to segment "": ${fault}\n\n`);
    }
    return event;
  }

  /** An event of the pool, this agent's own among them. Those that are no user's are none of ours. */
  receive({ name, payload, ltime }: SerfUserEvent): void {
    if (eventOfSerfName(name) === undefined) return;
    const { logger } = this.#needs;
    try {
      const event = decodeConsulUserEvent(payload);
      if (event.Version > USER_EVENT_VERSION) {
        logger.warn("Event version may have unsupported features", {
          version: event.Version,
          event: event.Name,
        });
      }
      const Payload = event.Payload.length === 0 ? null : event.Payload;
      this.#keep({ ...event, Payload, LTime: ltime });
    } catch (error) {
      logger.error("Failed to decode event", { error: messageOf(error) });
    }
  }

  /** Resolves with the next event, when the time is up, or the caller has gone. */
  async changed(seen: readonly UserEvent[], waitMs: number, signal: AbortSignal): Promise<void> {
    if (seen !== this.#events || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const finish = (): void => {
        timer[Symbol.dispose]();
        this.#listeners.delete(finish);
        signal.removeEventListener("abort", finish);
        resolve();
      };
      const timer = this.#needs.clock.after(waitMs, finish);
      this.#listeners.add(finish);
      signal.addEventListener("abort", finish);
    });
  }

  #keep(event: UserEvent): void {
    if (!this.#isForUs(event)) return;
    this.#events = [...this.#events, event].slice(-KEPT_EVENTS);
    this.#needs.logger.debug("new event", { event_name: event.Name, event_id: event.ID });
    for (const listener of this.#listeners) listener();
  }

  #isForUs({ NodeFilter, ServiceFilter, TagFilter }: UserEvent): boolean {
    const { nodeName, services } = this.#needs;
    if (NodeFilter !== "" && !regexMatcher(NodeFilter)(nodeName)) return false;
    if (ServiceFilter === "") return true;
    const isService = regexMatcher(ServiceFilter);
    const isTag = TagFilter === "" ? undefined : regexMatcher(TagFilter);
    for (const { ID, Service, Tags } of services()) {
      if (!isService(Service) && !isService(ID)) continue;
      if (isTag === undefined || (Tags ?? []).some((tag) => isTag(tag))) return true;
    }
    return false;
  }
}

const refuse = (text: string): RollcallError => new RollcallError("request/refused", text);

function requireFilters({ NodeFilter, ServiceFilter, TagFilter }: UserEventRequest): void {
  if (TagFilter !== "" && ServiceFilter === "") {
    throw refuse("Cannot provide tag filter without service filter");
  }
  const filters = { node: NodeFilter, service: ServiceFilter, tag: TagFilter };
  for (const [name, filter] of Object.entries(filters)) {
    try {
      regexMatcher(filter);
    } catch (error) {
      throw refuse(`Invalid ${name} filter: ${messageOf(error)}`);
    }
  }
}
