/** A check under test: what it reported, what it logged, and the parts of a definition that matter. */
import { SECOND, type CheckDefinition } from "../model/index.ts";
import { noLogger, type LogFields, type Logger, type Platform } from "../platform/index.ts";
import type { CheckContext, CheckResult, RunningCheck } from "./check-runner.ts";
import { startCheck } from "./check-types.ts";
import { FirstRuns } from "./first-runs.ts";

const NOTHING: CheckDefinition = {
  CheckID: "",
  Name: "",
  Notes: "",
  ServiceID: "",
  Token: "",
  Status: "",
  ScriptArgs: null,
  HTTP: "",
  Header: null,
  Method: "",
  Body: "",
  TCP: "",
  DisableRedirects: false,
  TCPUseTLS: false,
  UDP: "",
  H2PING: "",
  H2PingUseTLS: null,
  OSService: "",
  TLSServerName: "",
  FailuresBeforeWarning: 0,
  StartPeriod: 0,
  InitialDelay: 0,
  Interval: 0,
  AliasNode: "",
  AliasService: "",
  DockerContainerID: "",
  Shell: "",
  GRPC: "",
  GRPCUseTLS: false,
  TLSSkipVerify: false,
  Timeout: 0,
  TTL: 0,
  SuccessBeforePassing: 0,
  FailuresBeforeCritical: 0,
  DeregisterCriticalServiceAfter: 0,
  OutputMaxSize: 0,
};

export function definition(fields: Partial<CheckDefinition>): CheckDefinition {
  return { ...NOTHING, ...fields };
}

export interface CheckUnderTest extends Disposable {
  readonly check: RunningCheck;
  /** `passing: output`, oldest first. */
  readonly reports: readonly string[];
  /** `WARN message key=value`, oldest first. */
  readonly log: readonly string[];
  readonly last: () => string | undefined;
}

/** Starts a check every second unless `fields` say otherwise; first reports come within a second. */
export function start(
  platform: Platform,
  fields: Partial<CheckDefinition>,
  options: Partial<CheckContext> = {},
): CheckUnderTest {
  const reports: string[] = [];
  const log: string[] = [];
  const passive = (fields.TTL ?? 0) > 0 || (fields.AliasService ?? fields.AliasNode ?? "") !== "";
  const check = startCheck({
    platform,
    logger: recorder(log),
    checkId: "c",
    definition: definition(passive ? fields : { Interval: SECOND, ...fields }),
    outputMaxBytes: 4096,
    firstRuns: new FirstRuns(platform.clock, platform.random.fork("first runs")),
    initial: { status: "critical", output: "" },
    report: (result) => reports.push(show(result)),
    ...options,
  });
  return {
    check,
    reports,
    log,
    last: () => reports.at(-1),
    [Symbol.dispose]: () => check[Symbol.dispose](),
  };
}

export function show({ status, output }: CheckResult): string {
  return `${status}: ${output}`;
}

function recorder(lines: string[]): Logger {
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}): void => {
      const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${String(value)}`);
      lines.push(`${level} ${message}${pairs.join("")}`);
    };
  return {
    ...noLogger,
    debug: at("DEBUG"),
    info: at("INFO"),
    warn: at("WARN"),
    error: at("ERROR"),
  };
}
