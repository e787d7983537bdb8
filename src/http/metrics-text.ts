/**
 * Metrics as Prometheus reads them: its text format, version 0.0.4 (prometheus.io: "Exposition formats"). Counters are
 * what they are since the start, samples are summaries with quantiles over the last seconds.
 */
import type { Gauge, Measured, SampleAggregate } from "../platform/index.ts";

export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";
const QUANTILES = [0.5, 0.9, 0.99] as const;

/** @param prefix of every name, with its dot */
export function prometheusText({ gauges, counters, samples }: Measured, prefix: string): string {
  const families = [
    ...gauges.map((gauge) => [promName(prefix, gauge), gaugeLines] as const),
    ...counters.map((counter) => [promName(prefix, counter), counterLines(counter.sum)] as const),
    ...samples.map((sample) => [promName(prefix, sample), summaryLines(sample)] as const),
  ];
  const values = new Map(gauges.map((gauge) => [promName(prefix, gauge), gauge]));
  return families
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, lines]) => `# HELP ${name} ${name}\n${lines(name, values.get(name))}`)
    .join("");
}

const promName = (prefix: string, { name }: { readonly name: string }): string =>
  `${prefix}${name}`.replace(/[.\- =/]/g, "_");

type Lines = (name: string, gauge: Gauge | undefined) => string;

const gaugeLines: Lines = (name, gauge) =>
  `# TYPE ${name} gauge\n${name} ${number(gauge?.value ?? 0)}\n`;

const counterLines =
  (sum: number): Lines =>
  (name) =>
    `# TYPE ${name} counter\n${name} ${number(sum)}\n`;

const summaryLines =
  ({ count, sum, values }: SampleAggregate): Lines =>
  (name) => {
    const sorted = values.toSorted((a, b) => a - b);
    const quantiles = QUANTILES.map(
      (quantile) => `${name}{quantile="${quantile}"} ${number(quantileOf(sorted, quantile))}\n`,
    );
    const total = `${name}_sum ${number(sum)}\n${name}_count ${count}\n`;
    return `# TYPE ${name} summary\n${quantiles.join("")}${total}`;
  };

/** NaN where nothing was measured. */
function quantileOf(sorted: readonly number[], quantile: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))] ?? NaN;
}

const number = (value: number): string =>
  Number.isNaN(value) ? "NaN" : value === Infinity ? "+Inf" : String(value);
