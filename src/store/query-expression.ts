/**
 * Texts with `${…}` in them, as prepared query templates have: parsed once, rendered for each name.
 *
 *     text    = { plain | "$$" | "${" chain "}" }
 *     chain   = operand { ( "+" | "-" | "*" | "/" | "%" ) operand }      from the left: no operator comes before another
 *     operand = "-" operand | number | string { string } | name | name "[" chain "]" | name "(" [ chains ] ")"
 *             | "(" chain ")"
 *     string  = '"' text '"', with \" \\ and \n
 *
 * That is the whole language of the interpolation in Consul 1.8: there are no comparisons and no conditions in it. What
 * its values are is query-value.ts.
 */
import { RollcallError } from "../errors/index.ts";
import { calculate, convert, intOf, textOf, type Operator, type Value } from "./query-value.ts";

export interface Scope {
  readonly variables: Readonly<Record<string, string>>;
  /** Functions of one whole number. */
  readonly functions: Readonly<Record<string, (argument: number) => string>>;
}
export type TextTemplate = readonly Part[];

type Part = string | Expression;
interface Place {
  readonly line: number;
  readonly column: number;
}
type Expression = Readonly<{ at: Place }> &
  (
    | Readonly<{ kind: "number"; value: Value }>
    | Readonly<{ kind: "text"; parts: TextTemplate }>
    | Readonly<{ kind: "variable"; name: string }>
    | Readonly<{ kind: "index"; name: string; index: Expression }>
    | Readonly<{ kind: "call"; name: string; args: readonly Expression[] }>
    | Readonly<{ kind: "arithmetic"; first: Expression; steps: readonly Step[] }>
  );

type Step = Readonly<{ operator: Operator; operand: Expression }>;

/** So that walking an expression may recurse. */
const MAX_DEPTH = 50;

/** @throws {RollcallError} `request/refused`, `parse error: syntax error` */
export function parseTemplate(text: string): TextTemplate {
  // A lone dollar at the end stands for itself, but for this one.
  if (text === "$") return [];
  return new Parser(text).parse();
}

/** @throws {RollcallError} `request/refused` for a name that the scope does not have, and for what is no number */
export function renderTemplate(template: TextTemplate, scope: Scope): string {
  return template
    .map((part) => (typeof part === "string" ? part : textOf(evaluate(part, scope))))
    .join("");
}

const refuse = (text: string): RollcallError => new RollcallError("request/refused", text);
const at = ({ line, column }: Place): string => `${line}:${column}`;
const inWords = ({ line, column }: Place): string => `At column ${column}, line ${line}`;

function evaluate(expression: Expression, scope: Scope): Value {
  switch (expression.kind) {
    case "number":
      return expression.value;
    case "text":
      return { kind: "text", value: renderTemplate(expression.parts, scope) };
    case "variable": {
      const { name } = expression;
      const value = Object.hasOwn(scope.variables, name) ? scope.variables[name] : undefined;
      if (value === undefined)
        throw refuse(`${at(expression.at)}: unknown variable accessed: ${name}`);
      return { kind: "text", value };
    }
    case "index": {
      evaluate(expression.index, scope);
      const fault = Object.hasOwn(scope.variables, expression.name)
        ? "invalid index operation into non-indexable type: TypeString"
        : `unknown variable accessed: ${expression.name}`;
      throw refuse(`${inWords(expression.at)}: ${fault}`);
    }
    case "call":
      return call(expression, scope);
    case "arithmetic": {
      let value = evaluate(expression.first, scope);
      for (const { operator, operand } of expression.steps) {
        value = calculate(operator, value, evaluate(operand, scope), inWords(expression.at));
      }
      return value;
    }
  }
}

function call(
  { name, args, at: place }: Extract<Expression, { kind: "call" }>,
  scope: Scope,
): Value {
  const values = args.map((arg) => evaluate(arg, scope));
  const callee = Object.hasOwn(scope.functions, name) ? scope.functions[name] : undefined;
  if (callee === undefined) throw refuse(`${at(place)}: unknown function called: ${name}`);
  const [argument] = values;
  if (argument === undefined || values.length > 1) {
    throw refuse(`${at(place)}: ${name}: expected 1 arguments, got ${values.length}`);
  }
  return { kind: "text", value: callee(Number(convert(argument, "int").value)) };
}

const OPERATORS: readonly Operator[] = ["+", "-", "*", "/", "%"];
const BLANK = /\s*/y;
const NAME = /[\p{L}_.*][\p{L}\p{N}_.*-]*/uy;
/** Longer than any number, so that what is none is seen. */
const NUMBER = /[0-9][\p{L}\p{N}_.]*/uy;
const FLOAT = /^[0-9]+\.[0-9]*$/;

class Parser {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  #line = 1;
  #lineStart = 0;
  #lineEnd: number;

  constructor(text: string) {
    this.#text = text;
    this.#lineEnd = this.#endOfLine(0);
  }

  parse(): TextTemplate {
    return this.#parts(undefined);
  }

  /** @param end the quote that ends a string, which then is passed; none for the whole text */
  #parts(end: '"' | undefined): TextTemplate {
    const parts: Part[] = [];
    let plain = "";
    for (;;) {
      const character = this.#text[this.#at];
      const following = this.#text[this.#at + 1];
      if (character === undefined) {
        if (end !== undefined) throw syntaxError();
        break;
      }
      if (character === end) {
        this.#at += 1;
        break;
      }
      if (character === "$" && following === "{") {
        if (plain !== "") parts.push(plain);
        plain = "";
        this.#at += 2;
        parts.push(this.#deeper(() => this.#chain()));
        if (!this.#takes("}")) throw syntaxError();
      } else if (character === "$") {
        plain += "$";
        this.#at += following === "$" ? 2 : 1;
      } else if (
        end !== undefined &&
        character === "\\" &&
        following !== undefined &&
        '"\\n'.includes(following)
      ) {
        plain += following === "n" ? "\n" : following;
        this.#at += 2;
      } else {
        plain += character;
        this.#at += 1;
      }
    }
    if (plain !== "") parts.push(plain);
    return parts;
  }

  #chain(): Expression {
    const first = this.#operand();
    const steps: Step[] = [];
    for (;;) {
      const operator = OPERATORS.find((one) => this.#takes(one));
      if (operator === undefined) break;
      steps.push({ operator, operand: this.#operand() });
    }
    return steps.length === 0 ? first : { kind: "arithmetic", first, steps, at: first.at };
  }

  #operand(): Expression {
    this.#match(BLANK);
    const place = this.#place();
    if (!this.#takes("-")) return this.#primary();
    const operand = this.#deeper(() => this.#operand());
    const first: Expression = { kind: "number", value: { kind: "int", value: 0n }, at: place };
    return { kind: "arithmetic", first, steps: [{ operator: "-", operand }], at: place };
  }

  #primary(): Expression {
    this.#match(BLANK);
    const place = this.#place();
    if (this.#takes("(")) {
      const inner = this.#deeper(() => this.#chain());
      if (!this.#takes(")")) throw syntaxError();
      return inner;
    }
    if (this.#takes('"')) {
      const parts = [...this.#deeper(() => this.#parts('"'))];
      while (this.#takes('"')) parts.push(...this.#deeper(() => this.#parts('"')));
      return { kind: "text", parts, at: place };
    }
    const number = this.#match(NUMBER);
    if (number !== undefined) return { kind: "number", value: numberValue(number), at: place };
    const name = this.#match(NAME);
    // An operator without its left side.
    if (name === undefined || name === "*") throw syntaxError();
    if (this.#takes("(")) return { kind: "call", name, args: this.#args(), at: place };
    if (!this.#takes("[")) return { kind: "variable", name, at: place };
    const index = this.#deeper(() => this.#chain());
    if (!this.#takes("]")) throw syntaxError();
    return { kind: "index", name, index, at: place };
  }

  #args(): readonly Expression[] {
    const args: Expression[] = [];
    if (this.#takes(")")) return args;
    do args.push(this.#deeper(() => this.#chain()));
    while (this.#takes(","));
    if (!this.#takes(")")) throw syntaxError();
    return args;
  }

  #deeper<T>(parse: () => T): T {
    if (this.#depth === MAX_DEPTH) throw syntaxError();
    this.#depth += 1;
    const parsed = parse();
    this.#depth -= 1;
    return parsed;
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

  /** Both from 1. Reading only goes forward, and so do the lines that have begun. */
  #place(): Place {
    while (this.#lineEnd < this.#at) {
      this.#lineStart = this.#lineEnd + 1;
      this.#lineEnd = this.#endOfLine(this.#lineStart);
      this.#line += 1;
    }
    return { line: this.#line, column: this.#at - this.#lineStart + 1 };
  }

  #endOfLine(start: number): number {
    const end = this.#text.indexOf("\n", start);
    return end === -1 ? Infinity : end;
  }
}

function numberValue(text: string): Value {
  if (FLOAT.test(text)) return { kind: "float", value: Number(text) };
  const value = intOf(text);
  if (value === undefined || !/^[0-9]+$/.test(text)) throw syntaxError();
  return { kind: "int", value };
}

const syntaxError = (): RollcallError => refuse("parse error: syntax error");
