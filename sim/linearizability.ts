/**
 * Whether what clients saw can be explained by operations that took effect one after the other, each at some
 * moment between its call and its return.
 *
 * Wing and Gong's search ("Testing and Verifying Concurrent Objects", 1993) with Lowe's memory ("Testing for
 * Linearizability", 2016): whoever has come to the same state by the same operations has been here before.
 * Operations on different keys do not touch each other, so each key's history is searched by itself
 * (Herlihy and Wing: linearizability is local).
 */

/** `returnedAt` is Infinity for an operation whose outcome nobody knows: it took effect at any time, or never. */
export interface Operation<Call, Result> {
  readonly key: string;
  readonly call: Call;
  readonly calledAt: number;
  readonly returnedAt: number;
  /** Of no meaning while the outcome is unknown. */
  readonly result: Result;
}

/** A sequential object. States are strings, so that they can be compared. */
export interface Model<Call, Result> {
  readonly initial: string;
  /** What the call does to the state, and what it returns. */
  readonly apply: (
    state: string,
    call: Call,
  ) => { readonly state: string; readonly result: Result };
  readonly sameResult: (a: Result, b: Result) => boolean;
}

export type Verdict<Call, Result> =
  | Readonly<{ kind: "linearizable" }>
  /** `history`: of one key, in the order of calls, as far as it was needed to refute it. */
  | Readonly<{ kind: "not linearizable"; history: readonly Operation<Call, Result>[] }>
  /** Given up after `stepsMax`. */
  | Readonly<{ kind: "unknown"; key: string }>;

const STEPS_MAX = 2_000_000;

export function checkLinearizable<Call, Result>(
  model: Model<Call, Result>,
  operations: readonly Operation<Call, Result>[],
  stepsMax: number = STEPS_MAX,
): Verdict<Call, Result> {
  const byKey = new Map<string, Operation<Call, Result>[]>();
  for (const operation of operations) {
    const known = byKey.get(operation.key);
    if (known === undefined) byKey.set(operation.key, [operation]);
    else known.push(operation);
  }
  for (const [key, history] of byKey) {
    history.sort((a, b) => a.calledAt - b.calledAt);
    const outcome = search(model, history, stepsMax);
    if (outcome === "unknown") return { kind: "unknown", key };
    if (outcome === "refuted")
      return { kind: "not linearizable", history: shortest(model, history, stepsMax) };
  }
  return { kind: "linearizable" };
}

/** The fewest first calls that cannot be explained, later returns being unknown. */
function shortest<Call, Result>(
  model: Model<Call, Result>,
  history: readonly Operation<Call, Result>[],
  stepsMax: number,
): readonly Operation<Call, Result>[] {
  const returns = history
    .map(({ returnedAt }) => returnedAt)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  for (const until of returns) {
    const seen = history
      .filter(({ calledAt }) => calledAt <= until)
      .map((operation) =>
        operation.returnedAt <= until
          ? operation
          : { ...operation, returnedAt: Number.POSITIVE_INFINITY },
      );
    if (search(model, seen, stepsMax) === "refuted") return seen;
  }
  return history;
}

interface Choice {
  /** Of the history, in the order of calls. */
  readonly place: number;
  readonly stateBefore: string;
}

/**
 * Depth first: next may come any operation that was called before the earliest return among those that are
 * left. The history is walked from the first that is left, so that a long one costs no more than its overlaps.
 */
function search<Call, Result>(
  model: Model<Call, Result>,
  history: readonly Operation<Call, Result>[],
  stepsMax: number,
): "linearizable" | "refuted" | "unknown" {
  const done = new Uint8Array(history.length);
  const seen = new Set<string>();
  const choices: Choice[] = [];
  let state = model.initial;
  let mustLeft = history.filter(({ returnedAt }) => Number.isFinite(returnedAt)).length;
  let first = 0;
  let from = 0;
  /** Nothing beyond has been chosen yet. */
  let furthest = 0;
  for (let steps = 0; steps < stepsMax; steps += 1) {
    if (mustLeft === 0) return "linearizable";
    while (done[first] === 1) first += 1;
    const place = next(model, history, done, Math.max(first, from), first, state);
    if (place === undefined) {
      const last = choices.pop();
      if (last === undefined) return "refuted";
      done[last.place] = 0;
      if (Number.isFinite((history[last.place] as Operation<Call, Result>).returnedAt))
        mustLeft += 1;
      state = last.stateBefore;
      first = Math.min(first, last.place);
      from = last.place + 1;
      continue;
    }
    const operation = history[place] as Operation<Call, Result>;
    const stateBefore = state;
    done[place] = 1;
    furthest = Math.max(furthest, place);
    ({ state } = model.apply(state, operation.call));
    const memory = `${first} ${Buffer.from(done.subarray(first, furthest + 1)).toString("latin1")} ${state}`;
    if (seen.has(memory)) {
      done[place] = 0;
      state = stateBefore;
      from = place + 1;
      continue;
    }
    seen.add(memory);
    choices.push({ place, stateBefore });
    if (Number.isFinite(operation.returnedAt)) mustLeft -= 1;
    from = 0;
  }
  return "unknown";
}

/** The next operation from `from` on that may come now and returns what it returned. */
function next<Call, Result>(
  model: Model<Call, Result>,
  history: readonly Operation<Call, Result>[],
  done: Uint8Array,
  from: number,
  first: number,
  state: string,
): number | undefined {
  let earliestReturn = Number.POSITIVE_INFINITY;
  for (let place = first; place < history.length; place += 1) {
    const operation = history[place] as Operation<Call, Result>;
    if (done[place] === 1) continue;
    if (operation.calledAt > earliestReturn) return undefined;
    earliestReturn = Math.min(earliestReturn, operation.returnedAt);
    if (place < from) continue;
    if (!Number.isFinite(operation.returnedAt)) return place;
    const { result } = model.apply(state, operation.call);
    if (model.sameResult(result, operation.result)) return place;
  }
  return undefined;
}
