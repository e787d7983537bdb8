// What a server of Consul's 1.8.7 says where a feature is not made use of. The bytes are such a server's own.
import { expect, test } from "vitest";
import { MsgpackReader, MsgpackWriter } from "../wire/index.ts";
import { servedAs } from "./exchanges.ts";
import type { CallServer } from "./remote-methods.ts";
import { encoded, shownBytes } from "./testkit.ts";

const META = { ConsistencyLevel: "", Index: 1, KnownLeader: true, LastContact: 0 };
const SERVER = {
  call: async (method: string) => ({
    value: method === "Catalog.ListServices" ? { Services: { consul: [] } } : { Queries: [] },
    meta: { Index: 1, KnownLeader: true, LastContactMs: 0 },
  }),
  hooks: {},
} as unknown as CallServer;

async function replyTo(name: string, args: object): Promise<Uint8Array> {
  const prepared = servedAs(name).prepare(
    new MsgpackReader(encoded({ Datacenter: "dc1", ...args })),
  );
  const write = await prepared(SERVER, new AbortController().signal);
  const writer = new MsgpackWriter();
  write(writer);
  return writer.finish();
}

test.each([
  ["Catalog.GatewayServices", { ServiceName: "g" }, { ...META, Services: null }],
  ["Catalog.ServiceList", {}, { ...META, Services: [{ Name: "consul" }] }],
  ["FederationState.ListMeshGateways", {}, { ...META, DatacenterNodes: {} }],
  ["Intention.Check", { Check: {} }, { Allowed: true }],
  ["Intention.List", {}, { ...META, Intentions: [] }],
  ["Intention.Match", { Match: { Entries: [{ Name: "x" }] } }, { ...META, Matches: [null] }],
  ["Intention.Match", { Match: null }, { ...META, Matches: [] }],
  ["Internal.GatewayServiceDump", { ServiceName: "g" }, { ...META, Dump: null }],
])("%s of %o", async (name, args, expected) => {
  expect(shownBytes(await replyTo(name, args))).toEqual(expected);
});

const META_HEX = "b0436f6e73697374656e63794c6576656ca0";
const REST_HEX = "ab4b6e6f776e4c6561646572c3ab4c617374436f6e7461637400";
test.each([
  ["ConfigEntry.Get", { Kind: "service-defaults" }, `a084${META_HEX}a5496e64657801${REST_HEX}`],
  [
    "ConfigEntry.List",
    { Kind: "service-defaults" },
    `00b0736572766963652d64656661756c747386${META_HEX}a7456e747269657390a5496e64657801` +
      `a44b696e64b0736572766963652d64656661756c7473${REST_HEX}`,
  ],
  ["ConfigEntry.ListAll", {}, `0084${META_HEX}a5496e64657801${REST_HEX}`],
  [
    "ConfigEntry.ResolveServiceConfig",
    { Name: "w" },
    `89${META_HEX}a64578706f736582a6436865636b73c2a55061746873c0a5496e64657801${REST_HEX}` +
      "ab4d6573684761746577617981a44d6f6465a0ab50726f7879436f6e666967c0" +
      "af557073747265616d436f6e66696773c0b1557073747265616d4944436f6e66696773c0",
  ],
])("%s has no entries in its raw", async (name, args, expected) => {
  const reply = new MsgpackReader(await replyTo(name, args));
  expect(Buffer.from(reply.raw()).toString("hex")).toBe(expected);
});

test.each([
  ["ACL.TokenRead", "ACL support disabled"],
  ["ACL.GetPolicy", "ACL not found"],
  ["ConnectCA.Roots", "Connect must be enabled in order to use this endpoint"],
  ["DiscoveryChain.Get", "Connect must be enabled in order to use this endpoint"],
  ["Intention.Get", "Intention not found"],
  ["Intention.Apply", "Intentions are not supported by this server"],
])("%s is refused: %s", async (name, why) => {
  await expect(replyTo(name, {})).rejects.toThrow(why);
});

test.each([
  ["KVS.Bar", "rpc: can't find method KVS.Bar"],
  ["Foo.Bar", "rpc: can't find service Foo.Bar"],
  ["KVS.Get.x", "rpc: can't find service KVS.Get.x"],
  ["Catalog.ConnectNodes", "rpc: can't find method Catalog.ConnectNodes"],
  ["AutoEncrypt.Sign", "rpc: can't find service AutoEncrypt.Sign"],
  ["Foo", "rpc: service/method request ill-formed: Foo"],
  ["", "rpc: service/method request ill-formed: "],
  ["__proto__.x", "rpc: can't find service __proto__.x"],
])("there is nothing behind %o", (name, why) => {
  expect(() => servedAs(name)).toThrow(why);
});
