/** Key queries as one node answers them: serf.md §8. */
import { beforeEach, describe, expect, test } from "vitest";
import { Keyring } from "../gossip/index.ts";
import { simPlatform, type SimPlatform } from "../platform/sim/index.ts";
import { decodeSerfMessage, encodeSerfMessage, type KeyResponse } from "../wire/index.ts";
import { IncomingQuery, RESPONSE_BYTES_MAX } from "./incoming-query.ts";
import { answerInternal, INTERNAL_QUERIES } from "./internal-queries.ts";
import { KeyringFile } from "./keyring-file.ts";
import { memberOf } from "./member.ts";
import { gossipMember, recordingLogger, utf8 } from "./testkit.ts";

const FILE = "/keyring";
const KEY_A = new Uint8Array(16).fill(1);
const KEY_B = new Uint8Array(32).fill(2);
const base64 = (key: Uint8Array): string => Buffer.from(key).toString("base64");
let platform: SimPlatform;
let log: string[];
beforeEach(() => {
  platform = simPlatform({ seed: 1 });
  log = [];
});

async function ask(
  name: string,
  payload: Uint8Array,
  keyring: Keyring | undefined,
): Promise<Uint8Array | null> {
  let answer: Uint8Array | null = null;
  const query = new IncomingQuery(
    {
      LTime: 1,
      ID: 1,
      Addr: Uint8Array.of(10, 0, 0, 1),
      Port: 7946,
      SourceNode: "asker",
      Filters: null,
      Flags: 0,
      RelayFactor: 0,
      Timeout: 1e9,
      Name: name,
      Payload: payload,
    },
    { self: "self", clock: platform.clock, send: ({ Payload }) => (answer = Payload) },
  );
  await answerInternal(query, {
    self: "self",
    memberNamed: (wanted) =>
      wanted === "known" ? memberOf(gossipMember("known"), "failed") : undefined,
    keyring,
    file: new KeyringFile(platform.disk, FILE),
    responseBytesMax: RESPONSE_BYTES_MAX,
    logger: recordingLogger(log),
  });
  return answer;
}

async function askKey(
  name: string,
  Key: Uint8Array,
  keyring: Keyring | undefined,
): Promise<KeyResponse | undefined> {
  const payload = encodeSerfMessage({ kind: "keyRequest", body: { Key } });
  const answer = await ask(name, payload, keyring);
  const message = answer === null ? undefined : decodeSerfMessage(answer);
  return message?.kind === "keyResponse" ? message.body : undefined;
}

const { installKey, useKey, removeKey, listKeys } = INTERNAL_QUERIES;

test("a rotation changes the ring, and its file each time", async () => {
  const ring = new Keyring([KEY_A]);
  const file = async (): Promise<unknown> =>
    JSON.parse(Buffer.from((await platform.disk.read(FILE)) ?? []).toString());
  expect(await askKey(installKey, KEY_B, ring)).toMatchObject({ Result: true, Message: "" });
  expect(await file()).toEqual([base64(KEY_A), base64(KEY_B)]);
  expect(await askKey(useKey, KEY_B, ring)).toMatchObject({ Result: true });
  expect(await file()).toEqual([base64(KEY_B), base64(KEY_A)]);
  expect(await askKey(removeKey, KEY_A, ring)).toMatchObject({ Result: true });
  expect(await file()).toEqual([base64(KEY_B)]);
  expect(await askKey(listKeys, new Uint8Array(0), ring)).toEqual({
    Result: true,
    Message: "",
    Keys: [base64(KEY_B)],
    PrimaryKey: base64(KEY_B),
  });
});

test.each([
  [installKey, new Uint8Array(5), "key size must be 16, 24 or 32 bytes"],
  [useKey, KEY_B, "Requested key is not in the keyring"],
  [removeKey, KEY_A, "Removing the primary key is not allowed"],
])("%s that cannot be done is answered with the reason", async (name, key, text) => {
  const answer = await askKey(name, key, new Keyring([KEY_A]));
  expect(answer).toMatchObject({ Result: false, Message: text });
});

test.each([undefined, new Keyring()])("without encryption there are no keys", async (ring) => {
  expect(await askKey(installKey, KEY_A, ring)).toMatchObject({
    Result: false,
    Message: "No keyring to modify (encryption not enabled)",
  });
  expect(await askKey(listKeys, new Uint8Array(0), ring)).toMatchObject({
    Result: false,
    Message: "Keyring is empty (encryption not enabled)",
  });
});

test("a file that cannot be written is a failure", async () => {
  platform.disk.capacityBytes = 0;
  const answer = await askKey(installKey, KEY_B, new Keyring([KEY_A]));
  expect(answer).toMatchObject({
    Result: false,
    Message: expect.stringContaining("no space left"),
  });
});

test("a list that does not fit into an answer is cut, and says so", async () => {
  const keys = Array.from({ length: 60 }, (_, index) => new Uint8Array(32).fill(index));
  const answer = await askKey(listKeys, new Uint8Array(0), new Keyring(keys));
  const count = answer?.Keys?.length ?? 0;
  expect(count).toBeGreaterThan(15);
  expect(count).toBeLessThan(24);
  expect(answer).toMatchObject({
    Result: true,
    Message: `truncated key list response, showing first ${count} of 60 keys`,
    PrimaryKey: base64(new Uint8Array(32)),
  });
});

test("a payload that is no key request changes nothing", async () => {
  const ring = new Keyring([KEY_A]);
  const answer = await ask(installKey, utf8("?"), ring);
  expect(decodeSerfMessage(answer ?? new Uint8Array(0))).toMatchObject({ body: { Result: false } });
  expect(ring.keys).toHaveLength(1);
});

describe("whom do you know under this name?", () => {
  const { conflict } = INTERNAL_QUERIES;
  test("who knows somebody tells", async () => {
    const answer = await ask(conflict, utf8("known"), undefined);
    expect(decodeSerfMessage(answer ?? new Uint8Array(0))).toMatchObject({
      kind: "conflictResponse",
      body: { Name: "known", Port: 7946, Status: 4 },
    });
  });
  test("who knows nobody says so", async () => {
    const answer = await ask(conflict, utf8("stranger"), undefined);
    expect(decodeSerfMessage(answer ?? new Uint8Array(0)).body).toBeNull();
  });
  test("who bears the name has no say", async () => {
    expect(await ask(conflict, utf8("self"), undefined)).toBeNull();
  });
});

test("a ping needs no answer; an unknown query is told of", async () => {
  expect(await ask(INTERNAL_QUERIES.ping, utf8(""), undefined)).toBeNull();
  expect(await ask("_serf_future", utf8(""), undefined)).toBeNull();
  expect(log).toEqual(["WARN serf: Unhandled internal query '_serf_future'"]);
});
