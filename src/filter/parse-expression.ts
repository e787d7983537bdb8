/**
 * The grammar of filter expressions: go-bexpr's, alternative by alternative, since the error texts tell which
 * were tried (see `cursor.ts`).
 *
 *     or    := and ( _ "or" _ and )*               and := not ( _ "and" _ not )*
 *     not   := "not" _ not | "(" or ")" | match
 *     match := selector ("==" | "!=" | "contains" | "not contains" | "matches" | "not matches") value
 *            | selector ("is empty" | "is not empty") | value ("in" | "not in") selector
 *
 * An alternative that begins as the one before it is not read again from its start, which is what makes the
 * original slow on nested parentheses.
 */
import { RollcallError } from "../errors/index.ts";
import { Cursor } from "./cursor.ts";
import type { Expression, MatchOperator } from "./expression.ts";
import { unquote } from "./string-literal.ts";

const MAX_EXPRESSION_LENGTH = 65_536;
/** Of parentheses and of `not`: so that walking the tree may recurse. */
const MAX_DEPTH = 200;

/** @throws {RollcallError} `request/refused`; the message has no prefix */
export function parseExpression(text: string): Expression {
  if (text.length > MAX_EXPRESSION_LENGTH) {
    throw new RollcallError(
      "request/refused",
      `expression is longer than ${MAX_EXPRESSION_LENGTH} characters`,
    );
  }
  const cursor = new Cursor(text);
  const expression = new Grammar(cursor).input();
  if (expression === undefined || cursor.failed) {
    throw new RollcallError("request/refused", cursor.errorText());
  }
  return expression;
}

type Operators = readonly (readonly [words: readonly string[], operator: MatchOperator])[];

const WORDS_BEFORE_VALUE: Operators = [
  [["contains"], "In"],
  [["not", "contains"], "Not In"],
  [["matches"], "Matches"],
  [["not", "matches"], "Not Matches"],
];
const WORDS_AT_END: Operators = [
  [["is", "empty"], "Is Empty"],
  [["is", "not", "empty"], "Is Not Empty"],
];
const WORDS_BEFORE_SELECTOR: Operators = [
  [["in"], "In"],
  [["not", "in"], "Not In"],
];

class Grammar {
  readonly #cursor: Cursor;
  #depth = 0;

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
  }

  input(): Expression | undefined {
    const start = this.#cursor.at;
    const group = this.#group();
    if (group !== undefined && group !== "open" && this.#end()) return group;
    this.#cursor.backTo(start);
    this.#optionalSpace();
    const expression = this.#or();
    return expression !== undefined && this.#end() ? expression : undefined;
  }

  #end(): boolean {
    this.#optionalSpace();
    return this.#cursor.end();
  }

  #or(): Expression | undefined {
    return this.#chain("or", () => this.#and());
  }
  #and(): Expression | undefined {
    return this.#chain("and", () => this.#not());
  }

  #chain(word: "and" | "or", operand: () => Expression | undefined): Expression | undefined {
    const first = operand();
    if (first === undefined) return undefined;
    const operands = [first];
    for (let end = this.#cursor.at; ; end = this.#cursor.at) {
      const next =
        this.#space() && this.#cursor.literal(word) && this.#space() ? operand() : undefined;
      if (next === undefined) {
        this.#cursor.backTo(end);
        return operands.length === 1 ? first : { kind: word, operands };
      }
      operands.push(next);
    }
  }

  #not(): Expression | undefined {
    const start = this.#cursor.at;
    if (this.#cursor.literal("not") && this.#space()) {
      const operand = this.#nested(() => this.#not());
      if (operand !== undefined) {
        return operand.kind === "not" ? operand.operand : { kind: "not", operand };
      }
    }
    this.#cursor.backTo(start);
    return this.#parenthesized();
  }

  #parenthesized(): Expression | undefined {
    const start = this.#cursor.at;
    const group = this.#group();
    if (group !== undefined && group !== "open") return group;
    const openAt = this.#cursor.at;
    this.#cursor.backTo(start);
    const match = this.#match();
    if (match === undefined && group === "open") {
      this.#cursor.report("grouping", "Unmatched parentheses", openAt);
    }
    return match;
  }

  /** "open" where everything but the closing parenthesis was there. */
  #group(): Expression | "open" | undefined {
    if (!this.#cursor.literal("(")) return undefined;
    this.#optionalSpace();
    const inside = this.#nested(() => this.#or());
    if (inside === undefined) return undefined;
    this.#optionalSpace();
    return this.#cursor.literal(")") ? inside : "open";
  }

  #nested<T>(rule: () => T): T {
    if (this.#depth >= MAX_DEPTH) {
      throw new RollcallError("request/refused", "expression is nested too deeply");
    }
    this.#depth++;
    const result = rule();
    this.#depth--;
    return result;
  }

  #match(): Expression | undefined {
    const start = this.#cursor.at;
    const match = this.#selectorOperatorValue();
    if (match !== undefined) return match;
    this.#cursor.backTo(start);
    const test = this.#selectorOperator();
    if (test !== undefined) return test;
    this.#cursor.backTo(start);
    return this.#valueOperatorSelector();
  }

  #selectorOperatorValue(): Expression | undefined {
    const selector = this.#selector();
    if (selector === undefined) return undefined;
    const operator = this.#sign() ?? this.#words(WORDS_BEFORE_VALUE, "and space");
    const value = operator === undefined ? undefined : this.#value();
    if (operator === undefined || value === undefined) return undefined;
    return { kind: "match", selector, operator, value };
  }

  #selectorOperator(): Expression | undefined {
    const selector = this.#selector();
    const operator = selector === undefined ? undefined : this.#words(WORDS_AT_END, "no space");
    if (selector === undefined || operator === undefined) return undefined;
    return { kind: "match", selector, operator, value: "" };
  }

  #valueOperatorSelector(): Expression | undefined {
    const value = this.#value();
    if (value === undefined) return undefined;
    const operator = this.#words(WORDS_BEFORE_SELECTOR, "and space");
    if (operator === undefined) return undefined;
    const at = this.#cursor.at;
    const selector = this.#selector();
    if (selector === undefined) {
      this.#cursor.report("match", "Invalid selector", at);
      return undefined;
    }
    return { kind: "match", selector, operator, value };
  }

  #sign(): MatchOperator | undefined {
    const start = this.#cursor.at;
    for (const [sign, operator] of SIGNS) {
      this.#optionalSpace();
      if (this.#cursor.literal(sign)) {
        this.#optionalSpace();
        return operator;
      }
      this.#cursor.backTo(start);
    }
    return undefined;
  }

  #words(operators: Operators, end: "and space" | "no space"): MatchOperator | undefined {
    const start = this.#cursor.at;
    for (const [words, operator] of operators) {
      const present = words.every((word) => this.#space() && this.#cursor.literal(word));
      if (present && (end === "no space" || this.#space())) return operator;
      this.#cursor.backTo(start);
    }
    return undefined;
  }

  #selector(): string[] | undefined {
    const first = this.#identifier();
    if (first === undefined) return undefined;
    const selector = [first];
    for (let next = this.#selectorStep(); next !== undefined; next = this.#selectorStep()) {
      selector.push(next);
    }
    return selector;
  }

  #identifier(): string | undefined {
    const start = this.#cursor.at;
    if (!this.#cursor.oneOf(/^[a-zA-Z]$/, "[a-zA-Z]")) return undefined;
    this.#cursor.manyOf(/^[a-zA-Z0-9_]$/, "[a-zA-Z0-9_]");
    return this.#cursor.textSince(start);
  }

  #selectorStep(): string | undefined {
    const start = this.#cursor.at;
    if (this.#cursor.literal(".")) {
      const name = this.#identifier();
      if (name !== undefined) return name;
      this.#cursor.backTo(start);
    }
    const key = this.#index();
    if (key === undefined) this.#cursor.backTo(start);
    return key;
  }

  #index(): string | undefined {
    if (!this.#cursor.literal("[")) return undefined;
    this.#optionalSpace();
    const at = this.#cursor.at;
    const key = this.#string();
    if (key === undefined) {
      this.#cursor.report("index", "Invalid index", at);
      return undefined;
    }
    this.#optionalSpace();
    if (this.#cursor.literal("]")) return key;
    this.#cursor.report("index", "Unclosed index expression");
    return undefined;
  }

  /** A word may stand without quotes if it could be a selector. */
  #value(): string | undefined {
    return this.#selector()?.join(".") ?? this.#number() ?? this.#string();
  }

  #number(): string | undefined {
    const start = this.#cursor.at;
    this.#cursor.literal("-");
    if (!this.#digits()) {
      this.#cursor.backTo(start);
      return undefined;
    }
    const ends = this.#cursor.peek(
      () => this.#space() || this.#cursor.end() || this.#cursor.literal(")"),
    );
    if (ends) return this.#cursor.textSince(start);
    this.#cursor.report("number", "Invalid number literal");
    this.#cursor.backTo(start);
    return undefined;
  }

  #digits(): boolean {
    if (!this.#cursor.literal("0")) {
      if (!this.#cursor.oneOf(/^[1-9]$/, "[1-9]")) return false;
      this.#cursor.manyOf(DIGIT, "[0-9]");
    }
    const end = this.#cursor.at;
    if (this.#cursor.literal(".") && this.#cursor.oneOf(DIGIT, "[0-9]")) {
      this.#cursor.manyOf(DIGIT, "[0-9]");
    } else {
      this.#cursor.backTo(end);
    }
    return true;
  }

  #string(): string | undefined {
    const start = this.#cursor.at;
    const quote = QUOTES.find((candidate) => this.#cursor.literal(candidate));
    if (quote === undefined) return undefined;
    if (!this.#cursor.through(quote)) {
      this.#cursor.report("string", "Unterminated string literal");
      this.#cursor.backTo(start);
      return undefined;
    }
    const text = unquote(this.#cursor.textSince(start));
    if (text === undefined) this.#cursor.report("string", "invalid syntax", start);
    return text ?? "";
  }

  #space(): boolean {
    if (!this.#cursor.oneOf(SPACE, SPACE_NAME)) return false;
    this.#cursor.manyOf(SPACE, SPACE_NAME);
    return true;
  }
  #optionalSpace(): void {
    this.#space();
  }
}

const SIGNS: readonly (readonly [sign: string, operator: MatchOperator])[] = [
  ["==", "Equal"],
  ["!=", "Not Equal"],
];
const QUOTES = ["`", '"'] as const;
const DIGIT = /^[0-9]$/;
const SPACE = /^[ \t\r\n]$/;
const SPACE_NAME = "[ \\t\\r\\n]";
