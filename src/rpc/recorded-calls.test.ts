// Every call that was recorded is read as what it was, written again as it was, and means the same after a detour through
// our own arguments and replies.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { ServerState } from "../model/index.ts";
import { MsgpackReader, MsgpackWriter } from "../wire/index.ts";
import { EXCHANGES, servedAs } from "./exchanges.ts";
import type { Asked } from "./exchange.ts";
import type { CallServer, RemoteMethodName } from "./remote-methods.ts";
import { recordedCalls, shownBytes, type RecordedCall } from "./testkit.ts";
import { UNBUILT } from "./unbuilt.ts";

const CALLS = recordedCalls((file) => readFileSync(new URL(`testdata/${file}`, import.meta.url)));
const methodOf = ({ request }: RecordedCall): string => request.header.ServiceMethod;
/** A port of their own: only TLS without a client's certificate. */
const isInsecure = (call: RecordedCall): boolean =>
  /^Auto(?:Config|Encrypt)\./.test(methodOf(call));
const isUnbuilt = (call: RecordedCall): boolean => methodOf(call) in UNBUILT;
const BUILT = CALLS.filter((call) => !isInsecure(call) && !isUnbuilt(call));
const ANSWERED = BUILT.filter(({ response }) => response.header.Error === "");

test("there are as many recordings as were made", () => {
  const requests = CALLS.length;
  const methods = new Set(CALLS.map(methodOf)).size;
  expect({ requests, methods, built: BUILT.length }).toEqual({
    requests: 151,
    methods: 110,
    built: 75,
  });
});

test.each(CALLS)("$name holds what the index says", ({ request, response }) => {
  expect(shownBytes(request.body)).toEqual(request.decoded);
  expect(shownBytes(response.body)).toEqual(response.decoded);
  expect(response.header.Seq).toBe(request.header.Seq);
});

/** A service without weights is kept, and told on, with those that this means. */
const NO_WEIGHTS = /a757656967687473c0/g;
const DEFAULT_WEIGHTS = "a75765696768747382a750617373696e6701a75761726e696e6701";

test.each(BUILT)("$name: the arguments are read, and written as they were", (call) => {
  const { args } = servedAs(methodOf(call)).codecs;
  const written = args.encode(args.decode(call.request.body));
  if (call.isComplete) {
    expect(hex(written)).toBe(hex(call.request.body).replace(NO_WEIGHTS, DEFAULT_WEIGHTS));
  } else {
    expect(shownBytes(written)).toMatchObject(call.request.decoded as object);
  }
});

test.each(ANSWERED)("$name: the reply is read, and written as it was", (call) => {
  const { reply } = servedAs(methodOf(call)).codecs;
  const wire = reply.decode(call.response.body);
  expect(hex(reply.encode(wire))).toBe(hex(call.response.body));
});

/** Consul's two methods of its servers are one of ours. */
const TWO_FOR_ONE = new Set(["Operator.RaftGetConfiguration", "Operator.ServerHealth"]);
const ONE_FOR_ONE = ANSWERED.filter((call) => !TWO_FOR_ONE.has(methodOf(call)));

test.each(ONE_FOR_ONE)("$name means the same to us", async (call) => {
  const { method, args, replied } = await answered(call);
  expect(meaning(shownBytes(replied))).toEqual(meaning(call.response.decoded));
  const asked = EXCHANGES[method] as Asked<unknown, unknown>;
  expect(asked.nameFor(args)).toBe(methodOf(call));
  const writer = new MsgpackWriter();
  asked.writeArgs(writer, args, "dc1");
  const request = { ...(call.request.decoded as object), ...NOT_ASKED.get(methodOf(call)) };
  expect(meaning(shownBytes(writer.finish()))).toEqual(meaning(request));
});

const NEVER = new AbortController().signal;

/** Who asks makes no difference to what a query is. */
const NOT_ASKED = new Map([["PreparedQuery.Explain", { Agent: null }]]);

interface Answered {
  readonly method: RemoteMethodName;
  readonly args: unknown;
  readonly replied: Uint8Array;
}

/** The recorded request as a server is asked it, which answers with the recorded reply. */
async function answered(call: RecordedCall): Promise<Answered> {
  let method = methodOf(call) as RemoteMethodName;
  let args: unknown = {};
  const hook = (given: unknown): unknown => {
    args = given ?? {};
    return (EXCHANGES[method] as Asked<unknown, unknown>).readReply(bodyOf(call.response), args);
  };
  const server = {
    call: (asked: RemoteMethodName, given: unknown) => {
      method = asked;
      return hook(given);
    },
    hooks: { raftStats: hook, fireEvent: hook, keyring: hook, datacenterMaps: hook },
  } as unknown as CallServer;
  const prepared = servedAs(methodOf(call)).prepare(bodyOf(call.request));
  const write = await prepared(server, NEVER);
  const writer = new MsgpackWriter();
  write(writer);
  return { method, args, replied: writer.finish() };
}

const recorded = (method: string): RecordedCall => {
  const call = CALLS.find((candidate) => methodOf(candidate) === method);
  if (call === undefined) throw new Error(`not recorded: ${method}`);
  return call;
};
/** What the servers were, when both of Consul's methods were asked. */
const states = (): Promise<readonly ServerState[]> | undefined =>
  EXCHANGES["Operator.Servers"].instead?.(
    async (asked, args) => {
      const { request, response } = recorded(asked.nameFor(args));
      const writer = new MsgpackWriter();
      asked.writeArgs(writer, args, "dc1");
      expect(hex(writer.finish())).toBe(hex(request.body));
      return asked.readReply(bodyOf(response), args);
    },
    { Datacenter: "" },
  );

test("servers of Consul's are asked twice what they are", async () => {
  const [follower, leader] = (await states()) ?? [];
  expect(follower).toEqual({
    ID: "00000002-1111-2222-3333-444444444442",
    Name: "srv-2",
    Address: "127.0.77.102:8300",
    SerfStatus: "alive",
    Version: "1.8.7",
    Leader: false,
    Voter: true,
    RaftProtocol: "3",
    LastContactMs: 53.932945,
    LastTerm: 2,
    LastIndex: 27,
    Healthy: true,
    StableSinceMs: expect.closeTo(1_795_438_205_529.11, 1),
  });
  expect(leader).toMatchObject({ Name: "srv-1", Leader: true, LastContactMs: 0 });
});

test.each([...TWO_FOR_ONE])("%s is answered from what the servers are", async (method) => {
  const { request, response } = recorded(method);
  const call = async (asked: string): Promise<unknown> =>
    asked === "Operator.Servers" ? states() : { Servers: await states(), Index: 0 };
  const server = { call, hooks: {} } as unknown as CallServer;
  const write = await servedAs(method).prepare(bodyOf(request))(server, NEVER);
  const writer = new MsgpackWriter();
  write(writer);
  const { Servers, ...rest } = shownBytes(writer.finish()) as { readonly Servers: object[] };
  const expected = response.decoded as { readonly Servers: { readonly ID: string }[] };
  expect({ ...rest, Servers: [] }).toEqual({ ...expected, Servers: [] });
  // They are in the order of the log, and times are kept to the millisecond and in UTC.
  for (const server of expected.Servers) {
    const StableSince = "StableSince" in server ? { StableSince: expect.anything() } : {};
    expect(Servers).toContainEqual({ ...server, ...StableSince });
  }
});

/** Without what is zero, what Consul does not have, and where a question comes from that sorts nothing by it. */
function meaning(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(meaning);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value)
    .filter(([name, field]) => !EXTRA.has(name) && !isSaidTwice(name, field))
    .map(([name, field]) => [name, meaning(field)] as const)
    .filter(([, field]) => !isZero(field));
  const meant = Object.fromEntries(fields) as { readonly Node?: string; readonly Ip?: string };
  return isSource(value) && meant.Node === undefined ? {} : meant;
}
const EXTRA = new Set(["StatusKept", "Excluded"]);
/** A session's ID stands in two fields, and nil weights are the default ones. */
const isSaidTwice = (name: string, field: unknown): boolean =>
  (name === "Session" && typeof field === "string") ||
  (name === "Weights" && JSON.stringify(field) === '{"Passing":1,"Warning":1}');
const isSource = (value: object): boolean => "Segment" in value && "Ip" in value;
const isZero = (field: unknown): boolean =>
  field === null ||
  field === "" ||
  field === 0 ||
  field === false ||
  (typeof field === "object" && Object.keys(field).length === 0);

const bodyOf = ({ body }: { readonly body: Uint8Array }): MsgpackReader => new MsgpackReader(body);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
