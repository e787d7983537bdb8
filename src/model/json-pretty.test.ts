import * as fc from "fast-check";
import { expect, test } from "vitest";
import { prettyJson } from "./json-pretty.ts";

test("braces in strings are text, and empty containers stay closed", () => {
  expect(prettyJson('{"a":"{[,:\\"}","b":[],"c":{},"d":[1,{"e":"\\\\"}]}')).toBe(
    [
      "{",
      '    "a": "{[,:\\"}",',
      '    "b": [],',
      '    "c": {},',
      '    "d": [',
      "        1,",
      "        {",
      '            "e": "\\\\"',
      "        }",
      "    ]",
      "}",
    ].join("\n"),
  );
});

test("indents as JSON.stringify does", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const value: unknown = JSON.parse(text);
      expect(prettyJson(JSON.stringify(value))).toBe(JSON.stringify(value, null, 4));
    }),
  );
});
