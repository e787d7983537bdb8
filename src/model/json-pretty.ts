/**
 * Indents compact JSON by four spaces a level, as Go's json.Indent does: empty objects and lists stay on
 * one line, and no line break follows the value.
 */
const INDENT = "    ";

/** @param text valid JSON without whitespace between its tokens */
export function prettyJson(text: string): string {
  let out = "";
  let depth = 0;
  /** Up to here `text` is already in `out`. */
  let copied = 0;
  const flush = (end: number, suffix: string): void => {
    out += text.slice(copied, end) + suffix;
    copied = end;
  };
  for (let at = 0; at < text.length; at++) {
    switch (text.charAt(at)) {
      case '"':
        at = closingQuote(text, at);
        break;
      case "{":
      case "[":
        if (text[at + 1] === "}" || text[at + 1] === "]") {
          at++;
        } else {
          depth++;
          flush(at + 1, newLine(depth));
        }
        break;
      case "}":
      case "]":
        depth--;
        flush(at, newLine(depth));
        break;
      case ",":
        flush(at + 1, newLine(depth));
        break;
      case ":":
        flush(at + 1, " ");
        break;
      default:
    }
  }
  return out + text.slice(copied);
}

function newLine(depth: number): string {
  return `\n${INDENT.repeat(depth)}`;
}

/** Index of the quote that ends the string opened at `open`. */
function closingQuote(text: string, open: number): number {
  let at = text.indexOf('"', open + 1);
  while (at !== -1 && precededByOddBackslashes(text, at)) at = text.indexOf('"', at + 1);
  return at === -1 ? text.length : at;
}

function precededByOddBackslashes(text: string, index: number): boolean {
  let at = index;
  while (text[at - 1] === "\\") at--;
  return (index - at) % 2 === 1;
}
