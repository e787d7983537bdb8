/** What the lines of a snapshot file come to (serf.md §10): whom to join again, and which events are known. */
import { decodeSnapshotLine, encodeSnapshotLine, type SnapshotLine } from "../wire/index.ts";
import { requirePossible } from "./lamport-clock.ts";

/** The state that the file stands for. Clocks hold the last time that was seen. */
export class SnapshotState {
  /** Name to `ip:port`. */
  readonly alive = new Map<string, string>();
  clock = 0;
  eventClock = 0;
  queryClock = 0;

  /** @throws {RollcallError} `wire/malformed` for a time that cannot be */
  apply(line: SnapshotLine, afterLeave: "forget" | "rejoin"): void {
    if ("time" in line) requirePossible(line.time);
    switch (line.kind) {
      case "alive":
        this.alive.set(line.name, line.address);
        break;
      case "not-alive":
        this.alive.delete(line.name);
        break;
      case "clock":
        this.clock = line.time;
        break;
      case "event-clock":
        this.eventClock = line.time;
        break;
      case "query-clock":
        this.queryClock = line.time;
        break;
      case "leave":
        if (afterLeave === "rejoin") break;
        this.alive.clear();
        this.clock = 0;
        this.eventClock = 0;
        this.queryClock = 0;
        break;
      case "skipped":
        break;
    }
  }

  /** The shortest file that comes to this state. */
  lines(): string {
    let lines = "";
    for (const [name, address] of this.alive) {
      lines += encodeSnapshotLine({ kind: "alive", name, address });
    }
    return (
      lines +
      encodeSnapshotLine({ kind: "clock", time: this.clock }) +
      encodeSnapshotLine({ kind: "event-clock", time: this.eventClock }) +
      encodeSnapshotLine({ kind: "query-clock", time: this.queryClock })
    );
  }
}

export interface Replayed {
  readonly state: SnapshotState;
  /** Up to the last line that is whole: what follows was cut off by a crash. */
  readonly wholeBytes: number;
}

/** @param warn about a line that means nothing; replay goes on after it */
export function replaySnapshot(
  bytes: Uint8Array,
  afterLeave: "forget" | "rejoin",
  warn: (error: unknown) => void,
): Replayed {
  const state = new SnapshotState();
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let start = 0;
  for (let end = text.indexOf(0x0a); end >= 0; end = text.indexOf(0x0a, start)) {
    try {
      state.apply(decodeSnapshotLine(text.toString("utf8", start, end + 1)), afterLeave);
    } catch (error) {
      warn(error);
    }
    start = end + 1;
  }
  return { state, wholeBytes: start };
}
