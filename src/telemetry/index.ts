export { metricsNaming, sendMetrics } from "./telemetry.ts";
