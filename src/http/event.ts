/** `/v1/event` (Consul HTTP API, "Events"). */
import { list, parseUint, UserEvent } from "../model/index.ts";
import { jsonBody } from "./body.ts";
import type { Call } from "./call.ts";
import { heldMs } from "./hold-time.ts";
import { bad, blockingOf, DC_PARAMETERS, requiredTail, TOKEN_PARAMETERS } from "./query-options.ts";
import { reply, type Reply } from "./reply.ts";
import { DEFAULT_BODY_LIMIT } from "./request-body.ts";
import { defineRoute } from "./route.ts";

const EVENTS = list(UserEvent);
const eventBody = jsonBody(UserEvent);
const eventsBody = jsonBody(EVENTS);

async function fire(call: Call): Promise<Reply> {
  const { query, needs } = call;
  const Name = requiredTail(call, "Missing name");
  const hasPayload = (call.contentLength ?? 0) > 0;
  const Payload = hasPayload ? await call.readBody(DEFAULT_BODY_LIMIT) : null;
  const request = {
    Name,
    Payload,
    NodeFilter: query.get("node"),
    ServiceFilter: query.get("service"),
    TagFilter: query.get("tag"),
  };
  const event = await needs.agent.fireEvent(request, query.get("dc"));
  return reply(eventBody(event));
}

/** Ids do not rise, so an index is only the same or another: the answer is held while it is the same. */
async function listEvents(call: Call): Promise<Reply> {
  const { agent, platform } = call.needs;
  const { MaxQueryTimeMs } = blockingOf(call);
  const given = call.query.get("index");
  const { value: known = 0n } = given === "" ? {} : parseUint(given);
  const waitMs = heldMs(MaxQueryTimeMs, platform.random);
  const until = platform.clock.now() + waitMs;
  for (;;) {
    const all = agent.events();
    const events = named(all, call.query.get("name"));
    const last = events.at(-1);
    const index = last === undefined ? 1n : indexOfId(last.ID);
    const leftMs = until - platform.clock.now();
    if (index !== known || leftMs <= 0 || call.signal.aborted) {
      return reply(eventsBody(events), ["X-Consul-Index", String(index)]);
    }
    await agent.eventsChanged(all, leftMs, call.signal);
    call.signal.throwIfAborted();
  }
}

const named = (events: readonly UserEvent[], name: string): readonly UserEvent[] =>
  name === "" ? events : events.filter((event) => event.Name === name);

/** The two halves of a UUID, one laid over the other. */
function indexOfId(id: string): bigint {
  const hex = id.replaceAll("-", "");
  if (!/^[0-9a-f]{32}$/i.test(hex)) throw bad("Invalid index");
  return BigInt(`0x${hex.slice(0, 16)}`) ^ BigInt(`0x${hex.slice(16)}`);
}

const TAG = "Events";

export const eventRoutes = [
  defineRoute("/v1/event/fire/:name", TAG, {
    PUT: {
      summary: "Fire an event that every agent it is for receives",
      description: "The event has to fit into 512 bytes, with its name and its filters.",
      query: {
        ...DC_PARAMETERS,
        node: { description: "Regular expression for nodes that it is for", type: "text" },
        service: { description: "Regular expression for services on those nodes", type: "text" },
        tag: { description: "Regular expression for a tag of such a service", type: "text" },
      },
      requestBody: {
        description: "The payload: any bytes",
        contentType: "application/octet-stream",
      },
      answerHeaders: "none",
      answers: {
        200: { description: "The event", schema: UserEvent },
        400: { description: "No name given" },
      },
      handle: fire,
    },
  }),
  defineRoute("/v1/event/list", TAG, {
    GET: {
      summary: "The latest events that this agent received, oldest first",
      description: "At most 256. X-Consul-Index is made of the last one's ID.",
      query: {
        ...TOKEN_PARAMETERS,
        name: { description: "Only events with this name", type: "text" },
        index: { description: "Hold the answer while its index is this", type: "integer" },
        wait: { description: "Longest hold", type: "duration" },
      },
      answerHeaders: "none",
      answers: {
        200: { description: "The events", schema: EVENTS },
        400: { description: "A bad value for index or wait" },
      },
      handle: listEvents,
    },
  }),
];
