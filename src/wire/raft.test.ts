/** What Consul's servers and hashicorp/raft's transport sent is read as what it was, and written again as it was. */
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  codecOf,
  decodeConfiguration,
  decodeLogEntry,
  decodePeers,
  encodeConfiguration,
  encodeLogEntry,
  encodePeers,
  encodeRaftRequest,
  encodeRaftResponse,
  LOG_TYPES,
  RAFT_PROTOCOL_VERSION,
  RaftRequestDecoder,
  RaftResponseDecoder,
  SUFFRAGES,
  type RaftCommand,
  type RaftRequest,
  type RaftRequestPart,
  type RaftResponse,
} from "./index.ts";
import { fixturesOf, hex } from "./testkit.ts";

interface Decoded {
  readonly rpc_type: number;
  readonly body: unknown;
  readonly error: string;
  readonly stream_bytes_following: number;
}

const testdata = (file: string) => readFileSync(new URL(`testdata/${file}`, import.meta.url));
const FIXTURES = fixturesOf(testdata("raft/index.json").toString()).map(({ file, decoded }) => ({
  file,
  decoded: decoded as Decoded,
}));
const REQUESTS = FIXTURES.filter(({ file }) => file.endsWith(".req.bin"));
const RESPONSES = FIXTURES.filter(({ file }) => file.endsWith(".resp.bin"));
const ENTRIES = FIXTURES.filter(({ file }) => file.includes("boltdb-log-"));
/** Index = type byte. */
const COMMANDS: readonly RaftCommand[] = [
  "appendEntries",
  "requestVote",
  "installSnapshot",
  "timeoutNow",
];

const requestsIn = (bytes: Uint8Array): readonly RaftRequestPart[] => [
  ...new RaftRequestDecoder().read(bytes),
];
const commandOf = (file: string): RaftCommand => {
  const command = COMMANDS.find((name) => file.toLowerCase().includes(name.toLowerCase()));
  if (command === undefined) throw new Error(`what is ${file}?`);
  return command;
};
const heartbeat: RaftRequest = {
  kind: "appendEntries",
  body: {
    ProtocolVersion: RAFT_PROTOCOL_VERSION,
    ID: new Uint8Array(0),
    Addr: new Uint8Array(0),
    Term: 2,
    Leader: new TextEncoder().encode("127.0.77.101:8300"),
    PrevLogEntry: 0,
    PrevLogTerm: 0,
    Entries: null,
    LeaderCommitIndex: 0,
  },
};

test("there are as many recordings as were made", () => {
  expect([REQUESTS.length, RESPONSES.length, ENTRIES.length]).toEqual([18, 18, 4]);
});

test.each(REQUESTS)("$file is read as what it holds", ({ file, decoded }) => {
  const [request, ...snapshot] = requestsIn(testdata(file));
  expect(request?.kind).toBe(COMMANDS[decoded.rpc_type]);
  expect(shownRequest(request as RaftRequest)).toEqual(decoded.body);
  const bytes = snapshot.flatMap((part) => (part.kind === "snapshotBytes" ? [part] : []));
  expect(bytes.length).toBe(snapshot.length);
  expect(Buffer.concat(bytes.map((part) => part.bytes))).toHaveLength(
    decoded.stream_bytes_following,
  );
  expect(bytes.at(-1)?.leftBytes ?? 0).toBe(0);
});

test.each(REQUESTS)("$file is written as it was", ({ file }) => {
  const recorded = testdata(file);
  const written = requestsIn(recorded).map((part) =>
    part.kind === "snapshotBytes" ? part.bytes : encodeRaftRequest(part),
  );
  expect(hex(Buffer.concat(written))).toBe(hex(recorded));
});

test.each(RESPONSES)(
  "$file is read as what it holds, and written as it was",
  ({ file, decoded }) => {
    const recorded = testdata(file);
    const decoder = new RaftResponseDecoder();
    decoder.expect(commandOf(file));
    const responses = [...decoder.read(recorded)];
    expect(responses.map(({ error, body }) => ({ error, body: shown(body) }))).toEqual([decoded]);
    for (const response of responses) expect(hex(encodeRaftResponse(response))).toBe(hex(recorded));
  },
);

test.each(ENTRIES)("$file is read as what it holds, and written as it was", (fixture) => {
  const recorded = testdata(fixture.file);
  const entry = decodeLogEntry(recorded);
  const { _Data: data, ...fields } = fixture.decoded as unknown as Record<string, unknown>;
  expect(shown(entry)).toEqual(fields);
  expect(hex(encodeLogEntry(entry))).toBe(hex(recorded));
  expect(fixture.file).toContain(LOG_TYPES[entry.Type]);
  if (data === undefined || entry.Data === null) return;
  const configuration = decodeConfiguration(entry.Data);
  expect(configuration).toEqual(data);
  expect(hex(encodeConfiguration(configuration))).toBe(hex(entry.Data));
});

test("the snapshot's peers and configuration are those of the cluster", () => {
  const [request] = requestsIn(testdata("raft/InstallSnapshot.req.bin"));
  if (request?.kind !== "installSnapshot") throw new Error("another kind");
  const { Peers, Configuration } = request.body;
  const servers = decodeConfiguration(Configuration).Servers;
  expect(servers.map(({ Suffrage }) => SUFFRAGES[Suffrage])).toEqual(["voter", "voter", "voter"]);
  expect(decodePeers(Peers)).toEqual(servers.map(({ Address }) => Address));
  expect(hex(encodePeers(decodePeers(Peers)))).toBe(hex(Peers));
});

test("a refusal has a reason and no body", () => {
  const error = "operation not supported with current protocol version";
  const refusal: RaftResponse = { kind: "requestVote", error, body: null };
  const bytes = encodeRaftResponse(refusal);
  expect(bytes.at(-1)).toBe(0xc0);
  const decoder = new RaftResponseDecoder();
  decoder.expect("requestVote");
  expect([...decoder.read(bytes)]).toEqual([refusal]);
});

test("what a later version adds to a message is passed over", () => {
  const [command = 0, ...map] = encodeRaftRequest(heartbeat);
  const later = [command, 0x88, ...codecText("AddrOf"), 0xa1, 0x78, ...map.slice(1)];
  expect(requestsIn(Uint8Array.from(later))).toEqual([heartbeat]);
});

test("a connection is read the same however its bytes are cut", () => {
  const all = Buffer.concat(REQUESTS.map(({ file }) => testdata(file)));
  const whole = joined(requestsIn(all));
  expect(whole).toHaveLength(REQUESTS.length + 1);
  fc.assert(
    fc.property(fc.infiniteStream(fc.integer({ min: 1, max: 3000 })), (sizes) => {
      const decoder = new RaftRequestDecoder();
      const parts: RaftRequestPart[] = [];
      for (let at = 0; at < all.length;) {
        const end = at + (sizes.next().value ?? 1);
        parts.push(...decoder.read(all.subarray(at, end)));
        at = end;
      }
      expect(joined(parts)).toEqual(whole);
    }),
    { numRuns: 50 },
  );
});

test("pipelined replies are read byte for byte, each as what was asked", () => {
  const decoder = new RaftResponseDecoder();
  for (const { file } of RESPONSES) decoder.expect(commandOf(file));
  const all = Buffer.concat(RESPONSES.map(({ file }) => testdata(file)));
  const read = [...all].flatMap((byte) => [...decoder.read(Uint8Array.of(byte))]);
  expect(read.map(({ body }) => shown(body))).toEqual(RESPONSES.map(({ decoded }) => decoded.body));
  expect(() => [...decoder.read(Uint8Array.of(0xa0))]).toThrow("a reply that nobody waits for");
});

test("more replies than anybody should wait for are a bug", () => {
  const decoder = new RaftResponseDecoder();
  for (let i = 0; i < 1024; i += 1) decoder.expect("appendEntries");
  expect(() => decoder.expect("appendEntries")).toThrow("too many commands at once");
});

test.each([
  ["a type that is not known", [9], "unknown rpc type 9"],
  ["a body that is no map", [0, 0xa1, 0x61], "a command without a body"],
  ["a length that is never believed", [0, 0x81, 0xdb, 0xff, 0xff, 0xff, 0xff], "too large"],
  [
    "more entries than a leader sends",
    [0, 0x81, 0xa1, 0x61, 0xdd, 0, 1, 0, 0],
    "too many elements",
  ],
])("%s ends the connection", (_name, bytes, message) => {
  expect(() => requestsIn(Uint8Array.from(bytes))).toThrow(message);
});

test("a snapshot of negative size ends the connection", () => {
  const [request] = requestsIn(testdata("raft/InstallSnapshot.req.bin"));
  if (request?.kind !== "installSnapshot") throw new Error("another kind");
  const bytes = encodeRaftRequest({ ...request, body: { ...request.body, Size: -1 } });
  expect(() => requestsIn(bytes)).toThrow("negative size");
});

function codecText(value: string): readonly number[] {
  return [...codecOf({ kind: "text" }).encode(value)];
}

/** Snapshot bytes that stand together as one. */
function joined(parts: readonly RaftRequestPart[]): readonly unknown[] {
  const shownParts: unknown[] = [];
  let snapshot: Uint8Array[] = [];
  for (const part of parts) {
    if (part.kind !== "snapshotBytes") shownParts.push(part);
    else {
      snapshot.push(part.bytes.slice());
      if (part.leftBytes > 0) continue;
      shownParts.push(hex(Buffer.concat(snapshot)));
      snapshot = [];
    }
  }
  return shownParts;
}

function shownRequest({ kind, body }: RaftRequest): unknown {
  if (kind === "timeoutNow" && body.Term === 0) {
    return shown({ ProtocolVersion: body.ProtocolVersion });
  }
  if (kind !== "installSnapshot") return shown(body);
  const further = {
    _Configuration: decodeConfiguration(body.Configuration),
    _Peers: decodePeers(body.Peers),
  };
  return { ...(shown(body) as object), ...further };
}

/** As the index describes it. */
function shown(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    const text = Buffer.from(value).toString("utf8");
    return /^[\x20-\x7e]*$/.test(text) ? text : { $hex: hex(value) };
  }
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).filter(([name, field]) => !isLeftOut(name, field));
  return Object.fromEntries(fields.map(([name, field]) => [name, shown(field)]));
}

/** What Consul 1.8 does not send, and nor do we when it says nothing. */
function isLeftOut(name: string, field: unknown): boolean {
  const isEmpty = field === 0 || (field instanceof Uint8Array && field.length === 0);
  return isEmpty && ["ID", "Addr", "ConflictTerm", "ConflictIndex"].includes(name);
}
