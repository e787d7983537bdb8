/**
 * Columns of text as Consul prints them. `table` is for rows of the same length; `tabbed` lays out text with
 * tabs in it, as Go's text/tabwriter does: what a value contains may then shift its own lines.
 */

/** Left-aligned, two blanks between columns; the last column is not padded. Ends without a newline. */
export function table(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell) => cell.trim()));
  const widths: number[] = [];
  for (const row of cells) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, widthOf(cell));
    }
  }
  return cells
    .map((row) =>
      row
        .map((cell, column) =>
          column === row.length - 1 ? cell : padded(cell, (widths[column] ?? 0) + 2),
        )
        .join(""),
    )
    .join("\n");
}

/** Blanks between a cell that a tab ends and the next. */
const TAB_PADDING = 6;

/**
 * A cell is text that ends with a tab; what follows a line's last tab belongs to no column. Cells of adjacent
 * lines that stand in the same place form a column and get its width.
 */
export function tabbed(text: string): string {
  const lines = text.split("\n").map((line) => line.split("\t"));
  // Nothing follows the text's very last tab, so what stands before it is no cell either.
  const end = lines.at(-1) ?? [];
  if (end.length > 1 && end.at(-1) === "") end.pop();

  const widths: number[][] = lines.map(() => []);
  const isCell = (line: number, column: number): boolean => column < (lines[line]?.length ?? 0) - 1;
  const measure = (from: number, to: number, column: number): void => {
    let line = from;
    while (line < to) {
      const start = line;
      let width = 0;
      for (; line < to && isCell(line, column); line += 1) {
        width = Math.max(width, widthOf(lines[line]?.[column] ?? ""));
      }
      for (let at = start; at < line; at += 1) (widths[at] ??= [])[column] = width + TAB_PADDING;
      if (line > start) measure(start, line, column + 1);
      else line += 1;
    }
  };
  measure(0, lines.length, 0);
  return lines
    .map((cells, line) =>
      cells.map((cell, column) => padded(cell, widths[line]?.[column] ?? 0)).join(""),
    )
    .join("\n");
}

/** Characters, as Go counts runes: not what a terminal makes of them. */
function widthOf(text: string): number {
  let width = 0;
  for (const _rune of text) width += 1;
  return width;
}

function padded(cell: string, width: number): string {
  return cell + " ".repeat(Math.max(0, width - widthOf(cell)));
}
