/**
 * The same files, validated by Consul 1.8.7 and by this room: testdata/consul-validate.json holds what
 * Consul printed, testdata/differences.json where this room answers otherwise on purpose, and why.
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { messageOf } from "../errors/index.ts";
import { validateConfig } from "./load.ts";
import { machine } from "./testkit.ts";

interface Recorded {
  readonly format: "hcl" | "json";
  readonly text: string;
  readonly answer: string;
}
interface Difference {
  readonly text: string;
  readonly ours: string;
  readonly why: string;
}
const testdata = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`testdata/${name}`, import.meta.url), "utf8"));
const recorded = testdata("consul-validate.json") as readonly Recorded[];
const differences = new Map(
  (testdata("differences.json") as readonly Difference[]).map((row) => [row.text, row]),
);

/** What is added to Consul's texts. */
const ADDED = [/ \(did you mean [^)]*\)/g, / \(line \d+, column \d+\)/g];
const withoutAdditions = (text: string): string =>
  ADDED.reduce((shorter, pattern) => shorter.replaceAll(pattern, ""), text);
/** Consul lists unknown keys and warnings in any order. */
const sortedLines = (text: string): string => text.split("\n").toSorted().join("\n");

async function answer({ format, text }: Recorded): Promise<string> {
  const platform = await machine({ [`/etc/a.${format}`]: text });
  try {
    const warnings = await validateConfig([`/etc/a.${format}`], { platform });
    const told = warnings.filter((warning) => !warning.includes("has no effect in this version"));
    return ["Configuration is valid!", ...told].join("\n");
  } catch (error) {
    const message = messageOf(error).replaceAll("/etc/a.", "a.").replace(/\n+$/, "");
    return withoutAdditions(`Config validation failed: ${message}`);
  }
}

test.each(recorded)("$format $text", async (row) => {
  const expected = differences.get(row.text)?.ours ?? row.answer;
  expect(sortedLines(await answer(row))).toBe(sortedLines(expected));
});

test("every difference is about a recorded file, and is one", () => {
  for (const { text, ours } of differences.values()) {
    const row = recorded.find((one) => one.text === text);
    expect(row, text).toBeDefined();
    expect(row?.answer).not.toBe(ours);
  }
});
