import { readFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RollcallError } from "../errors/index.ts";
import type { SnapshotMetaJson } from "../wire/index.ts";
import { readArchive } from "./archive-read.ts";
import { writeArchive } from "./archive-write.ts";
import { encodeTarHeader } from "./tar-header.ts";

const backup = readFileSync(new URL("testdata/backup.snap", import.meta.url));
const tar = gunzipSync(backup);

async function read(archive: Uint8Array): Promise<{ meta: SnapshotMetaJson; state: Buffer }> {
  const parts: Uint8Array[] = [];
  const write = async (bytes: Uint8Array): Promise<void> => void parts.push(Uint8Array.from(bytes));
  const meta = await readArchive([archive], { write });
  return { meta, state: Buffer.concat(parts) };
}

async function written(meta: SnapshotMetaJson, state: Uint8Array, nowMs = 0): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of writeArchive({ meta, state: [state], nowMs })) parts.push(part);
  return Buffer.concat(parts);
}

const fault = async (archive: Uint8Array): Promise<string> =>
  read(archive).then(
    () => "none",
    (error: Error) => error.message,
  );

test("Consul's archive is read", async () => {
  const { meta, state } = await read(backup);
  expect(meta).toMatchObject({ Version: 1, Index: 51, Term: 2, Size: 17_767 });
  expect(meta.Configuration.Servers).toEqual([
    { Suffrage: 0, ID: "00000011-1111-2222-3333-444444444411", Address: "127.0.77.121:8300" },
  ]);
  expect(state).toHaveLength(17_767);
});

test("what is written is byte for byte the tar that Consul wrote", async () => {
  const { meta, state } = await read(backup);
  const modifiedMs = Number.parseInt(tar.toString("latin1", 136, 147), 8) * 1000;
  expect(gunzipSync(await written(meta, state, modifiedMs)).equals(tar)).toBe(true);
});

test("any state comes back as it was", async () => {
  const { meta } = await read(backup);
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (state) => {
      const Size = state.length;
      const archive = await written({ ...meta, Size }, state);
      expect(await read(archive)).toEqual({ meta: { ...meta, Size }, state: Buffer.from(state) });
    }),
    { numRuns: 30 },
  );
});

test("a state of another length than its description says is not written", async () => {
  const { meta } = await read(backup);
  await expect(written(meta, new Uint8Array(3))).rejects.toThrow("3 bytes, not 17767");
});

test("a failure of who reads or who takes the state is nobody's else", async () => {
  const meta = (await read(backup)).meta;
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    yield backup.subarray(0, 1000);
    throw new Error("the connection is gone");
  };
  const taking = { write: async () => {} };
  await expect(readArchive(broken(), taking)).rejects.toThrow("the connection is gone");
  const full = {
    write: () => Promise.reject(new Error("the disk is full")),
  };
  await expect(readArchive([backup], full)).rejects.toThrow("the disk is full");
  const archive = writeArchive({ meta, state: broken(), nowMs: 0 });
  await expect(
    (async () => {
      for await (const bytes of archive) expect(bytes).toBeDefined();
    })(),
  ).rejects.toThrow("the connection is gone");
});

describe("an archive that cannot be used", () => {
  const STATE_AT = 1024 + 512;
  const changed = (at: number, value: number): Buffer => {
    const copy = Buffer.from(tar);
    copy[at] = value;
    return gzipSync(copy);
  };
  const file = (name: string, text: string): Buffer => {
    const bytes = Buffer.alloc(Math.ceil(text.length / 512) * 512);
    bytes.write(text);
    return Buffer.concat([encodeTarHeader({ name, sizeBytes: text.length }, 0), bytes]);
  };
  const END = Buffer.alloc(1024);
  const sumsAt = tar.length - 2 * 512 - 1024;

  test.each<readonly [string, Uint8Array, string]>([
    ["is empty", new Uint8Array(), "failed to decompress snapshot: EOF"],
    [
      "is shorter than a header",
      Buffer.from("garbage"),
      "failed to decompress snapshot: unexpected EOF",
    ],
    [
      "is no gzip",
      Buffer.from("hello, world"),
      "failed to decompress snapshot: gzip: invalid header",
    ],
    [
      "ends at once",
      backup.subarray(0, 12),
      "failed to read snapshot file: failed reading snapshot: unexpected EOF",
    ],
    [
      "has a damaged state",
      changed(STATE_AT + 5, 0xff),
      'failed to read snapshot file: failed checking integrity of snapshot: hash check failed for "state.bin"',
    ],
    [
      "has a damaged description",
      changed(512 + 30, 0x39),
      'failed to read snapshot file: failed checking integrity of snapshot: hash check failed for "meta.json"',
    ],
    [
      "has a damaged header",
      changed(3, 0x39),
      "failed to read snapshot file: failed reading snapshot: archive/tar: invalid tar header",
    ],
    [
      "has another file",
      gzipSync(Buffer.concat([file("x", "y"), tar])),
      'failed to read snapshot file: unexpected file "x" in snapshot',
    ],
    [
      "has a file twice",
      gzipSync(Buffer.concat([tar.subarray(0, 1024), tar])),
      'failed to read snapshot file: unexpected file "meta.json" in snapshot',
    ],
    [
      "has no sums",
      gzipSync(Buffer.concat([tar.subarray(0, sumsAt), END])),
      'failed to read snapshot file: failed checking integrity of snapshot: file missing for "SHA256SUMS"',
    ],
    [
      "lacks a sum",
      gzipSync(Buffer.concat([tar.subarray(0, sumsAt), file("SHA256SUMS", ""), END])),
      'failed to read snapshot file: failed checking integrity of snapshot: file missing for "meta.json"',
    ],
    [
      "has a sum of what is not there",
      gzipSync(
        Buffer.concat([
          tar.subarray(0, sumsAt),
          file("SHA256SUMS", `${"0".repeat(64)}  other\n`),
          END,
        ]),
      ),
      'failed to read snapshot file: failed checking integrity of snapshot: list missing hash for "other"',
    ],
    [
      "goes on after its end",
      gzipSync(Buffer.concat([tar, Buffer.from("more")])),
      "failed to read snapshot file: unread uncompressed bytes remain",
    ],
    [
      "ends in the middle of the state",
      gzipSync(tar.subarray(0, 5000)),
      "failed to read snapshot file: failed to read or write snapshot data: unexpected EOF",
    ],
    [
      "says that a small file is large",
      gzipSync(encodeTarHeader({ name: "meta.json", sizeBytes: 2 ** 32 }, 0)),
      'failed to read snapshot file: the file "meta.json" is too large',
    ],
  ])("one that %s", async (_, archive, text) => {
    expect(await fault(archive)).toBe(text);
  });
});

const FUZZ_RUNS = Number(process.env["FUZZ_RUNS"] ?? 300);

test("no bytes do more than be refused", async () => {
  const changes = fc.array(fc.tuple(fc.nat(tar.length - 1), fc.nat(255)), { maxLength: 4 });
  const mutate = (bytes: Buffer, edits: readonly (readonly [number, number])[]): Buffer => {
    const copy = Buffer.from(bytes);
    for (const [at, value] of edits) copy[at % copy.length] = value;
    return copy;
  };
  const mutated = fc.oneof(
    changes.map((edits) => gzipSync(mutate(tar, edits), { level: 1 })),
    changes.map((edits) => mutate(backup, edits)),
    fc.nat(backup.length).map((length) => backup.subarray(0, length)),
  );
  await fc.assert(
    fc.asyncProperty(mutated, async (archive) => {
      try {
        await read(archive);
      } catch (error) {
        if (!(error instanceof RollcallError) || error.code !== "request/refused") throw error;
      }
    }),
    { numRuns: FUZZ_RUNS },
  );
});
