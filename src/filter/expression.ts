/** A filter expression, as a tree. */
export const MATCH_OPERATORS = [
  "Equal",
  "Not Equal",
  "In",
  "Not In",
  "Is Empty",
  "Is Not Empty",
  "Matches",
  "Not Matches",
] as const;
/** The names are go-bexpr's, which its error texts quote. "contains" is "In" the other way round. */
export type MatchOperator = (typeof MATCH_OPERATORS)[number];

export interface Match {
  readonly kind: "match";
  readonly selector: readonly string[];
  readonly operator: MatchOperator;
  /** As written, without quotes. Empty for the tests for emptiness. */
  readonly value: string;
}

export type Expression =
  | Match
  | Readonly<{ kind: "not"; operand: Expression }>
  | Readonly<{ kind: "and" | "or"; operands: readonly Expression[] }>;
