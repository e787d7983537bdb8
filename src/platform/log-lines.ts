/**
 * Log lines as Consul writes them, as text for people and as JSON for collectors.
 *
 *     2026-11-23T13:22:48.123Z [WARN]  agent: Check is now critical: check=service:web:1
 *     {"@level":"warn","@message":"Check is now critical","@module":"agent","@timestamp":"…","check":"…"}
 *
 * A record is formatted once per format and only if somebody wants it: the main writer, or a subscriber
 * (`/v1/agent/monitor`), which has a level and a format of its own. Text leaves line breaks in values as they
 * are, as Consul's does; a JSON record is always one line.
 */
import { messageOf } from "../errors/index.ts";
import type { LogFields, Logger } from "./logger.ts";
import { jsonTimestamp, textTimestamp } from "./log-timestamp.ts";
import type { Clock } from "./platform.ts";

/** Least important first. */
const LOG_LEVELS = ["trace", "debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogSink {
  readonly level: LogLevel;
  readonly json: boolean;
  /** Gets one record without the line break that ends it. Must neither throw nor log. */
  readonly write: (record: string) => void;
}

export interface LineLoggerOptions extends LogSink {
  readonly clock: Pick<Clock, "wallMs">;
  /** Empty: lines carry no name until `named`. */
  readonly name?: string;
  /** The host's; UTC if not given. */
  readonly zoneOffsetMinutes?: (wallMs: number) => number;
}

export interface LineLogger extends Logger {
  /** Of the main writer; subscribers keep theirs. It holds for all loggers that were named from this one. */
  setLevel(level: LogLevel): void;
  /** Until disposed, `sink` gets what its own level lets through. */
  subscribe(sink: LogSink): Disposable;
  named(name: string): LineLogger;
}

/** Consul's names in any case: TRACE, DEBUG, INFO, WARN, ERR, and ERROR. Undefined: none of them. */
export function parseLogLevel(name: string): LogLevel | undefined {
  const lower = name.trim().toLowerCase();
  return lower === "err" ? "error" : LOG_LEVELS.find((level) => level === lower);
}

export function lineLogger(options: LineLoggerOptions): LineLogger {
  const { clock, zoneOffsetMinutes = () => 0 } = options;
  return loggerOver(new Sinks(options, clock, zoneOffsetMinutes), options.name ?? "");
}

function loggerOver(sinks: Sinks, name: string): LineLogger {
  return {
    trace: (message, fields) => sinks.log("trace", name, message, fields),
    debug: (message, fields) => sinks.log("debug", name, message, fields),
    info: (message, fields) => sinks.log("info", name, message, fields),
    warn: (message, fields) => sinks.log("warn", name, message, fields),
    error: (message, fields) => sinks.log("error", name, message, fields),
    named: (inner) => loggerOver(sinks, name === "" ? inner : `${name}.${inner}`),
    setLevel: (level) => sinks.setLevel(level),
    subscribe: (sink) => sinks.subscribe(sink),
  };
}

/** Who wants to hear, and how little it takes to interest any of them. */
class Sinks {
  readonly #clock: Pick<Clock, "wallMs">;
  readonly #zoneOffsetMinutes: (wallMs: number) => number;
  readonly #subscribers = new Set<LogSink>();
  #main: LogSink;
  #leastRank: number;

  constructor(
    main: LogSink,
    clock: Pick<Clock, "wallMs">,
    zoneOffsetMinutes: (wallMs: number) => number,
  ) {
    this.#main = main;
    this.#clock = clock;
    this.#zoneOffsetMinutes = zoneOffsetMinutes;
    this.#leastRank = rankOf(main.level);
  }

  setLevel(level: LogLevel): void {
    this.#main = { ...this.#main, level };
    this.#review();
  }

  subscribe(sink: LogSink): Disposable {
    const own = { ...sink };
    this.#subscribers.add(own);
    this.#review();
    return {
      [Symbol.dispose]: () => {
        this.#subscribers.delete(own);
        this.#review();
      },
    };
  }

  log(level: LogLevel, name: string, message: string, fields: LogFields = {}): void {
    const rank = rankOf(level);
    if (rank < this.#leastRank) return;
    const wallMs = this.#clock.wallMs();
    const offset = this.#zoneOffsetMinutes(wallMs);
    let text: string | undefined;
    let json: string | undefined;
    for (const sink of [this.#main, ...this.#subscribers]) {
      if (rank < rankOf(sink.level)) continue;
      if (sink.json) {
        json ??= jsonRecord(level, name, message, fields, jsonTimestamp(wallMs, offset));
        sink.write(json);
      } else {
        text ??= textRecord(level, name, message, fields, textTimestamp(wallMs, offset));
        sink.write(text);
      }
    }
  }

  #review(): void {
    const levels = [this.#main, ...this.#subscribers].map(({ level }) => rankOf(level));
    this.#leastRank = Math.min(...levels);
  }
}

function rankOf(level: LogLevel): number {
  return LOG_LEVELS.indexOf(level);
}

const BRACKETS: Readonly<Record<LogLevel, string>> = {
  trace: "[TRACE]",
  debug: "[DEBUG]",
  info: "[INFO] ",
  warn: "[WARN] ",
  error: "[ERROR]",
};

function textRecord(
  level: LogLevel,
  name: string,
  message: string,
  fields: LogFields,
  timestamp: string,
): string {
  const prefix = name === "" ? "" : `${name}: `;
  const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${textValue(value)}`);
  const colon = pairs.length === 0 ? "" : ":";
  return `${timestamp} ${BRACKETS[level]} ${prefix}${message}${colon}${pairs.join("")}`;
}

/** In quotes if it has a blank, but with nothing escaped: so does Consul, and people grep for it. */
function textValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(listItem).join(", ")}]`;
  const text = plainText(value);
  return /[ \t\n\r]/.test(text) ? `"${text}"` : text;
}

function listItem(value: unknown): string {
  const text = plainText(value);
  return /[ \t\n\r]/.test(text) ? JSON.stringify(text) : text;
}

function plainText(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Error) return messageOf(value);
  return value === undefined || value === null ? "<nil>" : jsonValue(value);
}

/** Keys in order, as a program that compares lines expects; a field cannot take the place of a fixed one. */
function jsonRecord(
  level: LogLevel,
  name: string,
  message: string,
  fields: LogFields,
  timestamp: string,
): string {
  const module: LogFields = name === "" ? {} : { "@module": name };
  const fixed = { "@level": level, "@message": message, ...module, "@timestamp": timestamp };
  const own = Object.entries(fields)
    .filter(([key]) => !key.startsWith("@"))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const pairs = [...Object.entries(fixed), ...own].map(([key, value]) => {
    return `${JSON.stringify(key)}:${jsonValue(value instanceof Error ? messageOf(value) : value)}`;
  });
  return `{${pairs.join(",")}}`;
}

/** A value that JSON has no words for (a cycle, a function, a getter that throws) costs itself, not the record. */
function jsonValue(value: unknown): string {
  if (typeof value === "bigint") return String(value);
  try {
    const text: string | undefined = JSON.stringify(value);
    return text ?? "null";
  } catch {
    return '"<unprintable>"';
  }
}
