/**
 * Settings as the sources give them, merged: a flat map from dotted key to value.
 *
 * Scalars: the later source wins. Lists: appended in the order of the sources. Maps: merged by key. The
 * singular `service` and `check` join `services` and `checks` of their own source.
 */
import assert from "node:assert";
import { KEYS, keyRow } from "./keys.ts";
import { plainMap, type Plain, type PlainMap } from "./value.ts";

/** What one source says: a file, the flags, an -hcl fragment. */
export interface Fragment {
  readonly source: string;
  readonly values: ReadonlyMap<string, Plain>;
}

const SINGULARS = [
  ["service", "services"],
  ["check", "checks"],
] as const;

export const isPlainMap = (value: Plain | undefined): value is PlainMap =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isPlainList = (value: Plain | undefined): value is readonly Plain[] => Array.isArray(value);

/** From the nested document to dotted keys. */
export function fragmentOf(source: string, document: PlainMap): Fragment {
  const values = new Map<string, Plain>();
  for (const { key } of KEYS) {
    let value: Plain | undefined = document;
    for (const part of key.split(".")) value = isPlainMap(value) ? value[part] : undefined;
    if (value !== undefined && value !== null) values.set(key, value);
  }
  for (const [one, many] of SINGULARS) {
    const single = values.get(one);
    if (single === undefined) continue;
    const list = values.get(many);
    values.set(many, [...(isPlainList(list) ? list : []), single]);
    values.delete(one);
  }
  return { source, values };
}

export function mergeFragments(fragments: readonly Fragment[]): Settings {
  const merged = new Map<string, Plain>();
  for (const { values } of fragments) {
    for (const [key, value] of values) {
      const old = merged.get(key);
      if (isPlainList(old) && isPlainList(value)) merged.set(key, [...old, ...value]);
      else if (isPlainMap(old) && isPlainMap(value)) {
        merged.set(key, plainMap([...Object.entries(old), ...Object.entries(value)]));
      } else merged.set(key, value);
    }
  }
  return new Settings(merged);
}

/** Reads by key; what was not given has its row's default. Asking for a key without a row is a bug. */
export class Settings {
  readonly #values: ReadonlyMap<string, Plain>;

  constructor(values: ReadonlyMap<string, Plain>) {
    this.#values = values;
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }
  get(key: string): Plain | undefined {
    const row = keyRow(key);
    assert(row !== undefined, `no such configuration key: ${key}`);
    return this.#values.get(key) ?? row.default;
  }
  text(key: string): string {
    const value = this.get(key);
    return typeof value === "string" ? value : "";
  }
  flag(key: string, otherwise = false): boolean {
    const value = this.get(key);
    return typeof value === "boolean" ? value : otherwise;
  }
  number(key: string): number {
    const value = this.get(key);
    return typeof value === "number" ? value : 0;
  }
  list(key: string): readonly Plain[] {
    const value = this.get(key);
    return isPlainList(value) ? value : [];
  }
  texts(key: string): readonly string[] {
    return this.list(key).map(String);
  }
  textMap(key: string): Readonly<Record<string, string>> {
    const value = this.get(key);
    const result = Object.create(null) as Record<string, string>;
    if (isPlainMap(value)) {
      for (const [name, text] of Object.entries(value))
        result[name] = typeof text === "string" ? text : "";
    }
    return result;
  }
}
