/** `/v1/agent/metrics` (Consul HTTP API, "View Metrics"), and `/v1/agent/host`. */
import { any, float, int, list, map, struct, text, type Static } from "../model/index.ts";
import {
  METRICS_INTERVAL_MS,
  secondsTimestamp,
  type Aggregate,
  type Measured,
} from "../platform/index.ts";
import { jsonBody, plainJsonBody, textBody } from "./body.ts";
import type { Call } from "./call.ts";
import { hostFacts } from "./host-facts.ts";
import { labelMap, prometheusText, PROMETHEUS_TYPE } from "./metrics-text.ts";
import { TOKEN_PARAMETERS } from "./query-options.ts";
import { reply, type Reply } from "./reply.ts";
import { defineRoute } from "./route.ts";

const LABELS = map(text());
const SampledValue = struct("SampledValue", {
  Name: text(),
  Count: int(),
  Rate: float({ description: "Sum per second" }),
  Sum: float(),
  Min: float(),
  Max: float(),
  Mean: float(),
  Stddev: float(),
  Labels: LABELS,
});
const MetricsSummary = struct("MetricsSummary", {
  Timestamp: text({ description: "Begin of the interval" }),
  Gauges: list(struct("GaugeValue", { Name: text(), Value: float(), Labels: LABELS })),
  Points: list(any()),
  Counters: list(SampledValue),
  Samples: list(SampledValue),
});
const summaryBody = jsonBody(MetricsSummary);

const NOT_ENABLED = 415;
const ACCEPTS_PROMETHEUS = /application\/openmetrics-text|text\/plain;\s*version=0\.4\.0/;

function metrics(call: Call): Reply {
  const { config, needs, query } = call;
  const wantsText =
    query.get("format") === "prometheus" || ACCEPTS_PROMETHEUS.test(call.header("accept"));
  if (!wantsText) return reply(summaryBody(summary(needs.agent.metrics())));
  if (config.telemetry.prometheusRetentionMs > 0) {
    return reply(textBody(prometheusText(needs.agent.totalMetrics()), PROMETHEUS_TYPE));
  }
  const text = "Prometheus is not enabled since its retention time is not positive";
  return reply(textBody(text), [], NOT_ENABLED);
}

function summary(measured: Measured): Static<typeof MetricsSummary> {
  const timestamp = secondsTimestamp(measured.beginMs).replace("T", " ").replace("Z", "");
  return {
    Timestamp: `${timestamp} +0000 UTC`,
    Gauges: measured.gauges.map(({ name, value }) => ({ Name: name, Value: value, Labels: {} })),
    Points: [],
    Counters: measured.counters.map(sampled),
    Samples: measured.samples.map(sampled),
  };
}

function sampled(of: Aggregate): Static<typeof SampledValue> {
  const { name, labels, count, sum, sumOfSquares, min, max } = of;
  const spread = count > 1 ? (count * sumOfSquares - sum * sum) / (count * (count - 1)) : 0;
  return {
    Name: name,
    Count: count,
    Rate: sum / (METRICS_INTERVAL_MS / 1000),
    Sum: sum,
    Min: min,
    Max: max,
    Mean: count === 0 ? 0 : sum / count,
    Stddev: Math.sqrt(Math.max(0, spread)),
    Labels: labelMap(labels),
  };
}

function host({ needs }: Call): Reply {
  return reply(plainJsonBody(hostFacts(needs.platform)));
}

const HOST = map(any());
export const agentMetricsRoutes = [
  defineRoute("/v1/agent/metrics", "Agent", {
    GET: {
      summary: "What this agent measured in the last interval of ten seconds",
      query: {
        ...TOKEN_PARAMETERS,
        format: {
          description: "prometheus: everything since the start, as Prometheus reads it",
          type: "text",
        },
      },
      answerHeaders: "none",
      answers: {
        200: { description: "The measurements", schema: MetricsSummary, orText: PROMETHEUS_TYPE },
        415: { description: "telemetry.prometheus_retention_time is 0" },
      },
      handle: metrics,
    },
  }),
  defineRoute("/v1/agent/host", "Agent", {
    GET: {
      summary: "The machine that this agent runs on",
      query: TOKEN_PARAMETERS,
      answerHeaders: "none",
      answers: { 200: { description: "Memory, CPU, Host, Disk", schema: HOST } },
      handle: host,
    },
  }),
];
