/**
 * Makes a recorded answer and ours comparable: everything stays to the letter but the places that the recording
 * itself says vary. Those are checked for their shape, and indexes also for their order within the answer, so that
 * a header index that is older than an entry's still shows.
 */
export interface Variation {
  /** A JSON pointer into the body, `header:NAME`, or `body` for all of it. */
  readonly at: string;
  readonly kind: string;
}
export interface WireAnswer {
  readonly status: number;
  /** In their exact spelling. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>;
  readonly body: string;
}
export interface Comparable {
  readonly status: number;
  /** `Name: value`, sorted. */
  readonly headers: readonly string[];
  readonly body: string;
}

/** How the bytes are framed is between two neighbours; Go chunks from 2 KiB on, we always send the length. */
const LEFT_OUT_HEADERS = new Set(["Date", "Content-Length", "Transfer-Encoding"]);

/** What a value of each kind looks like, as JSON text. One that does not stays as it is, and so is seen. */
const SHAPES: Readonly<Record<string, RegExp>> = {
  index: /^\d+$/,
  milliseconds: /^\d+$/,
  seconds: /^\d+$/,
  uuid: /^"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"$/,
  hash: /^"?[\w+/=-]+"?$/,
  time: /^("\d{4}-\d\d-\d\dT[^"]+"|\d+)$/,
  coordinate: /^-?[\d.]+(e-?\d+)?$/,
  "run-number": /^"fx-ev-\d+"$/,
  "MISS-then-HIT": /^(MISS|HIT)$/,
  "agent-dependent": /^\{/,
};

const looksLike = (kind: string, value: string): boolean => SHAPES[kind]?.test(value) ?? false;

export function comparable(answer: WireAnswer, varies: readonly Variation[]): Comparable {
  const indexes = new Set<number>();
  const isIndex = new Set(varies.filter(({ kind }) => kind === "index").map(({ at }) => at));
  const spans = isJson(answer) ? valueSpans(answer.body) : new Map<string, Span>();
  for (const at of isIndex) {
    const value = valueAt(at, answer, spans);
    if (value !== undefined && looksLike("index", value)) indexes.add(Number(value));
  }
  const ranks = [...indexes].toSorted((a, b) => a - b);
  const mask = (kind: string, value: string): string => {
    if (!looksLike(kind, value)) return value;
    return kind === "index" ? `<index #${ranks.indexOf(Number(value))}>` : `<${kind}>`;
  };
  return {
    status: answer.status,
    headers: comparableHeaders(answer.headers, varies, mask),
    body: comparableBody(answer.body, spans, varies, mask),
  };
}

type Mask = (kind: string, value: string) => string;

const isJson = ({ headers }: WireAnswer): boolean =>
  headers.some(([name, value]) => name === "Content-Type" && value === "application/json");

function valueAt(
  at: string,
  answer: WireAnswer,
  spans: ReadonlyMap<string, Span>,
): string | undefined {
  if (at.startsWith("header:")) {
    return answer.headers.find(([name]) => `header:${name}` === at)?.[1];
  }
  const span = spans.get(at);
  return span === undefined ? undefined : answer.body.slice(span.start, span.end);
}

function comparableHeaders(
  headers: WireAnswer["headers"],
  varies: readonly Variation[],
  mask: Mask,
): string[] {
  return headers
    .filter(([name]) => !LEFT_OUT_HEADERS.has(name))
    .map(([name, value]) => {
      const variation = varies.find(({ at }) => at === `header:${name}`);
      return `${name}: ${variation === undefined ? value : mask(variation.kind, value)}`;
    })
    .toSorted();
}

function comparableBody(
  body: string,
  spans: ReadonlyMap<string, Span>,
  varies: readonly Variation[],
  mask: Mask,
): string {
  if (varies.some(({ at }) => at === "body")) return "<body>";
  // No spans: no JSON.
  if (spans.size === 0) return body;
  const masks = varies
    .flatMap(({ at, kind }) => {
      const span = isWhole(kind) ? undefined : spans.get(at);
      return span === undefined ? [] : [{ ...span, kind }];
    })
    .toSorted((a, b) => a.start - b.start || b.end - a.end);
  let masked = "";
  let done = 0;
  for (const { start, end, kind } of masks) {
    // Inside of one that is masked already.
    if (start < done) continue;
    masked += body.slice(done, start) + mask(kind, body.slice(start, end));
    done = end;
  }
  return varies.reduce(
    (text, { at, kind }) => {
      if (kind === "unordered-array") return sortedAt(text, at);
      return kind === "left-out" ? withoutAt(text, at) : text;
    },
    masked + body.slice(done),
  );
}

/** Is it about an array or a member as such, and not about its text? */
const isWhole = (kind: string): boolean => kind === "unordered-array" || kind === "left-out";

/** A member or an element taken away, with its comma. */
function withoutAt(json: string, pointer: string): string {
  const span = valueSpans(json).get(pointer);
  if (span === undefined) return json;
  const [before, after] = [json.slice(0, span.from), json.slice(span.end)];
  return after.startsWith(",") ? before + after.slice(1) : before.replace(/,$/, "") + after;
}

/** The elements of the array at `pointer` sorted by their text. */
function sortedAt(json: string, pointer: string): string {
  const spans = valueSpans(json);
  const array = spans.get(pointer);
  if (array === undefined || json[array.start] !== "[") return json;
  const elements: string[] = [];
  for (let i = 0; ; i++) {
    const element = spans.get(`${pointer}/${i}`);
    if (element === undefined) break;
    elements.push(json.slice(element.start, element.end));
  }
  return `${json.slice(0, array.start)}[${elements.toSorted().join(",")}]${json.slice(array.end)}`;
}

export interface Span {
  /** Where its key begins; the same as `start` for an element. */
  readonly from: number;
  readonly start: number;
  readonly end: number;
}

/** A scalar of JSON, or one of the masks that this file puts in its place. */
const SCALAR = /"(?:[^"\\]|\\.)*"|<[^>]*>|[^\s,\]}]+/y;
const SPACE = /\s*/y;

/** Where each value of a JSON text stands, by its pointer. */
export function valueSpans(json: string): Map<string, Span> {
  const spans = new Map<string, Span>();
  let at = 0;
  const skip = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const found = pattern.exec(json)?.[0];
    if (found === undefined) throw new Error(`no JSON at ${at}: ${json.slice(at, at + 40)}`);
    at += found.length;
    return found;
  };
  const value = (pointer: string, key?: number): void => {
    skip(SPACE);
    const start = at;
    const from = key ?? start;
    const open = json[at];
    if (open === "{" || open === "[") {
      at++;
      skip(SPACE);
      for (let i = 0; json[at] !== "}" && json[at] !== "]"; i++) {
        let step = String(i);
        const key = at;
        if (open === "{") {
          step = JSON.parse(skip(SCALAR)) as string;
          skip(SPACE);
          at++;
        }
        value(`${pointer}/${step.replaceAll("~", "~0").replaceAll("/", "~1")}`, key);
        skip(SPACE);
        if (json[at] !== ",") continue;
        at++;
        skip(SPACE);
      }
      at++;
    } else {
      skip(SCALAR);
    }
    spans.set(pointer, { from, start, end: at });
  };
  value("");
  return spans;
}
