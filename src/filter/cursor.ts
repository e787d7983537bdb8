/**
 * A place in a filter expression, and what was looked for there.
 *
 * go-bexpr's parser is generated from a grammar (a PEG). When it fails it reports the farthest place that any
 * rule reached, with everything that would have let a rule go on from there:
 *
 *     1:8 (7): no match found, expected: ".", "[", [ \t\r\n], [a-zA-Z0-9_] or EOF
 *
 * So every attempt goes through this class, which keeps that record. Rules can also report an error of their
 * own; then the record is not shown.
 */
const EOF = "EOF";

export class Cursor {
  readonly #text: string;
  #at = 0;
  #farthest = 0;
  #expected = new Set<string>();
  readonly #errors = new Set<string>();

  constructor(text: string) {
    this.#text = text;
  }

  get at(): number {
    return this.#at;
  }
  /** Goes back to where an alternative began. */
  backTo(at: number): void {
    this.#at = at;
  }
  textSince(start: number): string {
    return this.#text.slice(start, this.#at);
  }
  get failed(): boolean {
    return this.#errors.size > 0;
  }

  literal(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return this.#miss(JSON.stringify(word));
    this.#at += word.length;
    return true;
  }

  /** @param name the class as the grammar writes it */
  oneOf(characters: RegExp, name: string): boolean {
    if (!characters.test(this.#text.charAt(this.#at))) return this.#miss(name);
    this.#at++;
    return true;
  }

  /** Any number of times, also none. */
  manyOf(characters: RegExp, name: string): void {
    while (this.oneOf(characters, name));
  }

  end(): boolean {
    return this.#at === this.#text.length || this.#miss(EOF);
  }

  /** Whether `attempt` would succeed here. Nothing is consumed. */
  peek(attempt: () => boolean): boolean {
    const start = this.#at;
    const succeeded = attempt();
    this.#at = start;
    return succeeded;
  }

  /** Consumes up to and including `character`. Consumes all that is left, and says no, if there is none. */
  through(character: string): boolean {
    const found = this.#text.indexOf(character, this.#at);
    this.#at = found === -1 ? this.#text.length : found + 1;
    return found !== -1;
  }

  /** @param rule the display name of the rule that failed */
  report(rule: string, fault: string, at: number = this.#at): void {
    this.#errors.add(`${this.#place(at)}: rule "${rule}": ${fault}`);
  }

  /** All that went wrong, a line each. */
  errorText(): string {
    if (this.#errors.size > 0) return [...this.#errors].join("\n");
    const expected = [...this.#expected].filter((name) => name !== EOF).sort();
    if (this.#expected.has(EOF)) expected.push(EOF);
    const last = expected.pop() ?? "";
    const list = expected.length === 0 ? last : `${expected.join(", ")} or ${last}`;
    return `${this.#place(this.#farthest)}: no match found, expected: ${list}`;
  }

  #miss(name: string): false {
    if (this.#at > this.#farthest) {
      this.#farthest = this.#at;
      this.#expected.clear();
    }
    if (this.#at === this.#farthest) this.#expected.add(name);
    return false;
  }

  /** `line:column (offset)`: the column in characters from 1, but 0 at a line break; the offset in bytes from 0. */
  #place(at: number): string {
    const before = this.#text.slice(0, at);
    const isBreak = this.#text[at] === "\n";
    const lines = before.split("\n");
    const line = lines.length + (isBreak ? 1 : 0);
    const column = isBreak ? 0 : Array.from(lines.at(-1) ?? "").length + 1;
    return `${line}:${column} (${new TextEncoder().encode(before).length})`;
  }
}
