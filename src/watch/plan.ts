/**
 * What can be watched: for each type, the parameters that it takes, what it asks the agent, and how the answer
 * becomes the JSON that a handler gets. Pure; `follow.ts` does the asking (Consul docs: "Watches").
 */
import { jsonDecoder, jsonEncoder, list, map, text, type TSchema } from "../model/index.ts";
import { RollcallError } from "../errors/index.ts";
import { KeyValue, ServiceEntry, UserEvent, WatchedCheck, WatchedNode } from "./shapes.ts";

export type WatchParameter =
  | "key"
  | "prefix"
  | "service"
  | "tag"
  | "passingonly"
  | "state"
  | "name";

/** Parameters that were given; `tag` may have several values. */
export type WatchParameters = ReadonlyMap<WatchParameter, readonly string[]>;

/** Not escaped. */
type Query = readonly (readonly [key: string, value: string])[];

export interface WatchPlan {
  readonly path: string;
  readonly query: Query;
  /** What the handler gets, as compact JSON. `body` undefined: 404. */
  read(body: string | undefined, since: bigint): string;
}

interface WatchType {
  readonly takes: readonly WatchParameter[];
  /** Must be given. */
  readonly needs?: WatchParameter;
  plan(one: (name: WatchParameter) => string, all: WatchParameters): WatchPlan;
}

const TYPES: Readonly<Record<string, WatchType>> = {
  key: {
    takes: ["key"],
    needs: "key",
    plan(one) {
      const read = reader(list(KeyValue));
      return {
        path: `/v1/kv/${one("key")}`,
        query: [],
        // The list of one that the agent answers with, without its brackets.
        read: (body) => (body === undefined ? "null" : read(body).slice(1, -1) || "null"),
      };
    },
  },
  keyprefix: {
    takes: ["prefix"],
    needs: "prefix",
    plan: (one) => asked(`/v1/kv/${one("prefix")}`, list(KeyValue), [["recurse", ""]]),
  },
  services: {
    takes: [],
    plan: () => asked("/v1/catalog/services", map(list(text()))),
  },
  nodes: {
    takes: [],
    plan: () => asked("/v1/catalog/nodes", list(WatchedNode)),
  },
  service: {
    takes: ["service", "tag", "passingonly"],
    needs: "service",
    plan: (one, all) =>
      asked(`/v1/health/service/${one("service")}`, list(ServiceEntry), [
        ...(one("passingonly") === "true" ? ([["passing", "1"]] as const) : []),
        ...(all.get("tag") ?? []).map((tag) => ["tag", tag] as const),
      ]),
  },
  checks: {
    takes: ["service", "state"],
    plan(one, all) {
      if (all.has("service") && all.has("state")) {
        throw refuse("Cannot specify service and state");
      }
      return asked(
        all.has("service")
          ? `/v1/health/checks/${one("service")}`
          : `/v1/health/state/${one("state") || "any"}`,
        list(WatchedCheck),
      );
    },
  },
  event: {
    takes: ["name"],
    plan(one) {
      const decode = jsonDecoder(list(UserEvent), { unknown: "ignore" });
      const encode = jsonEncoder(list(UserEvent));
      return {
        path: "/v1/event/list",
        query: one("name") === "" ? [] : [["name", one("name")]],
        read(body, since) {
          const events = decode(body ?? "null") ?? [];
          const seen = events.findIndex(({ ID }) => eventIndex(ID) === since);
          return encode(since === 0n ? events : events.slice(seen + 1));
        },
      };
    },
  },
};

/** @throws {RollcallError} `config/invalid`, in Consul's words */
export function planWatch(type: string, given: WatchParameters): WatchPlan {
  const row = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
  if (row === undefined) throw refuse(`Unsupported watch type: ${type}`);
  const { needs, takes } = row;
  if (needs !== undefined && !given.has(needs)) {
    throw refuse(`Must specify a single ${needs} to watch`);
  }
  const plan = row.plan((name) => given.get(name)?.[0] ?? "", given);
  const strange = [...given.keys()].filter((name) => !takes.includes(name));
  if (strange.length > 0) throw refuse(`Invalid parameters: [${strange.join(" ")}]`);
  return plan;
}

const refuse = (text: string): RollcallError => new RollcallError("config/invalid", text);

function reader(schema: TSchema): (body: string) => string {
  const decode = jsonDecoder(schema, { unknown: "ignore" });
  const encode = jsonEncoder(schema);
  return (body) => encode(decode(body));
}

function asked(path: string, schema: TSchema, query: Query = []): WatchPlan {
  const read = reader(schema);
  return { path, query, read: (body) => (body === undefined ? "null" : read(body)) };
}

/**
 * The index that an agent gives to its list of events after this one: the two halves of its id, each read as a
 * number, in exclusive or.
 */
export function eventIndex(id: string): bigint {
  const digits = id.replaceAll("-", "");
  if (!/^[0-9a-f]{32}$/i.test(digits)) return 0n;
  return BigInt(`0x${digits.slice(0, 16)}`) ^ BigInt(`0x${digits.slice(16)}`);
}
