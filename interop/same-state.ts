/** Whether servers of one cluster hold the same state: all records of their snapshots, and what they answer of them. */
import { createHash } from "node:crypto";
import { expect } from "vitest";
import { readArchive } from "../src/snapshot/index.ts";
import { decodeSnapshot, type SnapshotContent } from "../src/store/index.ts";
import { eventually, http } from "./testkit.ts";

/**
 * Tables by name, rows by key; and chunks that are still to be put together. Not the index in the header of the snapshot,
 * which nobody reads: Consul takes it from some rows of the index table, ours is that of the last command.
 */
export type Records = Readonly<Record<string, unknown>>;

/** Of the server's own state, or the leader's. */
export async function snapshotOf(
  address: string,
  consistency: "default" | "stale",
): Promise<SnapshotContent> {
  const query = consistency === "stale" ? "?stale" : "";
  const response = await fetch(`http://${address}:8500/v1/snapshot${query}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (response.status !== 200) throw new Error(Buffer.from(bytes).toString());
  const parts: Uint8Array[] = [];
  const write = async (part: Uint8Array): Promise<void> => void parts.push(Uint8Array.from(part));
  await readArchive([bytes], { write });
  return decodeSnapshot(parts);
}

function recordsOf({ tables, chunks }: SnapshotContent): Records {
  const { kept, indexes, ...nouns } = tables;
  const rows = Object.entries({ ...nouns, ...kept }).map(([name, table]) => [
    name,
    Object.fromEntries([...table.rows.entries()].map(([key, record]) => [key, readable(record)])),
  ]);
  return {
    indexes: Object.fromEntries(indexes.entries()),
    chunks: readable(Object.fromEntries(chunks)),
    ...Object.fromEntries(rows),
  };
}

/** Bytes as text: long ones are compared by their sums, since a test would take minutes to compare them one by one. */
function readable(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    const isLong = value.length > 256;
    return isLong
      ? createHash("sha256").update(value).digest("hex")
      : Buffer.from(value).toString();
  }
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, readable(part)]));
}

/**
 * Resolves with the records that all of these servers hold. They are never quite at rest, so that they may differ for a
 * moment.
 */
export async function sameRecords(addresses: readonly string[]): Promise<Records> {
  return sameOfAll(addresses, async (address) => recordsOf(await snapshotOf(address, "stale")));
}

async function sameOfAll<T>(
  addresses: readonly string[],
  ask: (address: string) => Promise<T>,
): Promise<T> {
  let states: readonly T[] = [];
  const areSame = async (): Promise<boolean> => {
    states = await Promise.all(addresses.map(ask));
    return new Set(states.map((state) => comparable(state))).size === 1;
  };
  await eventually("all are the same", areSame, (isSame) => isSame, 10_000).catch(() => {});
  const [first, ...others] = states as readonly Parts[];
  const differences = others.map((other, i) => [addresses[i + 1], differencesOf(first, other)]);
  expect(differences, `beside ${addresses[0]}`).toEqual(
    others.map((_, i) => [addresses[i + 1], []]),
  );
  return first as T;
}

type Parts = Readonly<Record<string, unknown>>;

/** The parts that differ: what only one has, and then what only the other has. Whole states are too long to read. */
function differencesOf(one: Parts = {}, other: Parts = {}): unknown[] {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].flatMap((part) => {
    const [left, right] = [linesOf(one[part]), linesOf(other[part])];
    if (left.join() === right.join()) return [];
    const only = (lines: readonly string[], others: readonly string[]): readonly string[] => {
      const known = new Set(others);
      return lines.filter((line) => !known.has(line)).slice(0, LINES_MAX);
    };
    return [[part, { only: only(left, right), other: only(right, left) }]];
  });
}
const LINES_MAX = 5;

/** A list or table line by line, with its length. */
function linesOf(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [comparable(value)];
  const { body, ...rest } = value as { readonly body?: unknown };
  if (body !== undefined) return [comparable(rest), ...linesOf(body)];
  const entries = Array.isArray(value) ? value.map((item) => ["", item]) : Object.entries(value);
  const lines = entries.map(([name, item]) => `${name} ${comparable(item)}`);
  return [`${lines.length} of`, ...lines];
}

/** Maps have no order: a real server writes them in another one each time. */
function comparable(state: unknown): string {
  const told = JSON.stringify(state, (_, value: unknown) => {
    if (typeof value === "bigint") return `${value}n`;
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  }) as string | undefined;
  return told ?? "nothing";
}

/** Reads of every table; each is answered from the server's own state. */
const READS = [
  "catalog/nodes",
  "catalog/services",
  "catalog/service/consul",
  "catalog/service/db",
  "catalog/service/db?tag=primary",
  "catalog/service/none",
  "coordinate/nodes",
  "health/service/consul",
  "health/service/db",
  "health/service/db?passing",
  "health/checks/db",
  "health/state/any",
  "health/state/critical",
  "internal/ui/nodes",
  "internal/ui/services",
  "kv/?keys",
  "kv/?keys&separator=/",
  "kv/?recurse",
  "kv/every/none",
  "kv/every/?recurse",
  "operator/autopilot/configuration",
  "query",
  "session/list",
] as const;

const asStale = (path: string): string => `${path}${path.includes("?") ? "&" : "?"}stale`;

interface Answered {
  readonly status: number;
  readonly index: unknown;
  readonly body: unknown;
}

async function readAll(address: string): Promise<Record<string, Answered>> {
  const answers: Record<string, Answered> = {};
  for (const path of READS.flatMap((read) => [read, asStale(read)])) {
    const { status, headers, body } = await http(address, `/v1/${path}`);
    answers[path] = {
      status,
      index: headers["x-consul-index"],
      body: body === "" ? "" : read(body),
    };
  }
  return answers;
}

function read(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

/** Resolves once all answer alike, from their own state or the leader's. */
export async function sameAnswers(addresses: readonly string[]): Promise<void> {
  await sameOfAll(addresses, readAll);
}
