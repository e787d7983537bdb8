/**
 * Measurements, gathered for operators: gauges, counters and samples by name and labels, as they were in each interval
 * of ten seconds and, for those who ask again and again, since the start (Consul docs: "Telemetry"). Each is also
 * passed on, as it happens, to those who listen.
 *
 * A name costs memory until the process ends, so names must come from a finite set: of routes, of methods, never of
 * what users send. Labels may come from users, and so have a limit of their own: whoever measures more than either
 * measures nothing.
 */
import type { Clock } from "./platform.ts";

export const METRICS_INTERVAL_MS = 10_000;
const MAX_NAMES = 4096;
const MAX_LABELLED = 2048;
/** Of one name's samples in an interval, for its quantiles. */
const MAX_KEPT_SAMPLES = 256;

/** In the order in which they were given; a name may come twice. */
export type Labels = ReadonlyArray<readonly [name: string, value: string]>;
const NO_LABELS: Labels = [];

interface Measure {
  /** With its prefix. */
  readonly name: string;
  readonly labels: Labels;
}
export interface Aggregate extends Measure {
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  readonly min: number;
  readonly max: number;
}
export interface SampleAggregate extends Aggregate {
  /** Some of the values, for quantiles. */
  readonly values: readonly number[];
}
export interface Gauge {
  readonly name: string;
  readonly value: number;
}
/** All lists are sorted by name. */
export interface Measured {
  /** Wall clock at the interval's begin. */
  readonly beginMs: number;
  readonly gauges: readonly Gauge[];
  readonly counters: readonly Aggregate[];
  readonly samples: readonly SampleAggregate[];
}

/** Where a component measures. */
export interface Meter {
  count(name: string, by?: number, labels?: Labels): void;
  /** Milliseconds, mostly. */
  sample(name: string, value: number, labels?: Labels): void;
}
export const noMeter: Meter = { count: () => {}, sample: () => {} };

/** One measurement, under the name that it has outside. */
export interface Measurement extends Measure {
  readonly kind: "gauge" | "counter" | "sample";
  readonly value: number;
}
export type MeasurementListener = (measurement: Measurement) => void;

/** How measurements are called outside, and which there are. */
export interface MetricsNaming {
  /** Of every name, without its dot; may be empty. */
  readonly prefix: string;
  /** Stands behind the prefix of gauges; may be empty. */
  readonly gaugeHost: string;
  /** @param name with all of that */
  readonly allows: (name: string) => boolean;
}
const PLAIN: MetricsNaming = { prefix: "", gaugeHost: "", allows: () => true };

export interface MetricsOptions {
  readonly clock: Clock;
  /** Asked whenever somebody reads: gauges are not pushed. */
  readonly readGauges: () => readonly Gauge[];
  readonly naming?: MetricsNaming;
}

export class Metrics implements Meter {
  readonly #clock: Clock;
  readonly #readGauges: MetricsOptions["readGauges"];
  readonly #listeners: MeasurementListener[] = [];
  #naming: MetricsNaming;
  /** By the name that they are measured by; undefined for those that are not allowed. */
  readonly #outerNames = new Map<string, string | undefined>();
  #current: Interval;
  #last: Interval | undefined;
  readonly #sinceStart = new Interval(0, 0);

  constructor({ clock, readGauges, naming = PLAIN }: MetricsOptions) {
    this.#clock = clock;
    this.#readGauges = readGauges;
    this.#naming = naming;
    this.#current = this.#begin();
  }

  /** From now on; what was measured keeps its name. */
  rename(naming: MetricsNaming): void {
    this.#naming = naming;
    this.#outerNames.clear();
  }
  listen(listener: MeasurementListener): void {
    this.#listeners.push(listener);
  }

  count(name: string, by = 1, labels = NO_LABELS): void {
    this.#measure("counter", name, by, labels);
  }
  sample(name: string, value: number, labels = NO_LABELS): void {
    this.#measure("sample", name, value, labels);
  }
  /** Tells those who listen what the gauges are. */
  publishGauges(): void {
    for (const gauge of this.#gauges()) {
      for (const listener of this.#listeners) {
        listener({ kind: "gauge", ...gauge, labels: NO_LABELS });
      }
    }
  }

  /** The last whole interval; before there is one, the one that is going on. */
  measured(): Measured {
    const current = this.#now();
    return this.#shown(this.#last ?? current);
  }
  /** Counters and samples since the start, with the values of the interval that is going on and the one before it. */
  total(): Measured {
    const current = this.#now();
    const last = this.#last;
    const total = this.#shown(this.#sinceStart);
    const samples = total.samples.map((sample) => ({
      ...sample,
      values: [...(last?.samples.valuesOf(sample) ?? []), ...current.samples.valuesOf(sample)],
    }));
    return { ...total, samples };
  }

  #measure(kind: "counter" | "sample", inner: string, value: number, labels: Labels): void {
    const name = this.#outerName(inner);
    if (name === undefined) return;
    const list = kind === "counter" ? "counters" : "samples";
    this.#now()[list].add(name, labels, value);
    if (!this.#sinceStart[list].add(name, labels, value)) return;
    for (const listener of this.#listeners) listener({ kind, name, value, labels });
  }

  #outerName(inner: string): string | undefined {
    const known = this.#outerNames.get(inner);
    if (known !== undefined || this.#outerNames.has(inner)) return known;
    const { prefix, allows } = this.#naming;
    const name = prefix === "" ? inner : `${prefix}.${inner}`;
    const outer = allows(name) ? name : undefined;
    if (this.#outerNames.size < MAX_NAMES) this.#outerNames.set(inner, outer);
    return outer;
  }

  #gauges(): Gauge[] {
    const { prefix, gaugeHost, allows } = this.#naming;
    const before = [prefix, gaugeHost].filter((part) => part !== "");
    return this.#readGauges()
      .map(({ name, value }) => ({ name: [...before, name].join("."), value }))
      .filter(({ name }) => allows(name))
      .toSorted(byName);
  }

  #shown(interval: Interval): Measured {
    return {
      beginMs: interval.beginWallMs,
      gauges: this.#gauges(),
      counters: interval.counters.shown(),
      samples: interval.samples.shown(),
    };
  }

  #begin(): Interval {
    const now = this.#clock.now();
    const wallMs = this.#clock.wallMs();
    const intoMs = wallMs % METRICS_INTERVAL_MS;
    return new Interval(now - intoMs, wallMs - intoMs);
  }

  #now(): Interval {
    const sinceMs = this.#clock.now() - this.#current.beginAt;
    if (sinceMs < METRICS_INTERVAL_MS) return this.#current;
    // After a silence the last whole interval is an empty one.
    const isNext = sinceMs < 2 * METRICS_INTERVAL_MS;
    const next = this.#begin();
    this.#last = isNext
      ? this.#current
      : new Interval(next.beginAt - METRICS_INTERVAL_MS, next.beginWallMs - METRICS_INTERVAL_MS);
    this.#current = next;
    return next;
  }
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : 0;

class Interval {
  readonly beginAt: number;
  readonly beginWallMs: number;
  readonly counters = new Aggregates();
  readonly samples = new Aggregates();

  constructor(beginAt: number, beginWallMs: number) {
    this.beginAt = beginAt;
    this.beginWallMs = beginWallMs;
  }
}

interface Running extends Measure {
  count: number;
  sum: number;
  sumOfSquares: number;
  min: number;
  max: number;
  readonly values: number[];
}

class Aggregates {
  readonly #plain = new Map<string, Running>();
  /** By name and labels. */
  readonly #labelled = new Map<string, Running>();

  /** @returns false for what is more than there is room for */
  add(name: string, labels: Labels, value: number): boolean {
    const running =
      labels.length === 0
        ? started(this.#plain, name, MAX_NAMES, name, labels)
        : started(this.#labelled, keyOf(name, labels), MAX_LABELLED, name, labels);
    if (running === undefined) return false;
    running.count += 1;
    running.sum += value;
    running.sumOfSquares += value * value;
    if (value < running.min) running.min = value;
    if (value > running.max) running.max = value;
    if (running.values.length < MAX_KEPT_SAMPLES) running.values.push(value);
    return true;
  }

  valuesOf({ name, labels }: Measure): readonly number[] {
    const running =
      labels.length === 0 ? this.#plain.get(name) : this.#labelled.get(keyOf(name, labels));
    return running?.values ?? [];
  }

  shown(): SampleAggregate[] {
    return [...this.#plain.values(), ...this.#labelled.values()]
      .map((running) => ({ ...running }))
      .toSorted(byName);
  }
}

/** Lengths keep apart what differs: a value may hold any character. */
const keyOf = (name: string, labels: Labels): string =>
  labels.reduce((key, [label, value]) => `${key},${label}:${value.length}:${value}`, name);

function started(
  known: Map<string, Running>,
  key: string,
  max: number,
  name: string,
  labels: Labels,
): Running | undefined {
  let running = known.get(key);
  if (running !== undefined) return running;
  if (known.size >= max) return undefined;
  running = {
    name,
    labels,
    count: 0,
    sum: 0,
    sumOfSquares: 0,
    min: Infinity,
    max: -Infinity,
    values: [],
  };
  known.set(key, running);
  return running;
}
