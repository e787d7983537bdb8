/**
 * Indents compact JSON by four spaces a level, as Go's json.Indent does: empty objects and lists stay on
 * one line, and no line break follows the value.
 */
const INDENT = "    ";

/** The characters that lay out the text; outside of strings each means only itself. */
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * @param text valid JSON without whitespace between its tokens
 * @param level how deep it stands in another text
 */
export function prettyJson(text: string, level = 0): string {
  let out = "";
  let depth = level;
  /** Up to here `text` is already in `out`. */
  let copied = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = closingQuote(text, at);
        break;
      case OPEN_OBJECT:
      case OPEN_LIST:
        if (closes(text.charCodeAt(at + 1))) {
          at++;
        } else {
          depth++;
          out += text.slice(copied, at + 1) + newLine(depth);
          copied = at + 1;
        }
        break;
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        depth--;
        out += text.slice(copied, at) + newLine(depth);
        copied = at;
        break;
      case COMMA:
        out += text.slice(copied, at + 1) + newLine(depth);
        copied = at + 1;
        break;
      case COLON:
        out += `${text.slice(copied, at + 1)} `;
        copied = at + 1;
        break;
      default:
    }
  }
  return out + text.slice(copied);
}

const closes = (code: number): boolean => code === CLOSE_OBJECT || code === CLOSE_LIST;

/** By depth; nothing of ours is deeper than what is kept here. */
const NEW_LINES = Array.from({ length: 16 }, (_, depth) => `\n${INDENT.repeat(depth)}`);

/** What a line at this depth begins with. */
export function newLine(depth: number): string {
  return NEW_LINES[depth] ?? `\n${INDENT.repeat(depth)}`;
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
