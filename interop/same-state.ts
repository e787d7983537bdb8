/** Whether servers of one cluster hold the same state: all records of their snapshots, and what they answer of them. */
import { createHash } from "node:crypto";
import { expect } from "vitest";
import { readArchive } from "../src/snapshot/index.ts";
import { decodeSnapshot, type SnapshotContent } from "../src/store/index.ts";
import { eventually, http } from "./testkit.ts";

/** Tables by name, rows by key; chunks that are still to be put together; and the index that all stands at. */
export type Records = Readonly<Record<string, unknown>>;

export async function snapshotOf(address: string): Promise<SnapshotContent> {
  const response = await fetch(`http://${address}:8500/v1/snapshot?stale`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (response.status !== 200) throw new Error(Buffer.from(bytes).toString());
  const parts: Uint8Array[] = [];
  const write = async (part: Uint8Array): Promise<void> => void parts.push(Uint8Array.from(part));
  await readArchive([bytes], { write });
  return decodeSnapshot(parts);
}

function recordsOf({ tables, lastIndex, chunks }: SnapshotContent): Records {
  const { kept, indexes, ...nouns } = tables;
  const rows = Object.entries({ ...nouns, ...kept }).map(([name, table]) => [
    name,
    Object.fromEntries([...table.rows.entries()].map(([key, record]) => [key, readable(record)])),
  ]);
  return {
    lastIndex,
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
 * Resolves with the records that all of these servers hold; a cluster at work is never quite at rest, so that they are
 * compared where all stand at the same index.
 */
export async function sameRecords(addresses: readonly string[]): Promise<Records> {
  const states = await eventually(
    `${addresses.join(", ")} stand at one index`,
    async () => (await Promise.all(addresses.map(snapshotOf))).map(recordsOf),
    (all) => all.every(({ lastIndex }) => lastIndex === all[0]?.["lastIndex"]),
  );
  const [first, ...others] = states;
  for (const [i, other] of others.entries()) {
    expect(other, `${addresses[i + 1]} beside ${addresses[0]}`).toEqual(first);
  }
  return first as Records;
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

interface Answered {
  readonly status: number;
  readonly index: unknown;
  readonly body: unknown;
}

async function readAll(address: string): Promise<Record<string, Answered>> {
  const answers: Record<string, Answered> = {};
  for (const path of READS) {
    const separator = path.includes("?") ? "&" : "?";
    const { status, headers, body } = await http(address, `/v1/${path}${separator}stale`);
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

/** Resolves once all answer alike; they may differ for a moment, while something is being written. */
export async function sameAnswers(addresses: readonly string[]): Promise<void> {
  let [first, ...others]: Record<string, Answered>[] = [];
  const ask = async (): Promise<boolean> => {
    [first, ...others] = await Promise.all(addresses.map(readAll));
    return others.every((other) => JSON.stringify(other) === JSON.stringify(first));
  };
  await eventually("all answer alike", ask, (isSame) => isSame, 5000).catch(() => {});
  for (const [i, other] of others.entries()) {
    expect(other, `${addresses[i + 1]} beside ${addresses[0]}`).toEqual(first);
  }
}
