/** What narrows a list: a filter expression, node metadata, tags. */
import { compileFilter } from "../filter/index.ts";
import type { TSchema } from "../model/index.ts";

type Predicate = (record: object) => boolean;

/** Compiled filters, the latest ones: clients repeat theirs with every request. */
const COMPILED_MAX = 256;

export class Filters {
  readonly #compiled = new Map<string, Predicate>();
  readonly #schema: TSchema;

  constructor(schema: TSchema) {
    this.#schema = schema;
  }
  /** @throws {RollcallError} with Consul's text for an expression that cannot be used */
  of(expression: string): Predicate {
    if (expression === "") return keepAll;
    const known = this.#compiled.get(expression);
    if (known !== undefined) return known;
    const compiled = compileFilter(expression, this.#schema);
    if (this.#compiled.size >= COMPILED_MAX) this.#compiled.clear();
    this.#compiled.set(expression, compiled);
    return compiled;
  }
}
const keepAll: Predicate = () => true;

/** The first wanted pair that the metadata lacks. */
export function missingMeta(
  meta: Readonly<Record<string, string>> | null,
  wanted: Readonly<Record<string, string>>,
): readonly [key: string, value: string] | undefined {
  return Object.entries(wanted).find(
    ([key, value]) => meta === null || !Object.hasOwn(meta, key) || meta[key] !== value,
  );
}

/** The first wanted tag that the service lacks; tags compare without regard to case. */
export function missingTag(
  tags: readonly string[] | null,
  wanted: readonly string[],
): string | undefined {
  if (wanted.length === 0) return undefined;
  const present = new Set((tags ?? []).map((tag) => tag.toLowerCase()));
  return wanted.find((tag) => !present.has(tag.toLowerCase()));
}

/** Parts of a question for the arguments that narrow. */
export const metaQuestion = (wanted: Readonly<Record<string, string>>): string =>
  JSON.stringify(Object.entries(wanted));
