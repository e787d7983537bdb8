/** The agent's measurements: what they are called, and who outside is told of them (Consul docs: "Telemetry"). */
import type { RuntimeConfig } from "../config/index.ts";
import {
  DisposableScope,
  METRICS_INTERVAL_MS,
  type IpAddress,
  type Logger,
  type Measurement,
  type Metrics,
  type MetricsNaming,
  type Platform,
} from "../platform/index.ts";
import { LinePackets } from "./line-packets.ts";
import type { LineSink, LineSinkNeeds } from "./line-sink.ts";
import { LineStream } from "./line-stream.ts";
import { dogstatsdLine, statsdLine } from "./metric-lines.ts";
import { prefixFilter } from "./prefix-filter.ts";

export type TelemetryConfig = RuntimeConfig["telemetry"];

/**
 * @param hostname of this machine. It stands in the gauges' names where several machines' may come together: where
 *   metrics are sent or fetched.
 */
export function metricsNaming(config: TelemetryConfig, hostname: string): MetricsNaming {
  const { metricsPrefix, disableHostname, prefixFilter: rules, filterDefault } = config;
  const isSeenOutside = sinksOf(config).length > 0 || config.prometheusRetentionMs > 0;
  return {
    prefix: metricsPrefix,
    gaugeHost: isSeenOutside && !disableHostname ? hostname : "",
    allows: prefixFilter(rules, filterDefault),
  };
}

export interface TelemetryNeeds {
  readonly platform: Pick<Platform, "clock" | "network">;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly config: TelemetryConfig;
}

/** Sends what is measured to whom the configuration names, until it is disposed. */
export function sendMetrics({
  platform,
  logger,
  metrics,
  config,
}: TelemetryNeeds): AsyncDisposable {
  const scope = new DisposableScope();
  const sinks = sinksOf(config);
  for (const { key, address, open, line } of sinks) {
    const remote = remoteOf(address);
    if (remote === undefined) {
      logger.warn("Metrics are not sent: not an address with a port", { key, address });
      continue;
    }
    const sink = scope.use(open({ platform, logger, remote }));
    metrics.listen((measurement) => sink.write(line(measurement)));
  }
  if (sinks.length > 0) everyInterval(platform.clock, scope, () => metrics.publishGauges());
  return scope;
}

interface Sink {
  readonly key: string;
  readonly address: string;
  readonly open: (needs: LineSinkNeeds) => LineSink;
  readonly line: (measurement: Measurement) => string;
}

function sinksOf(config: TelemetryConfig): readonly Sink[] {
  const { statsdAddress, statsiteAddress, dogstatsdAddress, dogstatsdTags } = config;
  const all: readonly Sink[] = [
    {
      key: "statsd_address",
      address: statsdAddress,
      open: (needs) => new LinePackets(needs),
      line: statsdLine,
    },
    {
      key: "statsite_address",
      address: statsiteAddress,
      open: (needs) => new LineStream(needs),
      line: statsdLine,
    },
    {
      key: "dogstatsd_addr",
      address: dogstatsdAddress,
      open: (needs) => new LinePackets(needs),
      line: (measurement) => dogstatsdLine(measurement, dogstatsdTags),
    },
  ];
  return all.filter(({ address }) => address !== "");
}

/** `host:port`, an IPv6 address in brackets; an empty host is this machine. */
function remoteOf(text: string): IpAddress | undefined {
  const [, bracketed, bare, port] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? [];
  if (port === undefined) return undefined;
  return { host: bracketed || bare || "127.0.0.1", port: Number(port) };
}

function everyInterval(clock: Platform["clock"], scope: DisposableScope, act: () => void): void {
  let timer: Disposable;
  const arm = (): void => {
    timer = clock.after(METRICS_INTERVAL_MS, () => {
      act();
      arm();
    });
  };
  arm();
  scope.defer(() => timer[Symbol.dispose]());
}
