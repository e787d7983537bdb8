/**
 * Measurements as StatsD reads them, one a line (github.com/statsd/statsd, docs/metric_types.md), and as DogStatsD does
 * (docs.datadoghq.com: "Datagram format"). Numbers are printed as from Go's float32, with six digits.
 */
import type { Measurement } from "../platform/index.ts";

const TYPES = { gauge: "g", counter: "c", sample: "ms" } as const;

/** What would end a name, a value or a line. */
const clean = (text: string): string => text.replace(/[:| \p{Cc}]/gu, "_");
const cleanTag = (text: string): string => text.replace(/[|,\p{Cc}]/gu, "_");
const float32 = (value: number): string => Math.fround(value).toFixed(6);

/** Labels have no place of their own: their values follow the name. */
export function statsdLine({ kind, name, value, labels }: Measurement): string {
  const parts = [name, ...labels.map(([, label]) => label)];
  return `${clean(parts.join("."))}:${float32(value)}|${TYPES[kind]}`;
}

/** @param tags `name:value`, or a word alone; they come before the measurement's own */
export function dogstatsdLine(
  { kind, name, value, labels }: Measurement,
  tags: readonly string[],
): string {
  const all = [...tags, ...labels.map((label) => label.join(":"))].map(cleanTag);
  const number = kind === "counter" ? String(Math.trunc(value)) : float32(value);
  const suffix = all.length === 0 ? "" : `|#${all.join(",")}`;
  return `${clean(name)}:${number}|${TYPES[kind]}${suffix}`;
}
