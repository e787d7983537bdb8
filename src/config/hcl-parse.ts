/**
 * HCL 1 to values, as Consul 1.8 reads it. `parseHcl` is the door.
 *
 *     document ▶ item*                item  ▶ key+ ("=" value | object) ","?
 *     object   ▶ "{" item* "}"        value ▶ literal | object | "[" value,* "]"
 *
 * Every object is a list of one map, so that a repeated block only makes the list longer; labels
 * (`service "web" { }`) are maps round the object. Error texts are those of Consul's own parser.
 */
import { RollcallError } from "../errors/index.ts";
import { HclScanner, type Token, type TokenType } from "./hcl-scan.ts";
import { heredocText, numberValue, unquote } from "./hcl-literal.ts";
import { parseJson } from "./json-parse.ts";
import {
  at,
  DOCUMENT_MAX_CHARS,
  NESTING_MAX,
  NULL,
  type ListValue,
  type MapValue,
  type Position,
  type Value,
} from "./value.ts";

/**
 * @returns the top-level map
 * @throws {RollcallError} `config/invalid`: `At 1:7: …`
 */
export function parseHcl(text: string): MapValue {
  if (text.length > DOCUMENT_MAX_CHARS) {
    throw new RollcallError(
      "config/invalid",
      `document is longer than ${DOCUMENT_MAX_CHARS} characters`,
    );
  }
  if (/^\s*\{/.test(text)) return parseJson(text, "hcl");
  return new Parser(text).document();
}

/** The document ended where an item or a value was expected, which HCL takes for its regular end. */
class EndOfFile extends Error {}

class Parser {
  readonly #scanner: HclScanner;
  #token: Token = { type: "EOF", text: "", position: { line: 1, column: 1 } };
  #pushedBack = false;
  #depth = 0;
  /** Told only when the rest of the document parses, as Consul does. */
  #numberError: string | undefined = undefined;

  constructor(text: string) {
    this.#scanner = new HclScanner(text);
  }

  document(): MapValue {
    try {
      const items = this.#items("document");
      this.#reportScanError();
      if (this.#numberError !== undefined) {
        throw new RollcallError("config/invalid", this.#numberError);
      }
      return items;
    } catch (error) {
      this.#reportScanError();
      throw error;
    }
  }

  #items(inside: "document" | "object"): MapValue {
    const entries = new Map<string, Value>();
    for (;;) {
      if (inside === "object") {
        const ahead = this.#scan();
        this.#pushedBack = true;
        if (ahead.type === "RBRACE") break;
      }
      try {
        this.#item(entries);
      } catch (error) {
        if (error instanceof EndOfFile) break;
        throw error;
      }
      if (this.#scan().type !== "COMMA") this.#pushedBack = true;
    }
    return { kind: "map", entries };
  }

  #item(into: Map<string, Value>): void {
    const keys = this.#keys();
    const { type, position } = this.#token;
    if (type !== "ASSIGN" && type !== "LBRACE") {
      const shown = keys.map((key) => key.text).join(" ");
      throw parseError(
        position,
        `key '${shown}' expected start of object ('{') or assignment ('=')`,
      );
    }
    const value = type === "ASSIGN" ? this.#value(this.#scan()) : this.#object();
    const [first, ...labels] = keys.map((key) => this.#keyText(key));
    const labelled = labels.reduceRight<Value>(
      (inner, label) => blocks({ kind: "map", entries: new Map([[label, inner]]) }),
      value,
    );
    const name = first ?? "";
    into.set(name, repeated(into.get(name), labelled, position));
  }

  #keys(): Token[] {
    const keys: Token[] = [];
    for (;;) {
      const token = this.#scan();
      const { type } = token;
      if (type === "IDENT" || type === "STRING") {
        keys.push(token);
        continue;
      }
      if (keys.length > 0) {
        if (type === "EOF" || type === "LBRACE" || type === "RBRACE") return keys;
        if (type === "ASSIGN" && keys.length === 1) return keys;
      } else if (type === "EOF") throw new EndOfFile();
      throw parseError(token.position, keyProblem(type, keys.length));
    }
  }

  #keyText(token: Token): string {
    return token.type === "STRING" ? this.#stringText(token.text, token.position) : token.text;
  }

  #value(token: Token): Value {
    const literal = this.#literal(token);
    if (literal !== undefined) return literal;
    if (token.type === "LBRACE") return this.#object();
    if (token.type === "LBRACK") return this.#list();
    if (token.type === "EOF") throw new EndOfFile();
    const { line, column } = token.position;
    throw parseError(
      token.position,
      `Unknown token: ${line}:${column} ${token.type} ${token.text}`,
    );
  }

  /** @returns undefined for a token that is no literal */
  #literal({ type, text, position }: Token): Value | undefined {
    if (type === "BOOL") return { kind: "bool", value: text === "true" };
    if (type === "STRING") return { kind: "string", value: this.#stringText(text, position) };
    if (type === "HEREDOC") return { kind: "string", value: heredocText(text) };
    if (type !== "NUMBER" && type !== "FLOAT") return undefined;
    const value = numberValue(text, type === "FLOAT" ? "float" : "int");
    if (typeof value !== "string") return value;
    this.#numberError ??= value;
    return NULL;
  }

  /** A literal that the scanner already complained of reads as empty: its error is reported later. */
  #stringText(quoted: string, position: Position): string {
    const text = unquote(quoted);
    if (text !== undefined) return text;
    if (this.#scanner.error === undefined) throw parseError(position, "illegal char escape");
    return "";
  }

  #object(): ListValue {
    this.#enter();
    const items = this.#items("object");
    const closing = this.#scan();
    if (closing.type !== "RBRACE") {
      throw parseError(closing.position, `object expected closing RBRACE got: ${closing.type}`);
    }
    this.#depth--;
    return blocks(items);
  }

  #list(): Value {
    this.#enter();
    const items: Value[] = [];
    let needsComma = false;
    for (;;) {
      const token = this.#scan();
      if (needsComma && token.type !== "COMMA" && token.type !== "RBRACK") {
        throw parseError(
          token.position,
          `error parsing list, expected comma or list end, got: ${token.type}`,
        );
      }
      needsComma = token.type !== "COMMA" && token.type !== "LBRACK";
      if (token.type === "COMMA") continue;
      if (token.type === "RBRACK") {
        this.#depth--;
        return { kind: "list", items, from: "brackets" };
      }
      for (const item of this.#listItems(token)) items.push(item);
    }
  }

  #listItems(token: Token): readonly Value[] {
    const literal = this.#literal(token);
    if (literal !== undefined) return [literal];
    if (token.type === "LBRACE") return this.#within("object", () => this.#object()).items;
    if (token.type === "LBRACK") return [this.#within("list", () => this.#list())];
    throw parseError(token.position, `unexpected token while parsing list: ${token.type}`);
  }

  /** Consul tells where the list's element begins, then what is wrong inside. */
  #within<T>(kind: "object" | "list", parse: () => T): T {
    const { position } = this.#token;
    const what = `error while trying to parse ${kind} within list`;
    try {
      return parse();
    } catch (error) {
      // Deep inside, one "within" is enough: texts would grow with the square of the depth.
      if (!(error instanceof RollcallError) || error.message.includes(what)) throw error;
      throw parseError(position, `${what}: ${error.message}`);
    }
  }

  #enter(): void {
    this.#depth++;
    if (this.#depth > NESTING_MAX) {
      throw parseError(this.#token.position, `nested deeper than ${NESTING_MAX} levels`);
    }
  }

  #scan(): Token {
    if (this.#pushedBack) {
      this.#pushedBack = false;
      return this.#token;
    }
    do this.#token = this.#scanner.scan();
    while (this.#token.type === "COMMENT");
    return this.#token;
  }

  #reportScanError(): void {
    const { error } = this.#scanner;
    if (error !== undefined) throw parseError(error.position, error.message);
  }
}

const blocks = (map: MapValue): ListValue => ({ kind: "list", items: [map], from: "blocks" });

function keyProblem(found: TokenType, keyCount: number): string {
  if (found === "ASSIGN") {
    return keyCount === 0 ? "no object keys found!" : "nested object expected: LBRACE got: ASSIGN";
  }
  if (found === "LBRACE") return "expected: IDENT | STRING got: LBRACE";
  if (found === "ILLEGAL") return "illegal character";
  return `expected: IDENT | STRING | ASSIGN | LBRACE got: ${found}`;
}

/** A key given again: lists and blocks grow, a scalar is replaced, and the two do not mix. */
function repeated(old: Value | undefined, value: Value, position: Position): Value {
  if (old === undefined) return value;
  if ((old.kind === "list") !== (value.kind === "list")) {
    throw parseError(position, "key is given both as a single value and as an object or a list");
  }
  if (old.kind !== "list" || value.kind !== "list") return value;
  // In place: the list is this parser's own, and copying would make many blocks cost their square.
  const items = old.items as Value[];
  for (const item of value.items) items.push(item);
  return old;
}

function parseError(position: Position, text: string): RollcallError {
  return new RollcallError("config/invalid", `${at(position)}: ${text}`);
}
