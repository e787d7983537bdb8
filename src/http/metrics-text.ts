/**
 * Metrics as Prometheus reads them: its text format, version 0.0.4 (prometheus.io: "Exposition formats"). Counters are
 * what they are since the start, samples are summaries with quantiles over the last seconds.
 */
import type { Gauge, Labels, Measured, SampleAggregate } from "../platform/index.ts";

export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";
const QUANTILES = [0.5, 0.9, 0.99] as const;

/** As maps, where a name can come but once: the last one stays. */
export function labelMap(labels: Labels): Record<string, string> {
  return Object.fromEntries(labels);
}

export function prometheusText({ gauges, counters, samples }: Measured): string {
  const lines: readonly Line[] = [
    ...gauges.map((gauge) => ({ type: "gauge", ...named(gauge), text: valueLine(gauge) })),
    ...counters.map((counter) => ({
      type: "counter",
      ...named(counter),
      text: valueLine({ ...counter, value: counter.sum }),
    })),
    ...samples.map((sample) => ({ type: "summary", ...named(sample), text: summaryLines(sample) })),
  ];
  const sorted = lines.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return sorted
    .map(({ name, type, text }, i) => {
      const isFirst = sorted[i - 1]?.name !== name;
      return isFirst ? `# HELP ${name} ${name}\n# TYPE ${name} ${type}\n${text}` : text;
    })
    .join("");
}

/** One series; those of one name stand together, under one heading. */
interface Line {
  readonly name: string;
  readonly type: string;
  readonly text: string;
}

const promName = (name: string): string => name.replace(/[.\- =/]/g, "_");
const named = ({ name }: { readonly name: string }): { readonly name: string } => ({
  name: promName(name),
});

/** `{a="1",b="2"}`, or nothing; a value's backslashes, quotes and line ends are escaped. */
function labelled(labels: Labels): string {
  const pairs = Object.entries(labelMap(labels)).map(([name, value]) => {
    const escaped = value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
    return `${promName(name)}="${escaped}"`;
  });
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function valueLine({ name, value, labels = [] }: Gauge & { readonly labels?: Labels }): string {
  return `${promName(name)}${labelled(labels)} ${number(value)}\n`;
}

function summaryLines({ name, labels, count, sum, values }: SampleAggregate): string {
  const sorted = values.toSorted((a, b) => a - b);
  const prom = promName(name);
  const quantiles = QUANTILES.map((quantile) => {
    const all = labelled([...labels, ["quantile", String(quantile)]]);
    return `${prom}${all} ${number(quantileOf(sorted, quantile))}\n`;
  });
  const own = labelled(labels);
  return `${quantiles.join("")}${prom}_sum${own} ${number(sum)}\n${prom}_count${own} ${count}\n`;
}

/** NaN where nothing was measured. */
function quantileOf(sorted: readonly number[], quantile: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))] ?? NaN;
}

const number = (value: number): string =>
  Number.isNaN(value) ? "NaN" : value === Infinity ? "+Inf" : String(value);
