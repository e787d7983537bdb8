import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomCommand } from "../endpoints/random-commands.ts";
import { registration } from "../endpoints/testkit.ts";
import { RollcallError } from "../errors/index.ts";
import type { Command } from "../model/index.ts";
import { MsgpackReader, MsgpackWriter } from "../wire/index.ts";
import { ChunkCollector, readChunkingState, splitCommand, type ChunkingState } from "./chunks.ts";
import { CONFIG_ENTRY_REQUEST } from "./kept-message.ts";
import { fold } from "./keys.ts";
import { decodeCommand, encodeCommand } from "./log-command.ts";
import { readAny, writeAny } from "../wire/msgpack-any.ts";
import { decodeSnapshot } from "./snapshot-decode.ts";
import { encodeSnapshot, SLICE_BYTES, SLICE_RECORDS } from "./snapshot-encode.ts";
import { Store } from "./store.ts";
import type { Tables } from "./tables.ts";
import { plain } from "./testkit.ts";

const testdata = (name: string): Buffer =>
  readFileSync(new URL(`testdata/${name}`, import.meta.url));

interface Backup {
  readonly header: { readonly LastIndex: number };
  readonly records: readonly { readonly type: number; readonly value: unknown }[];
}
const backup = JSON.parse(testdata("snapshot/backup.json").toString()) as Backup;
const stateBin = Uint8Array.from(testdata("snapshot/state.bin"));

function encoded(store: Store, chunks: ChunkingState = new Map()): Buffer {
  const { lastIndex } = store;
  return Buffer.concat([...encodeSnapshot({ tables: store.snapshot(), lastIndex, chunks })]);
}

async function restored(bytes: Uint8Array, sliceBytes = bytes.length): Promise<Store> {
  const store = new Store();
  store.restore(await decodeSnapshot(slicesOf(bytes, sliceBytes)));
  return store;
}

function* slicesOf(bytes: Uint8Array, sliceBytes: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += sliceBytes) yield bytes.slice(at, at + sliceBytes);
}

/** All records of a snapshot, read with no knowledge of what they are. */
function recordsIn(bytes: Uint8Array): Backup {
  const from = new MsgpackReader(bytes);
  const header = plain(readAny(from)) as Backup["header"];
  const records: Backup["records"][number][] = [];
  while (from.leftBytes > 0) {
    const type = from.peek();
    from.offset += 1;
    if (type === 22) records.push({ type, value: plain(CONFIG_ENTRY_REQUEST.read(from)) });
    else if (type === 29)
      records.push({
        type,
        value: {
          ChunkMap: plain(Object.fromEntries(readChunkingState(from) as Map<never, never>)),
        },
      });
    else records.push({ type, value: plain(readAny(from)) });
  }
  return { header, records };
}

/** Tables as lists, in their order. */
function contentOf(tables: Tables): unknown {
  const { indexes, kept, services, ...others } = tables;
  return {
    indexes: [...indexes.entries()],
    // A snapshot spells the node of a service as the node does, in Consul too.
    services: services.rows.values().map((service) => ({ ...service, Node: fold(service.Node) })),
    ...Object.fromEntries(
      Object.entries(others).map(([name, table]) => [name, table.rows.values()]),
    ),
    ...Object.fromEntries(Object.entries(kept).map(([name, table]) => [name, table.rows.values()])),
  };
}

describe("a snapshot of Consul's", () => {
  test("is restored, and says the same when it is taken again, record by record", async () => {
    const store = await restored(stateBin);
    expect(store.lastIndex).toBe(51);
    const again = recordsIn(encoded(store));
    expect(again.header).toEqual(backup.header);
    const recorded = backup.records.map(({ type, value }) => ({ type, value: plain(value) }));
    expect(again.records).toEqual(recorded);
    // Byte for byte, but for the order in which Go happened to walk its maps.
    expect(encoded(store)).toHaveLength(stateBin.length);
  });

  test.each([1, 7, 100, 5000])("comes in slices of %i bytes as well", async (sliceBytes) => {
    const whole = await restored(stateBin);
    const sliced = await restored(stateBin, sliceBytes);
    expect(contentOf(sliced.snapshot())).toEqual(contentOf(whole.snapshot()));
  });

  test("with a record of a kind that is not known is refused, and the state stays as it was", async () => {
    const store = await restored(stateBin);
    const before = contentOf(store.snapshot());
    const bad = Buffer.concat([stateBin, Buffer.from([31, 0x80])]);
    await expect(decodeSnapshot([bad])).rejects.toThrow("Unrecognized msg type 31");
    expect(contentOf(store.snapshot())).toEqual(before);
  });

  test("that ends in the middle of a record is refused", async () => {
    await expect(decodeSnapshot([stateBin.subarray(0, 5000)])).rejects.toThrow(RollcallError);
    await expect(decodeSnapshot([])).rejects.toThrow("empty");
  });
});

test("a restore makes every reading stale and wakes who waits, also where the index goes back", async () => {
  const store = new Store();
  store.apply(100, { type: "Register", body: registration("n1") });
  const reading = store.read(
    "nodes",
    (view) => view.nodes(),
    () => 1,
  );
  let woken = 0;
  reading.addWaiter({ wake: () => (woken += 1) });
  store.restore(await decodeSnapshot([stateBin]));
  expect([woken, reading.isStale, store.lastIndex]).toEqual([1, true, 51]);
  expect(
    store
      .view()
      .nodes()
      .map(({ Node }) => Node),
  ).toEqual(["acl-1", "acl-c", "ext-3"]);
  expect(store.indexes.index("nodes")).toBe(46);
});

test("after a snapshot and a restore the state is the same, and goes on in the same way", async () => {
  const history = fc.array(randomCommand, { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(history, history, async (before, after) => {
      const store = new Store();
      for (const [at, command] of before.entries()) store.apply(at + 1, command);
      const copy = await restored(encoded(store), 500);
      expect(contentOf(copy.snapshot())).toEqual(contentOf(store.snapshot()));
      for (const [at, command] of after.entries()) {
        const index = before.length + at + 1;
        expect(copy.apply(index, command)).toEqual(store.apply(index, command));
      }
      expect(contentOf(copy.snapshot())).toEqual(contentOf(store.snapshot()));
    }),
    { numRuns: 60 },
  );
});

test("slices are bounded by bytes and by records, and later writes do not show in them", () => {
  const store = new Store();
  const put = (index: number, Key: string, size: number): void => {
    store.apply(index, keyCommand(Key, new Uint8Array(size)));
  };
  for (let index = 1; index <= 600; index += 1) put(index, `k${index}`, 10);
  const slices = encodeSnapshot({ tables: store.snapshot(), lastIndex: 600, chunks: new Map() });
  const first = slices.next().value as Uint8Array;
  put(601, "k1", 3 * SLICE_BYTES);
  const rest = [...slices];
  expect(rest).toHaveLength(2);
  const { records } = recordsIn(Buffer.concat([first, ...rest]));
  expect(records).toHaveLength(602);
  expect(recordsIn(first).records).toHaveLength(SLICE_RECORDS);
  const large = [
    ...encodeSnapshot({ tables: store.snapshot(), lastIndex: 601, chunks: new Map() }),
  ];
  const longest = Math.max(...large.map(({ length }) => length));
  expect(longest).toBeLessThan(4 * SLICE_BYTES + 256 * 1024);
});

function keyCommand(Key: string, Value: Uint8Array): Extract<Command, { type: "KVS" }> {
  const DirEnt = {
    LockIndex: 0,
    Key,
    Flags: 0n,
    Value,
    Session: "",
    CreateIndex: 0,
    ModifyIndex: 0,
  };
  return { type: "KVS", body: { Datacenter: "dc1", Op: "set", DirEnt } };
}

describe("commands in pieces", () => {
  const command = keyCommand("big", new Uint8Array(524_280).fill(0x5a));
  const token = "11111111-2222-3333-4444-555555555555";
  const whole = Uint8Array.from(
    encodeCommand({ type: "KVS", body: { ...command.body, Token: token } }),
  );
  const operation = 0xda803b59d8470db6n;

  /** Half a million bytes are too many for a matcher. */
  const expectWhole = (bytes: Uint8Array | undefined): void => {
    expect(Buffer.compare(whole, bytes ?? new Uint8Array())).toBe(0);
  };

  test("are cut as Consul cuts them", () => {
    const recorded = JSON.parse(testdata("fsm/chunked-kv.json").toString()) as readonly {
      ExtensionsHex: string;
      DataLength: number;
      DataFirst64Hex: string;
      DataLast32Hex: string;
    }[];
    const varint = recordedOperation(recorded[0]?.ExtensionsHex ?? "");
    const pieces = splitCommand(whole, varint);
    expect(pieces).toHaveLength(2);
    for (const [at, { data, extensions }] of pieces.entries()) {
      const { ExtensionsHex, DataLength, DataFirst64Hex, DataLast32Hex } = recorded[at] ?? {};
      const hex = Buffer.from(data).toString("hex");
      expect(Buffer.from(extensions ?? []).toString("hex")).toBe(ExtensionsHex);
      expect(data.length).toBe(DataLength);
      expect(hex.slice(0, 128)).toBe(DataFirst64Hex);
      expect(hex.slice(-64)).toBe(DataLast32Hex);
    }
  });

  const pieces = splitCommand(whole, operation).map(({ data, extensions }) => ({
    data,
    extensions: extensions ?? new Uint8Array(),
  }));

  test("are one command with the last of them, in whatever order they come", () => {
    for (const order of [pieces, pieces.toReversed()]) {
      const collector = new ChunkCollector();
      const [first, last] = order.map((piece) => collector.add({ term: 2, ...piece }));
      expect(first).toBeUndefined();
      expect(decodeCommand(last ?? new Uint8Array())?.type).toBe("KVS");
      expect(collector.state.size).toBe(0);
    }
  });

  test("are dropped when the term changes", () => {
    const collector = new ChunkCollector();
    const [first, second] = pieces;
    if (first === undefined || second === undefined) throw new Error("not cut");
    collector.add({ term: 2, ...first });
    expect(collector.add({ term: 3, ...second })).toBeUndefined();
    expectWhole(collector.add({ term: 3, ...first }));
  });

  test("that are not complete are in a snapshot, and complete after it", async () => {
    const collector = new ChunkCollector();
    const [first, second] = pieces;
    if (first === undefined || second === undefined) throw new Error("not cut");
    collector.add({ term: 2, ...second });
    const bytes = encoded(new Store(), collector.state);
    const { chunks } = await decodeSnapshot(slicesOf(bytes, 1000));
    const other = new ChunkCollector();
    other.restore(chunks);
    expectWhole(other.add({ term: 2, ...first }));
  });

  test.each([
    ["of more pieces than stand there", 1, { SequenceNum: 0, NumChunks: 3_000_000 }],
    ["of fewer", 2, { SequenceNum: 0, NumChunks: 1 }],
    ["in another's place", 2, { SequenceNum: 1, NumChunks: 2 }],
  ])("a snapshot with a piece %s is refused", (_, count, place) => {
    const piece = { OpNum: 7n, Term: 2, Data: new Uint8Array(1), ...place };
    const into = new MsgpackWriter();
    into.mapHeader(1);
    into.text("ChunkMap");
    into.mapHeader(1);
    into.wideInteger(7n);
    into.listHeader(count);
    writeAny(into, {
      ...piece,
      SequenceNum: BigInt(place.SequenceNum),
      NumChunks: BigInt(place.NumChunks),
      Term: 2n,
    });
    for (let at = 1; at < count; at += 1) into.nil();
    const read = (): ChunkingState => readChunkingState(new MsgpackReader(into.finish()));
    expect(read).toThrow(/the place of a piece: .* stands at 0 of/);
  });

  test("no bytes of extensions do more than be refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), (extensions) => {
        try {
          new ChunkCollector().add({ term: 1, data: new Uint8Array(1), extensions });
        } catch (error) {
          if (!(error instanceof RollcallError) || error.code !== "wire/malformed") throw error;
        }
      }),
    );
  });
});

function recordedOperation(extensions: string): bigint {
  const bytes = [...Buffer.from(extensions, "hex")].slice(1, 11);
  return bytes.reduce((sum, byte, at) => sum | (BigInt(byte & 0x7f) << BigInt(7 * at)), 0n);
}

const FUZZ_RUNS = Number(process.env["FUZZ_RUNS"] ?? 300);

test("bytes that are no snapshot are refused as malformed, and never anything else", async () => {
  const mutated = fc
    .array(fc.tuple(fc.nat(stateBin.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 })
    .map((changes) => {
      const copy = Uint8Array.from(stateBin);
      for (const [at, value] of changes) copy[at] = value;
      return copy;
    });
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(mutated, fc.uint8Array({ maxLength: 300 })),
      fc.constantFrom(900, 40_000),
      async (bytes, sliceBytes) => {
        try {
          encoded(await restored(bytes, sliceBytes));
        } catch (error) {
          if (!(error instanceof RollcallError) || error.code !== "wire/malformed") throw error;
        }
      },
    ),
    { numRuns: FUZZ_RUNS },
  );
});
