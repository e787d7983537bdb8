/** User events: fired by one member, delivered once to each (serf.md §7). */
import { RollcallError } from "../errors/index.ts";
import type { Logger, Meter } from "../platform/index.ts";
import { encodeSerfMessage, type SerfPushPull, type UserEvent } from "../wire/index.ts";
import type { Broadcasts } from "./broadcasts.ts";
import type { LamportClock } from "./lamport-clock.ts";
import { RecentMessages } from "./recent-messages.ts";
import type { SerfUserEvent } from "./serf-event.ts";

/** Name and payload, and the whole message. Consul knows no other. */
export const USER_EVENT_BYTES_MAX = 512;
/** Of the events that are remembered: a few hundred that are large, all that there is room for if they are not. */
const REMEMBERED_BYTES_MAX = 4 * 1024 * 1024;
/** What one costs beside its name and payload. */
const EVENT_BYTES = 200;
/** Whatever is configured: it has to go into one packet. */
const SANE_BYTES_MAX = 9 * 1024;

export interface UserEventsNeeds {
  readonly time: LamportClock;
  readonly sizeLimit: number;
  readonly broadcasts: Broadcasts;
  readonly logger: Logger;
  readonly metrics: Meter;
  readonly onEvent: (event: SerfUserEvent) => void;
}

type Told = Pick<UserEvent, "Name" | "Payload">;
type PushPullEvents = SerfPushPull["Events"];

export class UserEvents {
  readonly #needs: UserEventsNeeds;
  readonly #recent: RecentMessages<Told>;

  constructor(needs: UserEventsNeeds) {
    this.#needs = needs;
    this.#recent = new RecentMessages({
      clock: needs.time,
      isSame,
      weightOf: ({ Name, Payload }) => EVENT_BYTES + Name.length + Payload.length,
      weightMax: REMEMBERED_BYTES_MAX,
    });
  }

  ignoreBefore(time: number): void {
    this.#recent.ignoreBefore(time);
  }

  /** @throws {RollcallError} `request/refused`, in Serf's words, for one that is too large */
  fire(name: string, payload: Uint8Array, { coalesce }: { readonly coalesce: boolean }): void {
    const { time, broadcasts } = this.#needs;
    this.#requireSize(Buffer.byteLength(name) + payload.length, "before");
    const body: UserEvent = {
      LTime: time.time,
      Name: name,
      Payload: payload.slice(),
      CC: coalesce,
    };
    const bytes = encodeSerfMessage({ kind: "userEvent", body });
    this.#requireSize(bytes.length, "after");
    time.tick();
    this.receive(body);
    broadcasts.add("event", bytes);
  }

  /**
   * @returns whether it is new, to be passed on
   * @throws {RollcallError} `wire/malformed`
   */
  receive({ LTime, Name, Payload, CC }: UserEvent): boolean {
    const { logger, metrics, onEvent } = this.#needs;
    const verdict = this.#recent.judge(LTime, { Name, Payload });
    if (verdict === "full") logger.warn(`serf: too many events at time ${LTime}, dropped ${Name}`);
    if (verdict !== "new") return false;
    metrics.count("serf.events");
    onEvent({ kind: "user", ltime: LTime, name: Name, payload: Payload, coalesce: CC });
    return true;
  }

  /** For a push/pull. */
  forPushPull(): PushPullEvents {
    return this.#recent.slots.map((slot) =>
      slot === null ? null : { LTime: slot.LTime, Events: slot.messages },
    );
  }

  /** From a push/pull: what others have already spread, to be delivered here too. */
  merge(slots: PushPullEvents): void {
    for (const slot of slots) {
      for (const { Name, Payload } of slot?.Events ?? []) {
        this.receive({ LTime: slot?.LTime ?? 0, Name, Payload, CC: false });
      }
    }
  }

  #requireSize(sizeBytes: number, when: "before" | "after"): void {
    const what = when === "before" ? "user event" : "encoded user event";
    const { sizeLimit } = this.#needs;
    if (sizeBytes > sizeLimit) {
      throw refused(`${what} exceeds configured limit of ${sizeLimit} bytes ${when} encoding`);
    }
    if (sizeBytes > SANE_BYTES_MAX) {
      throw refused(`${what} exceeds sane limit of ${SANE_BYTES_MAX} bytes ${when} encoding`);
    }
  }
}

/** Whether it may be coalesced is no part of what an event is. */
function isSame(one: Told, other: Told): boolean {
  return one.Name === other.Name && Buffer.compare(one.Payload, other.Payload) === 0;
}

function refused(text: string): RollcallError {
  return new RollcallError("request/refused", text);
}
