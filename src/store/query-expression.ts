/**
 * Texts with `${…}` in them, as prepared query templates have: parsed once, rendered for each name.
 *
 *     text       = { plain | "$$" | "${" expression "}" }
 *     expression = variable | number | string | function "(" [ expression { "," expression } ] ")"
 *
 * This is what templates need of Consul's interpolation language; its arithmetic is not here.
 */
import { RollcallError } from "../errors/index.ts";

export interface Scope {
  readonly variables: Readonly<Record<string, string>>;
  /** Functions of one whole number. */
  readonly functions: Readonly<Record<string, (argument: number) => string>>;
}
export type TextTemplate = readonly Part[];

type Part = Readonly<{ kind: "plain"; text: string }> | Expression;
type Expression =
  | Readonly<{ kind: "literal"; text: string }>
  | Readonly<{ kind: "variable"; name: string; position: string }>
  | Readonly<{ kind: "call"; name: string; args: readonly Expression[]; position: string }>;

/** So that walking an expression may recurse. */
const MAX_DEPTH = 50;

/** @throws {RollcallError} `request/refused`, `parse error: syntax error` */
export function parseTemplate(text: string): TextTemplate {
  return new Parser(text).parse();
}

/** @throws {RollcallError} `request/refused` for a name that the scope does not have */
export function renderTemplate(template: TextTemplate, scope: Scope): string {
  return template
    .map((part) => (part.kind === "plain" ? part.text : evaluate(part, scope)))
    .join("");
}

const refuse = (text: string): RollcallError => new RollcallError("request/refused", text);

function evaluate(expression: Expression, scope: Scope): string {
  switch (expression.kind) {
    case "literal":
      return expression.text;
    case "variable": {
      const { name, position } = expression;
      const value = Object.hasOwn(scope.variables, name) ? scope.variables[name] : undefined;
      if (value === undefined) throw refuse(`${position}: unknown variable accessed: ${name}`);
      return value;
    }
    case "call":
      return call(expression, scope);
  }
}

function call(
  { name, args, position }: Extract<Expression, { kind: "call" }>,
  scope: Scope,
): string {
  const values = args.map((arg) => evaluate(arg, scope));
  const callee = Object.hasOwn(scope.functions, name) ? scope.functions[name] : undefined;
  if (callee === undefined) throw refuse(`${position}: unknown function called: ${name}`);
  const [argument] = values;
  if (argument === undefined || values.length > 1) {
    throw refuse(`${position}: ${name}: expected 1 arguments, got ${values.length}`);
  }
  const number = Number(argument);
  if (argument.trim() === "" || !Number.isFinite(number)) {
    throw refuse(`${position}: ${name}: argument 1 should be type int, got type string`);
  }
  return callee(Math.trunc(number));
}

const BLANK = /\s*/y;
const NAME = /[A-Za-z_][A-Za-z0-9_.]*/y;
const NUMBER = /-?[0-9]+(?:\.[0-9]+)?/y;
const STRING = /"((?:[^"\\]|\\["\\n])*)"/y;

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Part[] {
    const parts: Part[] = [];
    while (this.#at < this.#text.length) {
      const dollar = this.#text.indexOf("$", this.#at);
      const end = dollar === -1 ? this.#text.length : dollar;
      if (end > this.#at) parts.push({ kind: "plain", text: this.#text.slice(this.#at, end) });
      this.#at = end;
      if (dollar === -1) break;
      const following = this.#text[dollar + 1];
      if (following === "{") {
        this.#at += 2;
        parts.push(this.#expression(0));
        if (!this.#takes("}")) throw syntaxError();
      } else {
        parts.push({ kind: "plain", text: "$" });
        this.#at += following === "$" ? 2 : 1;
      }
    }
    return parts;
  }

  #expression(depth: number): Expression {
    if (depth > MAX_DEPTH) throw syntaxError();
    this.#match(BLANK);
    const position = this.#position();
    const string = this.#match(STRING);
    if (string !== undefined) return { kind: "literal", text: unescaped(string.slice(1, -1)) };
    const number = this.#match(NUMBER);
    if (number !== undefined) return { kind: "literal", text: number };
    const name = this.#match(NAME);
    if (name === undefined) throw syntaxError();
    if (!this.#takes("(")) return { kind: "variable", name, position };
    return { kind: "call", name, args: this.#args(depth), position };
  }

  #args(depth: number): readonly Expression[] {
    const args: Expression[] = [];
    if (this.#takes(")")) return args;
    do args.push(this.#expression(depth + 1));
    while (this.#takes(","));
    if (!this.#takes(")")) throw syntaxError();
    return args;
  }

  #takes(character: string): boolean {
    this.#match(BLANK);
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) return undefined;
    this.#at += found.length;
    return found;
  }

  /** Line and column, from 1. */
  #position(): string {
    const lines = this.#text.slice(0, this.#at).split("\n");
    return `${lines.length}:${(lines.at(-1) ?? "").length + 1}`;
  }
}

const unescaped = (text: string): string =>
  text.replace(/\\(.)/g, (_, character: string) => (character === "n" ? "\n" : character));

const syntaxError = (): RollcallError => refuse("parse error: syntax error");
