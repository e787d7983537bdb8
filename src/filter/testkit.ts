/** Random filter expressions, their text, and a plain reading of what they mean. */
import * as fc from "fast-check";
import { MATCH_OPERATORS, type Expression, type Match, type MatchOperator } from "./expression.ts";

const SIGNS: Readonly<Record<MatchOperator, string>> = {
  Equal: "==",
  "Not Equal": "!=",
  In: "contains",
  "Not In": "not contains",
  "Is Empty": "is empty",
  "Is Not Empty": "is not empty",
  Matches: "matches",
  "Not Matches": "not matches",
};

export function printExpression(expression: Expression): string {
  switch (expression.kind) {
    case "match": {
      const { operator, value } = expression;
      const end = operator.startsWith("Is") ? "" : ` ${quote(value)}`;
      return `${printSelector(expression.selector)} ${SIGNS[operator]}${end}`;
    }
    case "not":
      return `not (${printExpression(expression.operand)})`;
    case "and":
    case "or":
      return expression.operands
        .map((operand) => `(${printExpression(operand)})`)
        .join(` ${expression.kind} `);
  }
}

function printSelector([first = "", ...rest]: readonly string[]): string {
  const steps = rest.map((step) =>
    /^[a-zA-Z][a-zA-Z0-9_]*$/.test(step) ? `.${step}` : `[${quote(step)}]`,
  );
  return first + steps.join("");
}

/** As Go reads it; a quote inside is spelt as a byte, since the grammar ends a string at the first one. */
function quote(text: string): string {
  const escaped = text.replace(/\\/g, "\\\\").replace(/"/g, "\\x22").replace(/\n/g, "\\n");
  return `"${escaped}"`;
}

/** `not not x` reads as `x`, so `not` has another operand. */
export function expressions(match: fc.Arbitrary<Match>): fc.Arbitrary<Expression> {
  const { expression } = fc.letrec<{ expression: Expression }>((tie) => {
    const operands = fc.array(tie("expression"), { minLength: 2, maxLength: 3 });
    return {
      expression: fc.oneof(
        { maxDepth: 3 },
        match,
        fc
          .record({ kind: fc.constant("not" as const), operand: tie("expression") })
          .filter(({ operand }) => operand.kind !== "not"),
        fc.record({ kind: fc.constantFrom("and" as const, "or" as const), operands }),
      ),
    };
  });
  return expression;
}

const identifiers = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9_]{0,5}$/);
const anyText = fc.string({ unit: "grapheme", maxLength: 6 });

export const anyMatch: fc.Arbitrary<Match> = fc
  .record({
    kind: fc.constant("match" as const),
    selector: fc
      .tuple(identifiers, fc.array(fc.oneof(identifiers, anyText), { maxLength: 3 }))
      .map(([first, rest]) => [first, ...rest]),
    operator: fc.constantFrom(...MATCH_OPERATORS),
    value: anyText,
  })
  .map((match) => (match.operator.startsWith("Is") ? { ...match, value: "" } : match));
