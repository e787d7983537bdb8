/**
 * Measurements, gathered for operators: gauges, counters and samples by name, as they were in each interval of ten
 * seconds and, for those who ask again and again, since the start (Consul docs: "Telemetry").
 *
 * A name costs memory until the process ends, so names must come from a finite set: of routes, of methods, never of
 * what users send. Whoever measures more than the limit measures nothing.
 */
import type { Clock } from "./platform.ts";

export const METRICS_INTERVAL_MS = 10_000;
const MAX_NAMES = 4096;
/** Of one name's samples in an interval, for its quantiles. */
const MAX_KEPT_SAMPLES = 256;

export interface Aggregate {
  readonly name: string;
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
  count(name: string, by?: number): void;
  /** Milliseconds, mostly. */
  sample(name: string, value: number): void;
}
export const noMeter: Meter = { count: () => {}, sample: () => {} };

export class Metrics implements Meter {
  readonly #clock: Clock;
  readonly #readGauges: () => readonly Gauge[];
  #current: Interval;
  #last: Interval | undefined;
  readonly #sinceStart = new Interval(0, 0);

  /** @param readGauges asked whenever somebody reads: gauges are not pushed */
  constructor(clock: Clock, readGauges: () => readonly Gauge[]) {
    this.#clock = clock;
    this.#readGauges = readGauges;
    this.#current = this.#begin();
  }

  count(name: string, by = 1): void {
    this.#now().counters.add(name, by);
    this.#sinceStart.counters.add(name, by);
  }
  sample(name: string, value: number): void {
    this.#now().samples.add(name, value);
    this.#sinceStart.samples.add(name, value);
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
      values: [
        ...(last?.samples.valuesOf(sample.name) ?? []),
        ...current.samples.valuesOf(sample.name),
      ],
    }));
    return { ...total, samples };
  }

  #shown(interval: Interval): Measured {
    return {
      beginMs: interval.beginWallMs,
      gauges: this.#readGauges().toSorted(byName),
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

interface Running {
  count: number;
  sum: number;
  sumOfSquares: number;
  min: number;
  max: number;
  readonly values: number[];
}

class Aggregates {
  readonly #byName = new Map<string, Running>();

  add(name: string, value: number): void {
    let running = this.#byName.get(name);
    if (running === undefined) {
      if (this.#byName.size >= MAX_NAMES) return;
      running = { count: 0, sum: 0, sumOfSquares: 0, min: Infinity, max: -Infinity, values: [] };
      this.#byName.set(name, running);
    }
    running.count += 1;
    running.sum += value;
    running.sumOfSquares += value * value;
    if (value < running.min) running.min = value;
    if (value > running.max) running.max = value;
    if (running.values.length < MAX_KEPT_SAMPLES) running.values.push(value);
  }

  valuesOf(name: string): readonly number[] {
    return this.#byName.get(name)?.values ?? [];
  }

  shown(): SampleAggregate[] {
    return [...this.#byName].map(([name, running]) => ({ name, ...running })).toSorted(byName);
  }
}
