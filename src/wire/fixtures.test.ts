/** What Serf and Consul sent is read as what it was, and written again as it was. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  compound,
  compress,
  decodeConsulUserEvent,
  decodeCoordinate,
  decodeFilter,
  decodeSerfMessage,
  decodeSnapshotLine,
  decodeTags,
  decompress,
  encodeConsulUserEvent,
  encodeCoordinate,
  encodeFilter,
  encodeGossipMessage,
  encodeSerfMessage,
  encodeSnapshotLine,
  encodeStreamMessage,
  encodeTags,
  eventOfSerfName,
  gossipKey,
  openPacket,
  StreamDecoder,
  wrapPacket,
  wrapStream,
  type GossipMessage,
  type Opening,
  type SerfMessage,
  type StreamMessage,
} from "./index.ts";
import { fixturesOf, hex, unhex, type Fixture } from "./testkit.ts";

const testdata = (file: string) => readFileSync(new URL(`testdata/${file}`, import.meta.url));
const FIXTURES = fixturesOf(testdata("index.json").toString());
const PACKETS = FIXTURES.filter(({ transport }) => transport === "udp");
const STREAMS = FIXTURES.filter(({ transport }) => transport === "tcp");

test("there are as many recordings as were made", () => {
  expect({ packets: PACKETS.length, streams: STREAMS.length }).toEqual({
    packets: 92,
    streams: 39,
  });
});

test.each(PACKETS)("$file is read as what it holds", (fixture) => {
  const { messages, rejected } = openPacket(testdata(fixture.file), openingOf(fixture));
  expect(rejected).toEqual([]);
  expect(messages.map(shownGossip)).toEqual(messagesIn(fixture.decoded));
});

test.each(PACKETS)("$file is written as it was", (fixture) => {
  const recorded = testdata(fixture.file);
  const { messages } = openPacket(recorded, openingOf(fixture));
  const parts = messages.map((message) => encodeGossipMessage(message));
  const [first = new Uint8Array()] = parts;
  const written = wrapPacket(parts.length === 1 ? first : compound(parts), {
    ...layersOf(fixture, recorded),
    crc: fixture.file.includes("-hasCrc-"),
  });
  if (isOlderLzw(fixture)) {
    expect(openPacket(written, openingOf(fixture))).toMatchObject({ messages });
  } else {
    expect(hex(written)).toBe(hex(recorded));
  }
  for (const message of messages) expectWrittenAsItWas(message);
});

test.each(STREAMS)("$file is read as what it holds, also byte for byte", (fixture) => {
  const recorded = testdata(fixture.file);
  const message = new StreamDecoder(openingOf(fixture)).read(recorded);
  if (message === undefined) throw new Error("not all there");
  expect(shownStream(message)).toEqual(innermost(fixture.decoded));

  const decoder = new StreamDecoder(openingOf(fixture));
  for (let i = 0; i < recorded.length - 1; i += 1) {
    expect(decoder.read(recorded.subarray(i, i + 1))).toBeUndefined();
  }
  expect(decoder.read(recorded.subarray(-1))).toEqual(message);
});

test.each(STREAMS)("$file is written as it was", (fixture) => {
  const recorded = testdata(fixture.file);
  const message = new StreamDecoder(openingOf(fixture)).read(recorded);
  if (message === undefined) throw new Error("not all there");
  const written = wrapStream(encodeStreamMessage(message), layersOf(fixture, recorded.subarray(5)));
  if (isOlderLzw(fixture)) {
    expect(new StreamDecoder(openingOf(fixture)).read(written)).toEqual(message);
  } else {
    expect(hex(written)).toBe(hex(recorded));
  }
  if (message.kind !== "pushPull") return;
  const { userState, nodes } = message.body;
  expect(hex(encodeSerfMessage(decodeSerfMessage(userState)))).toBe(hex(userState));
  for (const { Meta } of nodes) expect(hex(encodeTags(decodeTags(Meta)))).toBe(hex(Meta));
});

test("what Consul's older Go compressed is compressed to the same, but for a clear code in front", () => {
  const packed = testdata(
    "consul-gossip/lan-udp-hasCrc-compress-compound-alive-alive-user-join.bin",
  ).subarray(5 + 1 + 1 + 5 + 1 + 4 + 3);
  const plain = decompress(packed, 65_536);
  expect(plain.length).toBe(505);
  expect(decompress(compress(plain), 65_536)).toEqual(plain);
});

test("the snapshot of a serf agent is read line by line, and written as it was", () => {
  const recorded = testdata("gossip/serf.snapshot").toString();
  const lines = recorded.match(/.*\n/g)?.map(decodeSnapshotLine) ?? [];
  expect(lines).toHaveLength(15);
  expect(lines.slice(0, 5)).toEqual([
    { kind: "alive", name: "node-1", address: "127.0.77.11:7946" },
    { kind: "alive", name: "node-2", address: "127.0.77.12:7946" },
    { kind: "alive", name: "node-3", address: "127.0.77.13:7946" },
    { kind: "clock", time: 1 },
    { kind: "event-clock", time: 1 },
  ]);
  const written = lines.map((line) => (line.kind === "skipped" ? "" : encodeSnapshotLine(line)));
  expect(written.join("")).toBe(recorded);
});

function openingOf({ key }: Fixture): Opening {
  return { keys: key === undefined ? [] : [gossipKey(unhex(key))], verifyIncoming: true };
}

/** Sealed with the nonce of the recording, the blob must come out the same. */
function layersOf({ file, key }: Fixture, blob: Uint8Array) {
  const compressed = file.includes("-compress-");
  if (key === undefined) return { compress: compressed };
  const sealing = { key: gossipKey(unhex(key)), nonce: blob.subarray(1, 13) };
  return { compress: compressed, sealing };
}

/** Consul 1.8.7 is built with a Go whose LZW begins without a clear code. */
function isOlderLzw({ file }: Fixture): boolean {
  return file.startsWith("consul-gossip/") && file.includes("-compress-");
}

function expectWrittenAsItWas(message: GossipMessage): void {
  if (message.kind === "alive") {
    const { Meta } = message.body;
    expect(hex(encodeTags(decodeTags(Meta)))).toBe(hex(Meta));
  }
  if (message.kind === "ack" && message.body.Payload !== null) {
    const { Payload } = message.body;
    expect(hex(encodeCoordinate(decodeCoordinate(Payload)))).toBe(hex(Payload));
  }
  if (message.kind !== "user") return;
  const serf = decodeSerfMessage(message.body);
  expect(hex(encodeSerfMessage(serf))).toBe(hex(message.body));
  if (serf.kind === "query") {
    for (const filter of serf.body.Filters ?? []) {
      expect(hex(encodeFilter(decodeFilter(filter)))).toBe(hex(filter));
    }
  }
  if (serf.kind === "userEvent" && eventOfSerfName(serf.body.Name) !== undefined) {
    const { Payload } = serf.body;
    expect(hex(encodeConsulUserEvent(decodeConsulUserEvent(Payload)))).toBe(hex(Payload));
  }
}

// From here on: what we read, in the form that the index describes it in.

/** Takes the layers off the index's description of a packet. */
function messagesIn(decoded: unknown): readonly unknown[] {
  const inner = innermost(decoded) as { readonly msg: string; readonly parts?: readonly unknown[] };
  return inner.msg === "compound" ? (inner.parts ?? []) : [inner];
}

function innermost(decoded: unknown): unknown {
  const layer = decoded as { readonly inner?: unknown; readonly msg?: string };
  const isLayer = layer.msg === undefined || layer.msg === "hasCrc" || layer.msg === "compress";
  return isLayer ? innermost(layer.inner) : decoded;
}

function shownGossip({ kind, body }: GossipMessage): unknown {
  if (kind === "user") return { msg: kind, body: shownSerf(body) };
  const further = kind === "alive" ? { _tags: { ...decodeTags(body.Meta) } } : {};
  const coordinate =
    kind === "ack" && body.Payload ? { _coord: decodeCoordinate(body.Payload) } : {};
  return { msg: kind, ...shownFields(body), ...further, ...coordinate };
}

function shownStream(message: StreamMessage): unknown {
  if (message.kind !== "pushPull") return shownGossip(message);
  const { Join, nodes, userState } = message.body;
  return {
    msg: "pushPull",
    header: { Join, Nodes: nodes.length, UserStateLen: userState.length },
    nodes: nodes.map((node) => ({ ...shownFields(node), _tags: { ...decodeTags(node.Meta) } })),
    user: shownSerf(userState),
  };
}

function shownSerf(bytes: Uint8Array): unknown {
  const message = decodeSerfMessage(bytes);
  const { kind, body } = message;
  if (kind === "relay") {
    const { inner, ...header } = body;
    return { serf: kind, header: shownFields(header), inner: shownSerf(inner) };
  }
  if (kind === "keyRequest" || kind === "keyResponse" || kind === "conflictResponse") {
    return { serf: kind, body: shown(body) };
  }
  return { serf: kind, ...shownFields(body), ...furtherOf(message) };
}

function furtherOf(message: SerfMessage): object {
  if (message.kind === "query") {
    const { Name, Payload, Filters } = message.body;
    const isKeyQuery = /^_serf_.*-keys?$/.test(Name);
    return {
      ...(isKeyQuery && Payload ? { _payload: shownSerf(Payload) } : {}),
      ...(Filters ? { _filters: Filters.map((filter) => shownFilter(filter)) } : {}),
    };
  }
  if (message.kind === "queryResponse") {
    const { Payload } = message.body;
    return Payload?.[0] === 6 || Payload?.[0] === 8 ? { _payload: shownSerf(Payload) } : {};
  }
  if (message.kind !== "userEvent" || eventOfSerfName(message.body.Name) === undefined) return {};
  const event = decodeConsulUserEvent(message.body.Payload);
  const short = {
    ID: event.ID,
    n: event.Name,
    nf: event.NodeFilter,
    sf: event.ServiceFilter,
    tf: event.TagFilter,
    p: shown(event.Payload),
    v: event.Version,
  };
  return {
    _payload: Object.fromEntries(Object.entries(short).filter(([, value]) => value !== "")),
  };
}

function shownFilter(bytes: Uint8Array): unknown {
  const filter = decodeFilter(bytes);
  return filter.kind === "nodes"
    ? { type: 0, body: filter.names }
    : { type: 1, body: { Expr: filter.Expr, Tag: filter.Tag } };
}

function shownFields(body: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, shown(value)]));
}

function shown(value: unknown): unknown {
  if (value instanceof Uint8Array) return shownBytes(value);
  if (Array.isArray(value)) return shownList(value);
  if (typeof value === "object" && value !== null) return shownFields(value);
  return value;
}

function shownBytes(bytes: Uint8Array): unknown {
  const text = Buffer.from(bytes).toString("utf8");
  return /^[\x20-\x7e]*$/.test(text) ? text : { $hex: hex(bytes) };
}

function shownList(values: readonly unknown[]): unknown {
  const set = Object.fromEntries(
    values.flatMap((value, i) => (value === null ? [] : [[i, shown(value)] as const])),
  );
  const isSparse = values.length > 16 && Object.keys(set).length < values.length / 2;
  return isSparse ? { $sparse: values.length, set } : values.map(shown);
}
