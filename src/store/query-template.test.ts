import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BLANK_QUERY, type PreparedQuery } from "../model/index.ts";
import { parseTemplate, renderTemplate } from "./query-expression.ts";
import { compileQuery } from "./query-template.ts";

function template(
  service: Partial<PreparedQuery["Service"]>,
  of: Partial<PreparedQuery["Template"]> & { readonly name?: string } = {},
): PreparedQuery {
  const { name: Name = "geo-", ...options } = of;
  return {
    ...BLANK_QUERY,
    Name,
    Template: { ...BLANK_QUERY.Template, Type: "name_prefix_match", ...options },
    Service: { ...BLANK_QUERY.Service, ...service },
  };
}

// What Consul 1.8.7 answers to `/v1/query/<name>/explain`.
describe("a text is made from the name", () => {
  test.each<readonly [text: string, regexp: string, name: string, rendered: string]>([
    ["web", "", "geo-x", "web"],
    ["${name.full}|${name.prefix}|${name.suffix}", "", "geo-x", "geo-x|geo-|x"],
    ["${ name.full }", "", "geo-x", "geo-x"],
    ["${name.suffix}", "", "GEO-x", "GEO-x"],
    ["${match(0)}|${match(1)}|${match(2)}", "^geo-(.*?)-(.*)$", "geo-a-b", "geo-a-b|a|b"],
    ["${match(1)}", "^geo-(.*)$", "GEO-x", ""],
    ["[${match(7)}${match(-1)}]", "^geo-(.*)$", "geo-x", "[]"],
    ["[${match(0)}]", "", "geo-x", "[]"],
    ['${match("1")}${match(1.5)}', "^geo-(.*)$", "geo-x", "xx"],
    ["$${name.full}-$x-$$-a}b", "", "geo-x", "${name.full}-$x-$-a}b"],
    ["a${agent.segment}b", "", "geo-x", "ab"],
  ])("%j with %j for %j", (Service, Regexp, name, rendered) => {
    const query = compileQuery(template({ Service }, { Regexp })).render(name);
    expect(query.Service.Service).toBe(rendered);
  });
});

test("all texts of the service are rendered, keys of metadata are not, empty tags go where asked", () => {
  const Service = {
    Service: "web",
    Tags: ["${match(1)}", "", "v"],
    Near: "${name.suffix}",
    IgnoreCheckIDs: ["${name.full}"],
    Failover: { NearestN: 1, Datacenters: ["${name.suffix}"] },
    NodeMeta: { k: "${name.suffix}" },
    ServiceMeta: { "${name.full}": "x" },
  };
  const rendered = compileQuery(template(Service, { RemoveEmptyTags: true })).render("geo-x");
  expect(rendered.Service).toEqual({
    ...BLANK_QUERY.Service,
    Service: "web",
    Tags: ["v"],
    Near: "x",
    IgnoreCheckIDs: ["geo-x"],
    Failover: { NearestN: 1, Datacenters: ["x"] },
    NodeMeta: { k: "x" },
    ServiceMeta: { "${name.full}": "x" },
  });
  expect(rendered.Template.Type).toBe("name_prefix_match");
});

interface Recorded {
  readonly text: string;
  readonly rendered?: string;
  readonly refused?: string;
}
/** What Consul 1.8.7 makes of `text` for the name `p-abc-12`, as a template called `p-`. */
const RECORDED = JSON.parse(
  readFileSync(new URL("testdata/query-templates.json", import.meta.url), "utf8"),
) as readonly Recorded[];

function renderedFor(Service: string): string {
  const Regexp = "^[a-z0-9]*-(.*?)-(.*)$";
  const query = compileQuery(template({ Service }, { name: "p-", Regexp }));
  return query.render("p-abc-12").Service.Service;
}

test.each(RECORDED)("as Consul: $text", ({ text, rendered, refused }) => {
  if (refused === undefined) expect(renderedFor(text)).toBe(rendered);
  else expect(() => renderedFor(text)).toThrow(`failed compiling template: ${refused}`);
});

// A Consul server that is given one of these as a query stops.
test.each([
  ['${"1" + 2}', "3"],
  ['${match("1")}', "abc"],
  ['${-"1"}', "-1"],
])("a text that is a whole number is one: %s", (text, rendered) => {
  expect(renderedFor(text)).toBe(rendered);
});
test.each([
  [
    "${1 / 0}",
    "Bad evaluation for '${1 / 0}' in Service.Service: At column 3, line 1: divide by zero",
  ],
  [
    "${1 % 0}",
    "Bad evaluation for '${1 % 0}' in Service.Service: At column 3, line 1: divide by zero",
  ],
  ["${+ 1}", "Bad format '${+ 1}' in Service.Service: parse error: syntax error"],
  ["${1 ** 2}", "Bad format '${1 ** 2}' in Service.Service: parse error: syntax error"],
])("what would stop a Consul server is refused: %s", (text, refused) => {
  expect(() => renderedFor(text)).toThrow(`failed compiling template: ${refused}`);
});

test("a calculation may be long", () => {
  expect(renderedFor(`\${1${" + 1".repeat(100_000)}}`)).toBe("100001");
});

// Texts of Consul 1.8.7.
describe("what cannot be rendered is refused", () => {
  test.each<
    readonly [Partial<PreparedQuery["Service"]>, Partial<PreparedQuery["Template"]>, string]
  >([
    [{}, { Type: "zz" }, "Bad Template.Type 'zz'"],
    [{}, { Regexp: "(" }, "Bad Regexp: error parsing regexp: missing closing ): `(`"],
    [
      { Service: "${name.full" },
      {},
      "Bad format '${name.full' in Service.Service: parse error: syntax error",
    ],
    [{ Service: "${}" }, {}, "Bad format '${}' in Service.Service: parse error: syntax error"],
    [
      { Tags: ["a", "${zz"] },
      {},
      "Bad format '${zz' in Service.Tags[1]: parse error: syntax error",
    ],
    [
      { NodeMeta: { k: "${zz" } },
      {},
      "Bad format '${zz' in Service.NodeMeta[k]: parse error: syntax error",
    ],
    [
      { Service: "${bogus}" },
      {},
      "Bad evaluation for '${bogus}' in Service.Service: 1:3: unknown variable accessed: bogus",
    ],
    [
      { Service: "${match(a)}" },
      {},
      "Bad evaluation for '${match(a)}' in Service.Service: 1:9: unknown variable accessed: a",
    ],
    [
      { Service: "${foo(1)}" },
      {},
      "Bad evaluation for '${foo(1)}' in Service.Service: 1:3: unknown function called: foo",
    ],
    [
      { Service: "${match()}" },
      {},
      "Bad evaluation for '${match()}' in Service.Service: 1:3: match: expected 1 arguments, got 0",
    ],
  ])("%j %j", (service, options, fault) => {
    const compile = () => compileQuery(template({ Service: "x", ...service }, options));
    expect(compile).toThrow(`failed compiling template: ${fault}`);
  });
});

test("a small template cannot be blown up by a long name", () => {
  const Service = "${name.full}".repeat(2_000);
  const { render } = compileQuery(template({ Service }));
  expect(() => render(`geo-${"x".repeat(10_000)}`)).toThrow("Rendered query is too large");
});

test("any text is parsed or refused, and what has no dollar means itself", () => {
  const pieces = fc.constantFrom(
    "$",
    "{",
    "}",
    "${",
    "$$",
    "(",
    ")",
    ",",
    '"',
    "\\",
    "name.full",
    "match",
    "1",
    "2.5",
    "+",
    "-",
    "*",
    "/",
    "%",
    "[",
    "]",
    " ",
    "é",
  );
  const text = fc.array(pieces, { maxLength: 14 }).map((parts) => parts.join(""));
  const scope = { variables: { "name.full": "N" }, functions: { match: String } };
  fc.assert(
    fc.property(text, (source) => {
      try {
        const rendered = renderTemplate(parseTemplate(source), scope);
        if (!source.includes("$")) expect(rendered).toBe(source);
      } catch (error) {
        expect(error).toMatchObject({ code: "request/refused" });
      }
    }),
    { numRuns: 3000 },
  );
  expect(() => parseTemplate(`\${${"match(".repeat(100)}1${")".repeat(100)}}`)).toThrow("syntax");
});
