import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DeregisterRequest, RegisterRequest } from "./catalog.ts";
import { CheckDefinition, ServiceDefinition } from "./definitions.ts";
import { jsonDecoder } from "./json-decode.ts";
import { jsonEncoder } from "./json-encode.ts";
import { DirEntry, Session } from "./kv.ts";
import {
  any,
  bool,
  bytes,
  float,
  int,
  list,
  map,
  pointer,
  struct,
  text,
  uint64,
} from "./schema.ts";

const register = jsonDecoder(RegisterRequest, { unknown: "refuse" });
const service = jsonDecoder(ServiceDefinition, { unknown: "refuse" });
const check = jsonDecoder(CheckDefinition, { unknown: "refuse" });
const session = jsonDecoder(Session, { unknown: "ignore" });
const deregister = jsonDecoder(DeregisterRequest, { unknown: "refuse" });
const entry = jsonDecoder(DirEntry, { unknown: "refuse" });

test("what is missing or null has Go's zero value, and fields stand in order", () => {
  const decoded = register('{"node":"a","Service":{"Port":80,"tags":["x",null],"Meta":null}}');
  expect(Object.keys(decoded)).toEqual(Object.keys(RegisterRequest.properties));
  expect(decoded).toMatchObject({
    Node: "a",
    Address: "",
    Check: null,
    Checks: null,
    SkipNodeUpdate: false,
  });
  expect(decoded.Service).toMatchObject({
    ID: "",
    Port: 80,
    Tags: ["x", ""],
    Meta: null,
    Weights: { Passing: 0, Warning: 0 },
    Proxy: { Upstreams: null, MeshGateway: { Mode: "" } },
  });
  expect(register("null")).toEqual(register("{}"));
});

// A key in another case takes the careful decoder, which must agree with the one for what fits.
test("how a key is spelled makes no difference", () => {
  const texts = fc.string({ maxLength: 5 });
  const checkFields = {
    Name: texts,
    ID: texts,
    Interval: fc.constantFrom("10s", 5, null, "1h2m"),
    TLSSkipVerify: fc.boolean(),
    Header: fc.oneof(fc.constant(null), fc.dictionary(texts, fc.array(texts))),
    Args: fc.array(fc.oneof(texts, fc.constant(null))),
    FailuresBeforeCritical: fc.integer({ min: -3, max: 3 }),
  };
  const serviceFields = {
    Tags: fc.oneof(fc.constant(null), fc.array(fc.oneof(texts, fc.constant(null)))),
    Port: fc.integer(),
    Meta: fc.dictionary(texts, fc.oneof(texts, fc.constant(null))),
    Weights: fc.constantFrom(null, { Passing: 1, Warning: -1 }, {}),
    TaggedAddresses: fc.dictionary(texts, fc.constantFrom(null, { Address: "a", Port: 1 })),
    Check: fc.oneof(fc.constant(null), fc.record(checkFields, { requiredKeys: [] })),
    Checks: fc.array(fc.record(checkFields, { requiredKeys: [] }), { maxLength: 2 }),
  };
  fc.assert(
    fc.property(fc.record(serviceFields, { requiredKeys: [] }), texts, (definition, name) => {
      const rest = JSON.stringify(definition)
        .replace(/^{(?!})/, "{,")
        .slice(1, -1);
      const [fitting, other] = ["Name", "name"].map((key) =>
        service(`{"${key}":${JSON.stringify(name)}${rest}}`),
      );
      expect(fitting).toEqual(other);
      expect(Object.keys(fitting ?? {})).toEqual(Object.keys(ServiceDefinition.properties));
    }),
  );
});

test("records do not share their parts", () => {
  expect(register('{"Service":{}}').Service?.Weights).not.toBe(
    register('{"Service":{}}').Service?.Weights,
  );
});

test("maps have no prototype, and any key", () => {
  const { NodeMeta } = register('{"NodeMeta":{"__proto__":"a","constructor":"b"}}');
  expect(Object.getPrototypeOf(NodeMeta)).toBeNull();
  expect(Object.entries(NodeMeta ?? {})).toEqual([
    ["__proto__", "a"],
    ["constructor", "b"],
  ]);
});

test("keys match without regard to case, the exact one first, and aliases count", () => {
  const Both = struct("Both", { Ab: text(), AB: text() });
  expect(jsonDecoder(Both, { unknown: "refuse" })('{"AB":"exact","ab":"folded"}')).toEqual({
    Ab: "folded",
    AB: "exact",
  });
  expect(service('{"NAME":"a","enable_tag_override":true}')).toMatchObject({
    Name: "a",
    EnableTagOverride: true,
  });
  expect(check('{"args":["a"],"tls_skip_verify":true}')).toMatchObject({
    ScriptArgs: ["a"],
    TLSSkipVerify: true,
  });
});

test("a field's own name overrides its alias, whichever comes first", () => {
  expect(check('{"service_id":"alias","ServiceID":"own"}').ServiceID).toBe("own");
  expect(check('{"ServiceID":"own","service_id":"alias"}').ServiceID).toBe("own");
});

test("durations are texts or nanoseconds; other values are passed over", () => {
  expect(check('{"TTL":"15s","Interval":1500000000.7,"Timeout":true}')).toMatchObject({
    TTL: 15e9,
    Interval: 1_500_000_000,
    Timeout: 0,
  });
});

test("64 bits survive", () => {
  expect(entry('{"Flags":18446744073709551615}').Flags).toBe(2n ** 64n - 1n);
  expect(entry('{"Flags":42}').Flags).toBe(42n);
});

test("bytes are base64, or a list of numbers", () => {
  expect(entry('{"Value":"aGk="}').Value).toEqual(Uint8Array.of(104, 105));
  expect(entry('{"Value":[104,105]}').Value).toEqual(Uint8Array.of(104, 105));
  expect(entry('{"Value":null}').Value).toBeNull();
});

test("values without a schema keep their shape, with numbers as doubles", () => {
  const decode = jsonDecoder(struct("S", { V: any() }), { unknown: "refuse" });
  expect(decode('{"V":{"b":[1.5,12345678901234567890,{"c":null}]}}').V).toEqual(
    Object.assign(Object.create(null), { b: [1.5, 12345678901234567000, { c: null }] }),
  );
  const nested = (depth: number) => `{"V":${"[".repeat(depth)}${"]".repeat(depth)}}`;
  expect(() => decode(nested(1000))).not.toThrow();
  expect(() => decode(nested(1002))).toThrow("exceeded max depth");
});

test("initial values give way to what the JSON says, not to null", () => {
  const decode = jsonDecoder(Session, {
    unknown: "ignore",
    initial: { LockDelay: 15e9, Name: "n" },
  });
  expect(decode('{"Name":"m"}')).toMatchObject({ LockDelay: 15e9, Name: "m" });
  expect(decode('{"LockDelay":0,"Name":null}')).toMatchObject({ LockDelay: 0, Name: "n" });
  expect(decode('{"LockDelay":null}').LockDelay).toBe(15e9);
});

const into = (found: string, field: string, type: string) =>
  `json: cannot unmarshal ${found} into Go struct field ${field} of type ${type}`;
const value = (found: string, type: string) =>
  `json: cannot unmarshal ${found} into Go value of type ${type}`;

// Texts as Consul 1.8.7 answered them, without its prefix.
describe("refusals read as Go's", () => {
  test.each([
    [register, "[]", value("array", "structs.RegisterRequest")],
    [register, "12", value("number", "structs.RegisterRequest")],
    [register, '{"Node":1}', into("number", "RegisterRequest.Node", "string")],
    [register, '{"Node":true}', into("bool", "RegisterRequest.Node", "string")],
    [register, '{"Node":{}}', into("object", "RegisterRequest.Node", "string")],
    [register, '{"Node":1,"Address":2}', into("number", "RegisterRequest.Node", "string")],
    [register, '{"Service":{"Port":"x"}}', into("string", "NodeService.Service.Port", "int")],
    [register, '{"Service":{"Port":1.5}}', into("number 1.5", "NodeService.Service.Port", "int")],
    [register, '{"Service":{"Port":1e3}}', into("number 1e3", "NodeService.Service.Port", "int")],
    [register, '{"Service":{"Tags":"x"}}', into("string", "NodeService.Service.Tags", "[]string")],
    [register, '{"Service":{"Tags":[1]}}', into("number", "NodeService.Service.Tags", "string")],
    [
      register,
      '{"Service":{"Meta":[]}}',
      into("array", "NodeService.Service.Meta", "map[string]string"),
    ],
    [
      register,
      '{"Service":{"Meta":{"a":1}}}',
      into("number", "NodeService.Service.Meta", "string"),
    ],
    [register, '{"Service":[]}', into("array", "RegisterRequest.Service", "structs.NodeService")],
    [
      register,
      '{"Service":{"Weights":1}}',
      into("number", "NodeService.Service.Weights", "structs.Weights"),
    ],
    [
      register,
      '{"Service":{"Weights":{"Passing":"a"}}}',
      into("string", "Weights.Service.Weights.Passing", "int"),
    ],
    [
      register,
      '{"Service":{"TaggedAddresses":{"x":{"Port":"q"}}}}',
      into("string", "ServiceAddress.Service.TaggedAddresses.Port", "int"),
    ],
    [
      register,
      '{"Service":{"CreateIndex":-1}}',
      into("number -1", "NodeService.Service.CreateIndex", "uint64"),
    ],
    [
      register,
      '{"Service":{"Kind":1}}',
      into("number", "NodeService.Service.Kind", "structs.ServiceKind"),
    ],
    [
      register,
      '{"Service":{"Connect":{"Native":1}}}',
      into("number", "NodeService.Service.Connect", "bool"),
    ],
    [
      register,
      '{"Service":{"Proxy":{"Upstreams":[{"LocalBindPort":"x"}]}}}',
      into("string", "NodeService.Service.Proxy", "int"),
    ],
    [
      register,
      '{"Service":{"Proxy":{"local_service_port":"x"}}}',
      into("string", "NodeService.Service.Proxy", "int"),
    ],
    [
      register,
      '{"Service":{"Proxy":{"MeshGateway":{"Mode":1}}}}',
      into("number", "NodeService.Service.Proxy", "structs.MeshGatewayMode"),
    ],
    [register, '{"Checks":{}}', into("object", "RegisterRequest.Checks", "structs.HealthChecks")],
    [register, '{"Checks":[1]}', into("number", "RegisterRequest.Checks", "structs.HealthCheck")],
    [register, '{"Checks":[{"Status":3}]}', into("number", "HealthCheck.Checks.Status", "string")],
    [
      register,
      '{"Check":{"Definition":{"HTTP":1}}}',
      into("number", "HealthCheck.Check.Definition", "string"),
    ],
    [
      register,
      '{"Check":{"Definition":{"Header":{"a":"b"}}}}',
      into("string", "HealthCheck.Check.Definition", "[]string"),
    ],
    [register, '{"Check":{"Definition":{"Interval":"abc"}}}', 'time: invalid duration "abc"'],
    [
      register,
      '{"Service":{"Port":"x"},"Check":{"Definition":{"Interval":"abc"}}}',
      'time: invalid duration "abc"',
    ],
    [register, '{"Nope":1,"Zip":2}', 'json: unknown field "Nope"'],
    [
      register,
      '{"Service":{"Port":"x"},"Zip":1}',
      into("string", "NodeService.Service.Port", "int"),
    ],
    [register, '{"Zip":1,"Service":{"Port":"x"}}', 'json: unknown field "Zip"'],
    [register, '{"Service":{"nope":{"x":1}}}', 'json: unknown field "nope"'],
    [
      register,
      '{"Namespace":"x"}',
      'json: unknown field "Namespace" - Namespaces are a Consul Enterprise feature',
    ],
    [
      register,
      '{"Service":{"Namespace":"x"}}',
      'json: unknown field "Namespace" - Namespaces are a Consul Enterprise feature',
    ],
    [register, '{"namespace":"x"}', 'json: unknown field "namespace"'],
    [service, '{"Port":"x"}', into("string", ".Port", "int")],
    [service, '{"Port":1.0}', into("number 1.0", ".Port", "int")],
    [service, '{"Namespace":"x"}', 'json: unknown field "Namespace"'],
    [service, '{"Zip\\u0001<é\\"":1}', 'json: unknown field "Zip\\x01<é\\""'],
    [service, '{"Check":{"HTTP":1}}', into("number", ".Check", "string")],
    [service, '{"Check":{"TTL":"abc","HTTP":1}}', into("number", ".Check", "string")],
    [service, '{"Check":{"TTL":"abc","Interval":"xyz"}}', 'time: invalid duration "xyz"'],
    [service, '{"Port":"x","Check":{"TTL":"abc"}}', 'time: invalid duration "abc"'],
    [service, '{"Name":1,"Check":{"Nope":1}}', 'json: unknown field "Nope"'],
    [service, '{"Checks":[{"Args":"x"}]}', into("string", ".Checks", "[]string")],
    [service, '{"Checks":{}}', into("object", ".Checks", "structs.CheckTypes")],
    [service, '{"Weights":{"Passing":"x"}}', into("string", "Weights.Weights.Passing", "int")],
    [service, '{"Connect":{"Native":"x"}}', into("string", ".Connect", "bool")],
    [
      service,
      '{"tagged_addresses":{"lan":{"address":1}}}',
      into("number", "ServiceAddress.tagged_addresses.Address", "string"),
    ],
    [service, '{"Proxy":{"Config":{"x":1e999}}}', into("number 1e999", ".Proxy", "float64")],
    [service, '{"Proxy":{"Config":[]}}', into("array", ".Proxy", "map[string]interface {}")],
    [check, '{"ID":1}', into("number", ".ID", "types.CheckID")],
    [check, '{"OutputMaxSize":1.5}', into("number 1.5", ".OutputMaxSize", "int")],
    [session, '{"TTL":1}', into("number", ".TTL", "string")],
    [session, '{"LockDelay":"x"}', 'time: invalid duration "x"'],
    [
      session,
      '{"ServiceChecks":[{"ID":1}]}',
      into("number", "ServiceCheck.ServiceChecks.ID", "string"),
    ],
    [session, '{"CreateIndex":"1"}', into("string", ".CreateIndex", "uint64")],
    [deregister, '{"Node":1}', into("number", ".Node", "string")],
    [
      deregister,
      '{"Namespace":"a"}',
      'json: unknown field "Namespace" - Namespaces are a Consul Enterprise feature',
    ],
    [entry, '{"Value":"YWJj!"}', "illegal base64 data at input byte 4"],
    [entry, '{"Value":5}', into("number", "DirEntry.Value", "[]uint8")],
    [entry, '{"Value":["x"]}', into("string", "DirEntry.Value", "uint8")],
    [entry, '{"Flags":-1}', into("number -1", "DirEntry.Flags", "uint64")],
    [
      entry,
      '{"Flags":18446744073709551616}',
      into("number 18446744073709551616", "DirEntry.Flags", "uint64"),
    ],
    [entry, '{"Value":"!!","Flags":"x"}', "illegal base64 data at input byte 0"],
    [entry, '{"Flags":"x","Value":"!!"}', into("string", "DirEntry.Flags", "uint64")],
    [entry, "{", "unexpected EOF"],
  ])("%# %s", (decode, json, message) => {
    expect(() => decode(json)).toThrow(expect.objectContaining({ code: "request/bad", message }));
  });
});

test.each([
  [register, '{"Check":{"Definition":{"Nope":1}}}'],
  [register, '{"Service":{"Connect":{"Nope":1}}}'],
  [session, '{"Nope":1,"Namespace":1}'],
  [service, '{"Name":"a"} trailing'],
])("%# is accepted: %s", (decode, json) => {
  expect(() => decode(json)).not.toThrow();
});

test("decodes what was encoded", () => {
  const All = struct("All", {
    Text: text(),
    Bool: bool(),
    Int: int(),
    Float: float(),
    Uint: uint64(),
    Bytes: bytes(),
    List: list(map(text())),
    Pointer: pointer(struct("Inner", { A: text() })),
  });
  const records = fc.record({
    Text: fc.string({ unit: "grapheme" }),
    Bool: fc.boolean(),
    Int: fc.maxSafeInteger(),
    Float: fc.double({ noDefaultInfinity: true, noNaN: true }),
    Uint: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    Bytes: fc.option(fc.uint8Array({ minLength: 1 })),
    List: fc.option(
      fc.array(fc.dictionary(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }))),
    ),
    Pointer: fc.option(fc.record({ A: fc.string({ unit: "grapheme" }) })),
  });
  const [encode, decode] = [jsonEncoder(All), jsonDecoder(All, { unknown: "refuse" })];
  fc.assert(
    fc.property(records, (record) => {
      const json = encode(record);
      expect(decode(json)).toEqual(record);
      expect(encode(decode(json))).toBe(json);
    }),
  );
});

test("any JSON is decoded or refused", () => {
  const names = fc.constantFrom(
    "Node",
    "Service",
    "Check",
    "Checks",
    "Port",
    "Definition",
    "TTL",
    "Value",
    "__proto__",
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(null, true, 1, 1.5, "", "x", "10s"),
      fc.array(tie("tree"), { maxLength: 2 }),
      fc.dictionary(names, tie("tree"), { maxKeys: 3 }),
    ),
  }));
  fc.assert(
    fc.property(tree, (json) => {
      for (const decode of [register, service, check, session, entry]) {
        try {
          decode(JSON.stringify(json));
        } catch (error) {
          expect(error).toMatchObject({ code: "request/bad" });
        }
      }
    }),
    { numRuns: 500 },
  );
});
