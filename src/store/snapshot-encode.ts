/** The state as a stream of records (wire/fsm.md section 4), in slices that each take little time to make. */
import {
  BLANK_ENTRY,
  type DirEntry,
  type KeptRecord,
  type Node,
  type RegisterRequest,
} from "../model/index.ts";
import { MsgpackWriter } from "../wire/index.ts";
import { writeChunkingState, type ChunkingState } from "./chunks.ts";
import { row } from "./index-rows.ts";
import { CONFIG_ENTRY_REQUEST, KEPT } from "./kept-message.ts";
import { fold, join } from "./keys.ts";
import * as kinds from "./snapshot-kinds.ts";
import { SNAPSHOT } from "./snapshot-kinds.ts";
import type { Tables, TombstoneRecord } from "./tables.ts";

/** A slice ends with the record that reaches one of these. */
export const SLICE_BYTES = 65_536;
export const SLICE_RECORDS = 256;

export interface SnapshotContent {
  /** `Store.snapshot()`. */
  readonly tables: Tables;
  readonly lastIndex: number;
  readonly chunks: ChunkingState;
}

export function* encodeSnapshot(content: SnapshotContent): Generator<Uint8Array> {
  const into = new MsgpackWriter();
  kinds.SNAPSHOT_HEADER.write(into, { LastIndex: content.lastIndex });
  let records = 0;
  for (const write of recordsOf(content)) {
    write(into);
    records += 1;
    if (records < SLICE_RECORDS && into.lengthBytes < SLICE_BYTES) continue;
    yield into.finish();
    into.reset();
    records = 0;
  }
  if (into.lengthBytes > 0) yield into.finish();
}

type WriteRecord = (into: MsgpackWriter) => void;

interface Writes<T> {
  write(into: MsgpackWriter, value: T): void;
}

function record<T>(kind: number, codec: Writes<T>, value: T): WriteRecord {
  return (into) => {
    into.byte(kind);
    codec.write(into, value);
  };
}

function* recordsOf({ tables, chunks }: SnapshotContent): Generator<WriteRecord> {
  yield* registrationsOf(tables);
  for (const [, coordinate] of tables.coordinates.rows.entries()) {
    yield record(SNAPSHOT.coordinates, kinds.COORDINATES, [coordinate]);
  }
  for (const [, session] of tables.sessions.rows.entries()) {
    yield record(SNAPSHOT.session, kinds.SESSION, session);
  }
  for (const [name, kind] of kinds.KEPT_BEFORE_KEYS) {
    for (const [, kept] of tables.kept[name].rows.entries()) yield record(kind, KEPT, kept);
  }
  for (const [, entry] of tables.kv.rows.entries()) {
    yield record(SNAPSHOT.entry, kinds.ENTRY, entry);
  }
  for (const [, tombstone] of tables.tombstones.rows.entries()) {
    yield record(SNAPSHOT.tombstone, kinds.ENTRY, entryOf(tombstone));
  }
  for (const [, query] of tables.preparedQueries.rows.entries()) {
    yield record(SNAPSHOT.query, kinds.QUERY, query);
  }
  for (const [, config] of tables.autopilot.rows.entries()) {
    yield record(SNAPSHOT.autopilot, kinds.AUTOPILOT, config);
  }
  for (const [name, kind] of kinds.KEPT_AFTER_AUTOPILOT) {
    for (const [, kept] of tables.kept[name].rows.entries()) yield record(kind, KEPT, kept);
  }
  for (const [, Entry] of tables.kept.configEntries.rows.entries()) {
    const request: KeptRecord = { Datacenter: "", Entry, Op: "", Token: "" };
    yield record(SNAPSHOT.configEntry, CONFIG_ENTRY_REQUEST, request);
  }
  for (const [, State] of tables.kept.federationStates.rows.entries()) {
    const request: KeptRecord = { Datacenter: "", Op: "upsert", State, Token: "" };
    yield record(SNAPSHOT.federationState, KEPT, request);
  }
  for (const [Key, Value] of tables.indexes.entries()) {
    // Consul has no such row: it follows from the configuration.
    if (Key !== row.autopilot) yield record(SNAPSHOT.index, kinds.INDEX_ROW, { Key, Value });
  }
  yield record(SNAPSHOT.chunks, { write: writeChunkingState }, chunks);
}

/** A node, and then the node again with each of its services, and with each of its checks. */
function* registrationsOf({ nodes, services, checks }: Tables): Generator<WriteRecord> {
  for (const [, node] of nodes.rows.entries()) {
    const alone = registrationOf(node);
    const under = join(fold(node.Node), "");
    yield record(SNAPSHOT.registration, kinds.REGISTRATION, alone);
    for (const [, { Service }] of services.rows.entries(under)) {
      yield record(SNAPSHOT.registration, kinds.REGISTRATION, { ...alone, Service });
    }
    for (const [, Check] of checks.rows.entries(under)) {
      yield record(SNAPSHOT.registration, kinds.REGISTRATION, { ...alone, Check });
    }
  }
}

function registrationOf(node: Node): RegisterRequest {
  const { ID, Node, Address, Datacenter, TaggedAddresses, Meta, CreateIndex, ModifyIndex } = node;
  return {
    Datacenter,
    ID,
    Node,
    Address,
    TaggedAddresses,
    NodeMeta: Meta,
    Service: null,
    Check: null,
    Checks: null,
    SkipNodeUpdate: false,
    CreateIndex,
    ModifyIndex,
  };
}

const entryOf = ({ Key, Index }: TombstoneRecord): DirEntry => ({
  ...BLANK_ENTRY,
  Key,
  ModifyIndex: Index,
});
