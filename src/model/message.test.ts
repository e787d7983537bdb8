import * as fc from "fast-check";
import { expect, test } from "vitest";
import { arbitraryOf } from "../wire/testkit.ts";
import { any, codecOf } from "../wire/index.ts";
import { BLANK_SERVICE } from "./blank.ts";
import { NodeService, RegisterRequest } from "./catalog.ts";
import { jsonEncoder } from "./json-encode.ts";
import { DirEntry } from "./kv.ts";
import { messageOf } from "./message.ts";

const loose = codecOf(any);
const service = messageOf(NodeService);

test("every field is written in the order of the names, also those that JSON leaves out or never shows", () => {
  const fields = loose.decode(service.encode(BLANK_SERVICE));
  const names = Object.keys(fields as object);
  expect(names).toEqual(names.toSorted());
  expect(names).toContain("LocallyRegisteredAsSidecar");
  expect(fields).toMatchObject({
    Kind: "",
    TaggedAddresses: null,
    Connect: { SidecarService: null },
  });
});

test("what JSON never shows is in a record only while it says something, and is kept", () => {
  expect(service.decode(service.encode(BLANK_SERVICE))).toEqual(BLANK_SERVICE);
  const sidecar = {
    ...BLANK_SERVICE,
    LocallyRegisteredAsSidecar: true,
    Connect: { Native: false, SidecarService: { Port: 7n } },
  };
  const again = service.decode(service.encode(sidecar));
  expect(again).toEqual(sidecar);
  expect(jsonEncoder(NodeService)(again)).toBe(jsonEncoder(NodeService)(BLANK_SERVICE));
});

test("what is missing or nil is zero, and a record's fields stand in the order of JSON", () => {
  const request = messageOf(RegisterRequest).decode(loose.encode({ Node: "n1", Checks: null }));
  expect(request).toMatchObject({ Node: "n1", Service: null, SkipNodeUpdate: false });
  expect(Object.keys(request)).toEqual(Object.keys(RegisterRequest.properties));
  const unweighed = service.decode(loose.encode({ Weights: null }));
  expect(unweighed.Weights).toEqual({ Passing: 1, Warning: 1 });
});

test("null and empty are told apart, and all 64 bits of flags are kept", () => {
  const entry = messageOf(DirEntry);
  for (const Value of [null, new Uint8Array(), new Uint8Array([1])]) {
    const given = { ...entry.zero, Key: "k", Flags: 2n ** 64n - 1n, Value };
    expect(entry.decode(entry.encode(given))).toEqual(given);
  }
});

test("values without a schema come back as they were, and JSON shows integers as numbers", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), arbitraryOf(any), { maxKeys: 3 }), (Config) => {
      const proxied = { ...BLANK_SERVICE, Proxy: { ...BLANK_SERVICE.Proxy, Config } };
      expect(service.decode(service.encode(proxied)).Proxy.Config).toEqual(Config);
    }),
  );
  const Config = { whole: 1n, half: 0.5 };
  const json = jsonEncoder(NodeService)({
    ...BLANK_SERVICE,
    Proxy: { ...BLANK_SERVICE.Proxy, Config },
  });
  expect(json).toContain('"Config":{"half":0.5,"whole":1}');
});
