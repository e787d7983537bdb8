/**
 * A state out of the records of a snapshot (wire/fsm.md section 4), as their bytes come: a record may be spread over
 * slices. It is built beside the state that there is, which a snapshot that turns out to be bad leaves as it was.
 *
 * What is done with one slice is done in one go: whoever hands them out decides how much that is, and whether others
 * get a turn in between.
 */
import { RollcallError } from "../errors/index.ts";
import type { Codec, Node, RegisterRequest } from "../model/index.ts";
import { EndsEarly, MsgpackReader } from "../wire/index.ts";
import { tokenOfLegacy } from "./acl-write.ts";
import { readChunkingState } from "./chunks.ts";
import { row } from "./index-rows.ts";
import { KEPT_ROWS, recordOf } from "./kept-filing.ts";
import { CONFIG_ENTRY_REQUEST, KEPT } from "./kept-message.ts";
import { indexOf, type KeptTableName } from "./kept-tables.ts";
import { fold } from "./keys.ts";
import type { SnapshotContent } from "./snapshot-encode.ts";
import * as kinds from "./snapshot-kinds.ts";
import { SNAPSHOT } from "./snapshot-kinds.ts";
import { emptyTables, type Tables } from "./tables.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** @throws {RollcallError} `wire/malformed`, also for records of a kind that it does not know */
export async function decodeSnapshot(
  slices: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<SnapshotContent> {
  const content: Mutable<SnapshotContent> = {
    tables: emptyTables(),
    lastIndex: 0,
    chunks: new Map(),
  };
  let hasHeader = false;
  const records = new RecordStream((from) => {
    if (hasHeader) readRecord(from, content);
    else {
      content.lastIndex = kinds.SNAPSHOT_HEADER.read(from).LastIndex;
      hasHeader = true;
    }
  });
  for await (const slice of slices) records.push(slice);
  records.end();
  if (!hasHeader) throw new RollcallError("wire/malformed", "the snapshot is empty");
  return content;
}

/** Cuts bytes into records, whose lengths are only known once they have been read. */
class RecordStream {
  readonly #read: (from: MsgpackReader) => void;
  #parts: Uint8Array[] = [];
  #partsBytes = 0;
  /** With fewer bytes than this another try would be in vain. */
  #wantedBytes = 1;

  constructor(read: (from: MsgpackReader) => void) {
    this.#read = read;
  }

  push(slice: Uint8Array): void {
    this.#parts.push(slice);
    this.#partsBytes += slice.length;
    if (this.#partsBytes >= this.#wantedBytes) this.#readAll("more may come");
  }

  end(): void {
    if (this.#partsBytes > 0) this.#readAll("that is all");
  }

  #readAll(rest: "more may come" | "that is all"): void {
    const [first] = this.#parts;
    const bytes = this.#parts.length === 1 && first !== undefined ? first : concat(this.#parts);
    let done = 0;
    try {
      while (done < bytes.length) {
        const from = new MsgpackReader(bytes, done);
        this.#read(from);
        done = from.offset;
      }
      this.#wantedBytes = 1;
    } catch (error) {
      if (!(error instanceof EndsEarly) || rest === "that is all") throw error;
      // Twice as much, so that a long record is not begun again with every slice.
      const leftBytes = bytes.length - done;
      this.#wantedBytes = Math.max(error.neededBytes - done, 2 * leftBytes);
    }
    this.#parts = done === bytes.length ? [] : [bytes.subarray(done)];
    this.#partsBytes = bytes.length - done;
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

type ReadRecord = (from: MsgpackReader, content: Mutable<SnapshotContent>) => void;

function readRecord(from: MsgpackReader, content: Mutable<SnapshotContent>): void {
  const kind = from.peek();
  const read = READERS.get(kind);
  if (read === undefined) {
    throw new RollcallError("wire/malformed", `Unrecognized msg type ${kind}`);
  }
  from.offset += 1;
  read(from, content);
}

/** Of records that are a table's own. */
function reader<R extends { readonly ModifyIndex: number }>(
  codec: Codec<R>,
  table: {
    [K in keyof Tables]: Tables[K] extends { put(record: R): unknown } ? K : never;
  }[keyof Tables],
  indexRow: string,
): ReadRecord {
  return (from, { tables }) => {
    const record = codec.read(from);
    (tables[table] as { put(record: R): unknown }).put(record);
    raise(tables, record.ModifyIndex, indexRow);
  };
}

const keptReader =
  (name: KeptTableName): ReadRecord =>
  (from, { tables }) => {
    const record = KEPT.read(from);
    tables.kept[name].put(record);
    raise(tables, indexOf(record, "ModifyIndex"), ...KEPT_ROWS[name]);
  };

const READERS: ReadonlyMap<number, ReadRecord> = new Map<number, ReadRecord>([
  [SNAPSHOT.registration, (from, { tables }) => register(tables, kinds.REGISTRATION.read(from))],
  [
    SNAPSHOT.coordinates,
    (from, { tables }) => {
      for (const coordinate of kinds.COORDINATES.read(from) ?? []) {
        tables.coordinates.put(coordinate);
      }
    },
  ],
  [SNAPSHOT.session, reader(kinds.SESSION, "sessions", row.sessions)],
  [SNAPSHOT.entry, reader(kinds.ENTRY, "kv", row.kvs)],
  [
    SNAPSHOT.tombstone,
    (from, { tables }) => {
      const { Key, ModifyIndex } = kinds.ENTRY.read(from);
      tables.tombstones.put({ Key, Index: ModifyIndex });
      raise(tables, ModifyIndex, row.tombstones);
    },
  ],
  [SNAPSHOT.query, reader(kinds.QUERY, "preparedQueries", row.preparedQueries)],
  [SNAPSHOT.autopilot, reader(kinds.AUTOPILOT, "autopilot", row.autopilot)],
  [
    SNAPSHOT.legacyAcl,
    (from, { tables }) => {
      const token = tokenOfLegacy(KEPT.read(from));
      tables.kept.aclTokens.put(token);
      raise(tables, indexOf(token, "ModifyIndex"), ...KEPT_ROWS.aclTokens);
    },
  ],
  [
    SNAPSHOT.aclBootstrap,
    (from, { tables }) => raise(tables, indexOf(KEPT.read(from), "ModifyIndex"), row.aclBootstrap),
  ],
  [
    SNAPSHOT.configEntry,
    (from, { tables }) => {
      const entry = recordOf(CONFIG_ENTRY_REQUEST.read(from), "Entry");
      tables.kept.configEntries.put(entry);
      raise(tables, indexOf(entry, "ModifyIndex"), ...KEPT_ROWS.configEntries);
    },
  ],
  [
    SNAPSHOT.federationState,
    (from, { tables }) => {
      const state = recordOf(KEPT.read(from), "State");
      tables.kept.federationStates.put(state);
      raise(tables, indexOf(state, "ModifyIndex"), ...KEPT_ROWS.federationStates);
    },
  ],
  [
    SNAPSHOT.index,
    (from, { tables }) => {
      const { Key, Value } = kinds.INDEX_ROW.read(from);
      tables.indexes.set(Key, Value);
    },
  ],
  [
    SNAPSHOT.chunks,
    (from, content) => {
      content.chunks = readChunkingState(from);
    },
  ],
  ...[...kinds.KEPT_BEFORE_KEYS, ...kinds.KEPT_AFTER_AUTOPILOT].map(
    ([name, kind]) => [kind, keptReader(name)] as const,
  ),
]);

/** Until the index table itself comes, a row says what the newest record that it stands for does. */
function raise({ indexes }: Tables, index: number, ...rows: readonly string[]): void {
  for (const name of rows) if (index > (indexes.get(name) ?? 0)) indexes.set(name, index);
}

function register(tables: Tables, request: RegisterRequest): void {
  const node = nodeOf(request);
  if (tables.nodes.get(fold(node.Node)) === undefined) tables.nodes.put(node);
  raise(tables, node.ModifyIndex, row.nodes);
  const { Service, Check, Checks } = request;
  if (Service !== null) {
    tables.services.put({ Node: node.Node, Service });
    const ofService = [row.service(Service.Service), row.serviceKind(Service.Kind)];
    raise(tables, Service.ModifyIndex, row.services, ...ofService);
  }
  for (const check of Check === null ? (Checks ?? []) : [Check, ...(Checks ?? [])]) {
    tables.checks.put(check);
    raise(tables, check.ModifyIndex, row.checks);
  }
}

function nodeOf(request: RegisterRequest): Node {
  const { ID, Node, Address, Datacenter, TaggedAddresses, NodeMeta } = request;
  const { CreateIndex = 0, ModifyIndex = 0 } = request;
  return {
    ID,
    Node,
    Address,
    Datacenter,
    TaggedAddresses,
    Meta: NodeMeta,
    CreateIndex,
    ModifyIndex,
  };
}
