/** For tests: what is recorded of Consul's log, and records in the form of its JSON. */
import { encodeGoText } from "../wire/go-text.ts";

export interface RecordedCommand {
  readonly file: string;
  readonly bytes: Uint8Array;
  /** See testdata/README.md. */
  readonly decoded: {
    readonly type: number;
    readonly name: string;
    readonly raft_index: number;
    readonly ignore_unknown: boolean;
    readonly body: unknown;
  };
}

/** Reads a file of testdata/. */
export type Testdata = (name: string) => Buffer;

export function recordedCommands(testdata: Testdata): readonly RecordedCommand[] {
  const { fixtures } = JSON.parse(testdata("fsm.json").toString()) as {
    fixtures: readonly Omit<RecordedCommand, "bytes">[];
  };
  return fixtures
    .filter(({ file }) => file.endsWith(".bin"))
    .map((fixture) => ({ ...fixture, bytes: testdata(fixture.file) }));
}

/** As the recordings have it: bytes that are no UTF-8 as hex, and nothing that says "see also". */
export function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "string") return plainText(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !key.startsWith("_"))
      .map(([key, of]) => [key, plain(of)]),
  );
}

function plainText(text: string): unknown {
  const isPrintable = !/[\0-\x08\x0b\x0c\x0e-\x1f\udc80-\udcff]/u.test(text);
  return isPrintable ? text : { $hex: Buffer.from(encodeGoText(text)).toString("hex") };
}
