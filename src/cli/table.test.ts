import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { table, tabbed } from "./table.ts";

describe("table", () => {
  test("pads every column but the last, by characters and not by bytes", () => {
    const rows = [
      ["Node", "ID", "Meta"],
      ["éé世|x", "", "a=é b "],
      ["n1", "11111111", ""],
    ];
    expect(table(rows).split("\n")).toEqual([
      "Node   ID        Meta",
      "éé世|x            a=é b",
      "n1     11111111  ",
    ]);
  });

  test("its columns start at the same place in every line", () => {
    const cell = fc.stringMatching(/^[a-z=]{0,12}$/);
    const rows = fc.array(fc.tuple(cell, cell, cell), { minLength: 1 });
    fc.assert(
      fc.property(rows, (cells) => {
        const lines = table(cells).split("\n");
        const [first, second] = [0, 1].map((column) =>
          Math.max(...cells.map((row) => (row[column] ?? "").length + 2)),
        ) as [number, number];
        for (const [index, line] of lines.entries()) {
          expect(line.slice(0, first).trimEnd()).toBe(cells[index]?.[0]);
          expect(line.slice(first, first + second).trimEnd()).toBe(cells[index]?.[1]);
          expect(line.slice(first + second)).toBe(cells[index]?.[2]);
        }
      }),
    );
  });
});

describe("tabbed", () => {
  // Observed of Consul 1.8.7, whose detailed view runs values through text/tabwriter.
  test.each([
    ["Key\tx\nValue\t", "Key      x\nValue"],
    ["ab\t\nabcd\tx,y", "ab        \nabcd      x,y"],
    [
      "Session\t-\nValue\ta\tb\nccc\td\n",
      "Session      -\nValue        a      b\nccc          d\n",
    ],
    ["plain\nlines", "plain\nlines"],
    ["", ""],
  ])("%j", (text, expected) => {
    expect(tabbed(text)).toBe(expected);
  });

  test("changes nothing but blanks", () => {
    const text = fc
      .array(fc.constantFrom("a", "é", "\t", "\n", " "))
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, (given) => {
        const bare = (value: string): string => value.replace(/[\t ]/g, "");
        expect(bare(tabbed(given))).toBe(bare(given));
      }),
    );
  });
});
