/**
 * Lines of serf's snapshot file (serf: snapshot.go), from which a node that restarts knows whom to join and
 * which events it has seen. What a sequence of lines comes to is serf's matter.
 *
 *     alive: node-1 10.0.0.1:8301      the name may contain blanks, the address does not
 *     not-alive: node-2
 *     clock: 7      event-clock: 3      query-clock: 4
 *     leave
 */
import { malformed } from "./malformed.ts";

export type SnapshotLine =
  | Readonly<{ kind: "alive"; name: string; address: string }>
  | Readonly<{ kind: "not-alive"; name: string }>
  | Readonly<{ kind: Clock; time: number }>
  | Readonly<{ kind: "leave" }>
  /** Comments, and coordinates of older versions. */
  | Readonly<{ kind: "skipped" }>;
type Clock = "clock" | "event-clock" | "query-clock";

const CLOCKS: ReadonlySet<string> = new Set<Clock>(["clock", "event-clock", "query-clock"]);

/** @param line ends with a line feed: what a crash cut off is malformed */
export function encodeSnapshotLine(line: Exclude<SnapshotLine, { kind: "skipped" }>): string {
  switch (line.kind) {
    case "alive":
      return `alive: ${line.name} ${line.address}\n`;
    case "not-alive":
      return `not-alive: ${line.name}\n`;
    case "leave":
      return "leave\n";
    case "clock":
    case "event-clock":
    case "query-clock":
      return `${line.kind}: ${line.time}\n`;
  }
}

/** @throws {RollcallError} `wire/malformed` for a line to warn about and to go on after */
export function decodeSnapshotLine(line: string): SnapshotLine {
  if (!line.endsWith("\n")) throw malformed("a snapshot line without an end");
  const content = line.slice(0, -1);
  if (content === "leave") return { kind: "leave" };
  if (content.startsWith("#") || content.startsWith("coordinate: ")) return { kind: "skipped" };
  const colon = content.indexOf(": ");
  const kind = content.slice(0, Math.max(colon, 0));
  const rest = content.slice(colon + 2);
  if (kind === "not-alive") return { kind, name: rest };
  if (isClock(kind)) return { kind, time: parseTime(rest) };
  const blank = rest.lastIndexOf(" ");
  if (kind !== "alive" || blank < 0) throw malformed(`unrecognized snapshot line: ${content}`);
  return { kind, name: rest.slice(0, blank), address: rest.slice(blank + 1) };
}

function parseTime(text: string): number {
  const time = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(time)) throw malformed(`not a time in a snapshot: ${text}`);
  return time;
}

function isClock(kind: string): kind is Clock {
  return CLOCKS.has(kind);
}
