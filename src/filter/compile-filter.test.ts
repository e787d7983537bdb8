import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  BLANK_CHECK,
  BLANK_PROXY,
  BLANK_SERVICE,
  CheckServiceNode,
  HealthCheck,
  Node,
  NodeService,
  ServiceNode,
  type TSchema,
} from "../model/index.ts";
import { RollcallError } from "../errors/index.ts";
import { SimRandom } from "../platform/sim/index.ts";
import { compileFilter } from "./compile-filter.ts";
import type { Expression, Match } from "./expression.ts";
import { expressions, printExpression } from "./testkit.ts";

const upstream = {
  DestinationType: "",
  DestinationNamespace: "",
  Datacenter: "",
  LocalBindAddress: "",
  Config: null,
  MeshGateway: { Mode: "" },
};
const web: CheckServiceNode = {
  Node: {
    ID: "11111111-2222-3333-4444-555555555555",
    Node: "n1",
    Address: "10.0.0.1",
    Datacenter: "dc1",
    TaggedAddresses: { lan: "1.1.1.1" },
    Meta: { rack: "r1", "a-b": "z", empty: "" },
    CreateIndex: 5,
    ModifyIndex: 6,
  },
  Service: {
    ...BLANK_SERVICE,
    ID: "w1",
    Service: "web",
    Tags: ["a", "b"],
    Port: 80,
    EnableTagOverride: true,
    TaggedAddresses: { lan: { Address: "9.9.9.9", Port: 90 } },
    Proxy: {
      ...BLANK_PROXY,
      DestinationServiceName: "db",
      Upstreams: [
        { ...upstream, DestinationName: "u1", LocalBindPort: 1 },
        { ...upstream, DestinationName: "u2", LocalBindPort: 2 },
      ],
    },
  },
  Checks: [
    { ...BLANK_CHECK, CheckID: "c1", Status: "passing", ServiceTags: ["a", "b"] },
    { ...BLANK_CHECK, CheckID: "c2", Status: "critical", ServiceTags: ["a", "b"] },
  ],
};
const bare: CheckServiceNode = {
  Node: { ...web.Node, TaggedAddresses: null, Meta: null },
  Service: { ...BLANK_SERVICE, ID: "w2", Service: "web", Port: 81 },
  Checks: [],
};

// What Consul 1.8.7 answered for the same records: whether the first is kept, and the second.
describe("keeps", () => {
  test.each([
    ["", true, true],
    ["Node.Node==n1", true, true],
    ["Node.Meta.rack==r1", true, false],
    ['Node.Meta["a-b"]==z', true, false],
    ["Node.Meta.nope==x", false, false],
    ["Node.Meta.nope!=x", true, true],
    ["Node.Meta.nope matches x", true, true],
    ["Node.Meta.nope not matches x", true, true],
    ["x in Node.Meta.nope", false, false],
    ["x not in Node.Meta.nope", true, true],
    ["rack in Node.Meta", true, false],
    ["toString in Node.Meta", false, false],
    ["Node.Meta.constructor!=x", true, true],
    ["Node.Meta not contains rack", false, true],
    ["Node.Meta is empty", false, true],
    ['"0.0" in Node.Address', true, true],
    ['Node.Address matches "^10[.]"', true, true],
    ["Service.Port==80", true, false],
    ['Service.Port=="0x50"', true, false],
    ["Service.Port!=80", false, true],
    ["Service.EnableTagOverride==T", true, false],
    ["Service.EnableTagOverride!=1", false, true],
    ["a in Service.Tags", true, false],
    ["a not in Service.Tags", false, true],
    ["Service.Tags is empty", false, true],
    ["Service.TaggedAddresses.lan.Port==90", true, false],
    ["Service.TaggedAddresses.wan.Port!=90", true, true],
    ["lan in Service.TaggedAddresses", true, false],
    ["Service.Connect.Native==false", true, true],
    ["Service.Proxy.Upstreams is empty", false, true],
    ["Service.Proxy.Upstreams.LocalBindPort==2", true, false],
    ["Service.Proxy.Upstreams.DestinationName!=u1", true, false],
    ["not Service.Proxy.Upstreams.DestinationName==u1", false, true],
    ["u not in Service.Proxy.Upstreams.DestinationName", false, false],
    ["u1 not in Service.Proxy.Upstreams.DestinationName", true, false],
    ["Service.Proxy.Expose.Paths is empty", true, true],
    ["Checks is empty", false, true],
    ["Checks.Status==critical", true, false],
    ["Checks.Status!=critical", true, false],
    ["not Checks.Status==critical", false, true],
    ["a in Checks.ServiceTags", true, false],
    ["Checks.ServiceTags is empty", false, false],
    ["Service.Port==80 and Node.Meta is empty or Checks is empty", false, true],
  ])("%s: %j, %j", (expression, first, second) => {
    const filter = compileFilter(expression, CheckServiceNode);
    expect([filter(web), filter(bare)]).toEqual([first, second]);
  });
});

const invalid = (selector: string) => `Selector "${selector}" is not valid`;
const operator = (name: string, selector: string) =>
  `Invalid match operator "${name}" for selector "${selector}"`;

// Texts as Consul 1.8.7 answered them.
describe("refuses", () => {
  test.each<[TSchema, string, string]>([
    [Node, "Nope==1", invalid("Nope")],
    [Node, "node==n1", invalid("node")],
    [Node, "constructor==n1", invalid("constructor")],
    [Node, "CreateIndex==1", invalid("CreateIndex")],
    [Node, "ModifyIndex==1", invalid("ModifyIndex")],
    [Node, "Node.x==1", invalid("Node.x")],
    [Node, "Meta.x.y==1", invalid("Meta.x.y")],
    [Node, "Node==n1 or Nope==1", invalid("Nope")],
    [Node, "Meta==1", operator("Equal", "Meta")],
    [Node, "Meta not matches x", operator("Not Matches", "Meta")],
    [Node, "Node is empty", operator("Is Empty", "Node")],
    [Node, "Meta.x is not empty", operator("Is Not Empty", "Meta.x")],
    [ServiceNode, "ServicePort contains 8", operator("In", "ServicePort")],
    [ServiceNode, "ServicePort not matches 8", operator("Not Matches", "ServicePort")],
    [ServiceNode, "ServiceTags==a", operator("Equal", "ServiceTags")],
    [ServiceNode, "ServiceTags.x==a", invalid("ServiceTags.x")],
    [ServiceNode, "ServiceConnect is empty", operator("Is Empty", "ServiceConnect")],
    [ServiceNode, "ServiceProxy.Config.x==1", invalid("ServiceProxy.Config")],
    [ServiceNode, "x in ServiceProxy.Upstreams", operator("In", "ServiceProxy.Upstreams")],
    [ServiceNode, "ServiceTaggedAddresses.lan.Foo==1", invalid("ServiceTaggedAddresses.lan.Foo")],
    [
      ServiceNode,
      "ServiceTaggedAddresses.lan==90",
      operator("Equal", "ServiceTaggedAddresses.lan"),
    ],
    [
      ServiceNode,
      "ServicePort==abc",
      'Failed to coerce value "abc" for selector "ServicePort": strconv.ParseInt: parsing "abc": invalid syntax',
    ],
    [
      ServiceNode,
      'ServicePort=="99999999999999999999"',
      'Failed to coerce value "99999999999999999999" for selector "ServicePort": strconv.ParseInt: parsing "99999999999999999999": value out of range',
    ],
    [
      ServiceNode,
      "ServiceEnableTagOverride!=yes",
      'Failed to coerce value "yes" for selector "ServiceEnableTagOverride": strconv.ParseBool: parsing "yes": invalid syntax',
    ],
    [HealthCheck, 'Definition.HTTP==""', invalid("Definition")],
    [CheckServiceNode, 'Checks.Definition.HTTP==""', invalid("Checks.Definition")],
    [CheckServiceNode, "Service is empty", operator("Is Empty", "Service")],
    [NodeService, "Node.Node==n1", invalid("Node")],
    [
      Node,
      'Node matches "n["',
      'Failed to compile regular expression "n[": error parsing regexp: missing closing ]: `[`',
    ],
    [
      Node,
      'Node matches "\\\\1"',
      'Failed to compile regular expression "\\\\1": error parsing regexp: invalid escape sequence: `\\1`',
    ],
    [Node, "Meta[", '1:6 (5): rule "index": Invalid index'],
  ])("%#: %s %s", (schema, expression, detail) => {
    expect(() => compileFilter(expression, schema)).toThrow(
      expect.objectContaining({
        code: "request/refused",
        message: `Failed to create boolean expression evaluator: ${detail}`,
      }),
    );
  });
});

test("what Consul lets filters name, by kind of record", () => {
  const selectable = (schema: TSchema, names: string[]): string[] =>
    names.filter((name) => {
      try {
        compileFilter(`${name} == 1 or ${name} != 1`, schema);
        return true;
      } catch (error) {
        return !String(error).includes("is not valid");
      }
    });
  for (const schema of [Node, ServiceNode, NodeService, HealthCheck, CheckServiceNode]) {
    const hidden = new Set(["CreateIndex", "ModifyIndex", "Definition"]);
    const names = Object.keys(schema.properties);
    expect(selectable(schema, names)).toEqual(names.filter((name) => !hidden.has(name)));
  }
});

/** A second reading of an expression, on the record alone and without its schema. */
function naive(expression: Expression, record: object): boolean {
  switch (expression.kind) {
    case "match":
      return naiveMatch(expression, expression.selector, record);
    case "not":
      return !naive(expression.operand, record);
    case "and":
      return !expression.operands.some((operand) => !naive(operand, record));
    case "or":
      return !expression.operands.every((operand) => !naive(operand, record));
  }
}

function naiveMatch(match: Match, [step, ...rest]: readonly string[], value: unknown): boolean {
  if (step !== undefined && Array.isArray(value)) {
    return value.filter((item) => naiveMatch(match, [step, ...rest], item)).length > 0;
  }
  if (step !== undefined) {
    const entries = new Map(Object.entries(value ?? {}));
    if (entries.has(step)) return naiveMatch(match, rest, entries.get(step));
    return !["Equal", "In", "Is Not Empty"].includes(match.operator);
  }
  const positive = match.operator.replace("Not ", "");
  const size = typeof value === "object" ? Object.keys(value ?? {}).length : 0;
  const members = Array.isArray(value) ? value : Object.keys(value ?? {});
  const holds = {
    Equal: () => String(value) === match.value,
    In: () =>
      typeof value === "string" ? value.indexOf(match.value) >= 0 : members.includes(match.value),
    "Is Empty": () => size === 0,
    Matches: () => new RegExp(match.value, "u").test(String(value)),
  }[positive];
  return holds?.() !== (positive !== match.operator);
}

const values = fc.constantFrom("a", "b", "n1", "x", "");
const texts = fc.constantFrom(
  ["Node", "Node"],
  ["Node", "Meta", "k"],
  ["Checks", "Status"],
  ["Service", "ID"],
);
const numbers = fc.constantFrom(
  ["Service", "Port"],
  ["Service", "Weights", "Passing"],
  ["Service", "TaggedAddresses", "k", "Port"],
);
const containers = fc.constantFrom(
  ["Node", "Meta"],
  ["Service", "Tags"],
  ["Checks", "ServiceTags"],
);
const matchOf = (
  selector: fc.Arbitrary<readonly string[]>,
  operators: Match["operator"][],
  value: fc.Arbitrary<string>,
) =>
  fc.record({
    kind: fc.constant("match" as const),
    selector,
    operator: fc.constantFrom(...operators),
    value,
  });
const validMatch = fc.oneof(
  matchOf(texts, ["Equal", "Not Equal", "In", "Not In", "Matches", "Not Matches"], values),
  matchOf(numbers, ["Equal", "Not Equal"], fc.constantFrom("0", "1", "80")),
  matchOf(containers, ["In", "Not In"], values),
  matchOf(containers, ["Is Empty", "Is Not Empty"], fc.constant("")),
);
const meta = fc.option(fc.dictionary(fc.constantFrom("k", "a", "b"), values));
const records = fc
  .record({
    name: values,
    meta,
    id: values,
    tags: fc.option(fc.array(values, { maxLength: 2 })),
    port: fc.constantFrom(0, 1, 80),
    addresses: fc.option(
      fc.dictionary(
        fc.constantFrom("k", "l"),
        fc.record({ Address: values, Port: fc.constantFrom(1, 80) }),
      ),
    ),
    checks: fc.array(
      fc.record({ Status: values, ServiceTags: fc.option(fc.array(values, { maxLength: 2 })) }),
      { maxLength: 2 },
    ),
  })
  .map(({ name, meta, id, tags, port, addresses, checks }): CheckServiceNode => ({
    Node: { ...web.Node, Node: name, Meta: meta },
    Service: { ...BLANK_SERVICE, ID: id, Tags: tags, Port: port, TaggedAddresses: addresses },
    Checks: checks.map((check) => ({ ...BLANK_CHECK, ...check })),
  }));

test("means what a plain reading of the expression means", () => {
  fc.assert(
    fc.property(expressions(validMatch), records, (expression, record) => {
      const filter = compileFilter(printExpression(expression), CheckServiceNode);
      expect(filter(record)).toBe(naive(expression, record));
    }),
    { numRuns: 1000 },
  );
});

test("De Morgan", () => {
  fc.assert(
    fc.property(expressions(validMatch), expressions(validMatch), records, (a, b, record) => {
      const [left, right] = [printExpression(a), printExpression(b)];
      const outside = compileFilter(`not ((${left}) and (${right}))`, CheckServiceNode);
      const inside = compileFilter(`not (${left}) or not (${right})`, CheckServiceNode);
      expect(outside(record)).toBe(inside(record));
    }),
  );
});

test("any text is compiled or refused, and what is compiled answers", () => {
  const words = fc.constantFrom(
    ..."Node Meta Service.Port Checks Checks.Status Tags nope . == != in not contains is empty matches and or ( ) 80 x".split(
      " ",
    ),
    '"("',
  );
  fc.assert(
    fc.property(fc.array(words, { maxLength: 9 }), (parts) => {
      try {
        const filter = compileFilter(parts.join(" "), CheckServiceNode);
        expect(typeof filter(web)).toBe("boolean");
        expect(typeof filter(bare)).toBe("boolean");
      } catch (error) {
        expect(error).toMatchObject({ code: "request/refused" });
      }
    }),
    { numRuns: 2000 },
  );
});

const RUNS = Number(process.env["FUZZ_RUNS"] ?? 20_000);
/** As long as twenty thousand may take, for as many as there are. */
const LIMIT_MS = 60_000 * Math.max(1, RUNS / 20_000);
const SAMPLES = [
  'Node.Meta["a-b"] == z and (Service.Tags contains a or not Checks.Status != passing)',
  "Service.Port == 80 and Service.Meta is not empty",
  'Node.Address matches "^10[.]0[.]" and "b" in Service.Tags',
  "Checks.CheckID not matches `(c|d)+[0-9]{1,3}` or Service.EnableTagOverride == true",
  'Service.Proxy.Upstreams.DestinationName == "u\\x31" or Service.TaggedAddresses["lan"].Port == 90',
];
/** Most are letters and digits, so that some of what comes out means something. */
const PIECES = [
  ...Array.from("abcdefnoprstxABCNMPS0123456789".repeat(3)),
  ...Array.from('()[]."`\\=! \0\uFFFD*+?{}|^$'),
  ...' and | or |not | in | contains | is | empty| matches |==|!=|Node.|Meta|["a"]|(?i)|{9}'.split(
    "|",
  ),
];

function broken(sample: string, chance: SimRandom): string {
  let text = sample;
  for (let edits = chance.between(1, 4); edits > 0; edits--) {
    const at = chance.between(0, text.length);
    const piece = PIECES[chance.between(0, PIECES.length - 1)] ?? "";
    text = text.slice(0, at) + piece + text.slice(at + chance.between(0, 3));
  }
  return text;
}

test(`${RUNS} mutated expressions are each compiled or refused`, { timeout: LIMIT_MS }, () => {
  const chance = new SimRandom("fuzz");
  const counts = { compiled: 0, refused: 0 };
  for (let i = 0; i < RUNS; i++) {
    const text = broken(SAMPLES[i % SAMPLES.length] ?? "", chance);
    try {
      const filter = compileFilter(text, CheckServiceNode);
      if (typeof filter(web) !== "boolean" || typeof filter(bare) !== "boolean") {
        expect.fail(`no answer from ${JSON.stringify(text)}`);
      }
      counts.compiled += 1;
    } catch (error) {
      if (!(error instanceof RollcallError) || error.code !== "request/refused") {
        throw new Error(`not refused as it should be: ${JSON.stringify(text)}`, { cause: error });
      }
      counts.refused += 1;
    }
  }
  expect(counts.compiled).toBeGreaterThan(RUNS / 100);
  expect(counts.refused).toBeGreaterThan(RUNS / 20);
});

describe("a filter that would keep the agent busy", () => {
  const slow = 'Output matches "(a?){1000}a{1000}b"';
  const record = { ...BLANK_CHECK, Output: "a".repeat(4096) };

  test("fails soon, and can still look at what is small", () => {
    const filter = compileFilter(slow, HealthCheck);
    expect(() => filter(record)).toThrow(
      expect.objectContaining({
        code: "request/refused",
        message: "Filter takes too long: its regular expressions are too complex for these texts",
      }),
    );
    expect(filter({ ...BLANK_CHECK, Output: "a" })).toBe(false);
  });

  test("has one budget for all of its regular expressions", () => {
    const many = Array.from({ length: 11 }, () => 'Output matches "a{1000}"').join(" or ");
    expect(() => compileFilter(many, HealthCheck)).toThrow("expression too large");
  });

  test("is told from one that has much to look at", () => {
    const filter = compileFilter('Output matches "^.*(?i)ERROR.*$"', HealthCheck);
    expect(Array.from({ length: 500 }, () => filter(record))).not.toContain(true);
  });
});
