export type * from "./platform.ts";
export { Metrics, METRICS_INTERVAL_MS, noMeter } from "./metrics.ts";
export type {
  Aggregate,
  Gauge,
  Labels,
  Measured,
  Measurement,
  Meter,
  MetricsNaming,
  SampleAggregate,
} from "./metrics.ts";
export { noLogger } from "./logger.ts";
export type { LogFields, Logger } from "./logger.ts";
export { lineLogger, parseLogLevel } from "./log-lines.ts";
export type { LineLogger, LineLoggerOptions, LogLevel, LogSink } from "./log-lines.ts";
export { secondsTimestamp } from "./log-timestamp.ts";
export { DisposableScope } from "./disposable-scope.ts";
export { overlayDisk } from "./overlay-disk.ts";
export { OutputTail } from "./output-tail.ts";
export { pause } from "./pause.ts";
