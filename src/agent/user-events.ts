/**
 * User events: fired by one agent, kept by each that they are for. Without gossip an agent hears only its own.
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
import { unpackedSizeBytes, USER_EVENT_MAX_BYTES, userEventSizeBytes } from "./user-event-size.ts";

const KEPT_EVENTS = 256;
const EVENT_VERSION = 1;
/** Serf's clock as it stands when an agent has started. */
const FIRST_LTIME = 2;

export interface UserEventsNeeds {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly nodeName: string;
  readonly services: () => Iterable<NodeService>;
}

export class UserEvents {
  readonly #needs: UserEventsNeeds;
  readonly #listeners = new Set<() => void>();
  #events: readonly UserEvent[] = [];
  #ltime = FIRST_LTIME;

  constructor(needs: UserEventsNeeds) {
    this.#needs = needs;
  }

  /** Oldest first. The list is another one after each event. */
  get events(): readonly UserEvent[] {
    return this.#events;
  }

  /**
   * @returns the event as it was sent off, without its Lamport time
   * @throws {RollcallError} `request/refused` for filters that are none, and for more than fits into a packet
   */
  fire(request: UserEventRequest): UserEvent {
    requireFilters(request);
    const ID = uuidFrom(this.#needs.random.bytes(16));
    const event: UserEvent = { ...request, ID, Version: EVENT_VERSION, LTime: 0 };
    const sent = { ...event, LTime: this.#ltime };
    requireSize(sent);
    this.#ltime += 1;
    this.#receive(sent);
    return event;
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

  #receive(event: UserEvent): void {
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

function requireSize(event: UserEvent): void {
  const limit = `exceeds configured limit of ${USER_EVENT_MAX_BYTES} bytes`;
  const fault =
    unpackedSizeBytes(event) > USER_EVENT_MAX_BYTES
      ? `user event ${limit} before encoding`
      : userEventSizeBytes(event) > USER_EVENT_MAX_BYTES
        ? `encoded user event ${limit} after encoding`
        : undefined;
  if (fault === undefined) return;
  throw refuse(`1 error occurred:\n\t* error broadcasting event to segment "": ${fault}\n\n`);
}
