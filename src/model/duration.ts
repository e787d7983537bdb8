/**
 * Durations as Go writes them: "300ms", "1h30m", "-1.5s", "0". Held as nanoseconds in a number, exact up
 * to 104 days and to within a few hundred nanoseconds up to the 290 years that Go can express.
 */
export const NANOSECOND = 1;
export const MICROSECOND = 1_000;
export const MILLISECOND = 1_000_000;
export const SECOND = 1_000_000_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

const UNITS: Readonly<Record<string, number>> = {
  ns: NANOSECOND,
  us: MICROSECOND,
  µs: MICROSECOND,
  μs: MICROSECOND,
  ms: MILLISECOND,
  s: SECOND,
  m: MINUTE,
  h: HOUR,
};
const MAX = 2 ** 63;
const PART = /^(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/;

/** @returns nanoseconds, or undefined if Go's ParseDuration would refuse the text */
export function parseDuration(text: string): number | undefined {
  let rest = text;
  let sign = 1;
  if (rest.startsWith("-") || rest.startsWith("+")) {
    if (rest.startsWith("-")) sign = -1;
    rest = rest.slice(1);
  }
  if (rest === "0") return 0;
  if (rest === "") return undefined;
  let total = 0;
  while (rest !== "") {
    const part = PART.exec(rest);
    if (part === null) return undefined;
    const [whole, digits = "", fraction = "", unit = ""] = part;
    if (digits === "" && fraction === "") return undefined;
    const scale = UNITS[unit] ?? 0;
    total += Number(digits === "" ? "0" : digits) * scale;
    if (fraction !== "") total += Math.floor(Number(`0.${fraction}`) * scale + 1e-6);
    if (total >= MAX) return undefined;
    rest = rest.slice(whole.length);
  }
  return sign * total;
}

/** Go's words for a text that `parseDuration` refuses. */
export function durationError(text: string): string {
  return `time: invalid duration ${JSON.stringify(text)}`;
}

/** As Go's Duration.String: "1m30s", "1.5s", "100ms", "0s". */
export function formatDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return "0s";
  const sign = nanoseconds < 0 ? "-" : "";
  const ns = Math.abs(nanoseconds);
  if (ns < MICROSECOND) return `${sign}${ns}ns`;
  if (ns < MILLISECOND) return `${sign}${decimal(ns, MICROSECOND)}µs`;
  if (ns < SECOND) return `${sign}${decimal(ns, MILLISECOND)}ms`;
  const hours = Math.floor(ns / HOUR);
  const minutes = Math.floor((ns % HOUR) / MINUTE);
  const seconds = `${decimal(ns % MINUTE, SECOND)}s`;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}`;
  if (minutes > 0) return `${sign}${minutes}m${seconds}`;
  return `${sign}${seconds}`;
}

function decimal(ns: number, unit: number): string {
  const whole = Math.floor(ns / unit);
  const width = Math.round(Math.log10(unit));
  const fraction = String(ns % unit)
    .padStart(width, "0")
    .replace(/0+$/, "");
  return fraction === "" ? String(whole) : `${whole}.${fraction}`;
}
