/**
 * A command inside a container, run through the Docker Engine's API: create an exec, start it (which answers
 * with what it prints), ask for its exit code. The exit codes mean what they mean for a script.
 *
 * With `Tty` at the start the output comes as it is, not in the Engine's frames.
 */
import { messageOf } from "../errors/index.ts";
import type { IpAddress, SocketPath } from "../platform/index.ts";
import { startActive, timeoutMsOf } from "./active-check.ts";
import type { CheckContext, CheckResult, RunningCheck } from "./check-runner.ts";
import { parseDialAddress } from "./dial-address.ts";
import { roundTrip, type HttpAnswer } from "./http-round-trip.ts";
import { capturedTail, textOf } from "./output.ts";
import { statusOfExitCode } from "./script.ts";

/** Consul waits for ever; nothing that anybody waits for takes as long as this. */
const DEFAULT_DOCKER_TIMEOUT_MS = 300_000;
const DEFAULT_DOCKER_HOST = "unix:///var/run/docker.sock";
/** Of answers that are not the command's output. */
const ANSWER_MAX_BYTES = 64 * 1024;

export function startDocker(context: CheckContext): RunningCheck {
  const { definition, logger, checkId } = context;
  const container = definition.DockerContainerID;

  async function ask(signal: AbortSignal): Promise<CheckResult> {
    try {
      const result = await execute(context, container, signal);
      logger.trace("Check output", { check: checkId, output: result.output });
      return result;
    } catch (error) {
      logger.debug("Check failed", { check: checkId, error: messageOf(error) });
      return { status: "critical", output: messageOf(error) };
    }
  }

  return startActive(context, {
    ask,
    timeoutMs: timeoutMsOf(definition, DEFAULT_DOCKER_TIMEOUT_MS),
    timeoutOutput: `exec failed for container ${container}: context deadline exceeded`,
  });
}

/** @throws {Error} with the text for the operator */
async function execute(
  context: CheckContext,
  container: string,
  signal: AbortSignal,
): Promise<CheckResult> {
  const of = `for container ${container}`;
  const createPath = `/containers/${encodeURIComponent(container)}/exec`;
  const created = await post(context, "create", createPath, signal, ANSWER_MAX_BYTES, {
    AttachStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
    Cmd: context.definition.ScriptArgs ?? [],
  });
  if (created.statusCode === 404) {
    throw new Error(`create exec failed for unknown container ${container}`);
  }
  refuse(created, 201, "create", container);
  const execId = field(created, "Id", `create exec response ${of} cannot be parsed`);
  if (typeof execId !== "string") throw new Error(`create exec response ${of} has no Id`);

  const execPath = `/exec/${encodeURIComponent(execId)}`;
  const startPath = `${execPath}/start`;
  const started = await post(context, "start", startPath, signal, context.outputMaxBytes, {
    Detach: false,
    Tty: true,
  });
  if (started.statusCode === 404)
    throw new Error(`start exec failed ${of}: invalid exec id ${execId}`);
  refuse(started, 200, "start", container);

  const inspected = await call(context, "inspect", signal, ANSWER_MAX_BYTES, {
    method: "GET",
    target: `${execPath}/json`,
    headers: { host: "docker" },
    body: "",
  });
  if (inspected.statusCode === 404) {
    throw new Error(`inspect exec failed ${of}: invalid exec id ${execId}`);
  }
  refuse(inspected, 200, "inspect", container);
  const exitCode = field(inspected, "ExitCode", `inspect exec response ${of} cannot be parsed`);
  return {
    status: statusOfExitCode(exitCode),
    output: capturedTail(started.body, started.bodyTotalBytes),
  };
}

type Step = "create" | "start" | "inspect";

function post(
  context: CheckContext,
  step: Step,
  target: string,
  signal: AbortSignal,
  bodyMaxBytes: number,
  value: unknown,
): Promise<HttpAnswer> {
  const body = JSON.stringify(value);
  const headers = {
    host: "docker",
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
  };
  return call(context, step, signal, bodyMaxBytes, { method: "POST", target, headers, body });
}

async function call(
  { platform, definition: { DockerContainerID } }: CheckContext,
  step: Step,
  signal: AbortSignal,
  bodyMaxBytes: number,
  request: Parameters<typeof roundTrip>[1],
): Promise<HttpAnswer> {
  try {
    const daemon = daemonAddress(platform.host.env("DOCKER_HOST") || DEFAULT_DOCKER_HOST);
    const stream = await platform.network.connect(daemon, { signal });
    const answer = await roundTrip(stream, request, {
      signal,
      bodyMaxBytes,
      followsRedirects: false,
    });
    if (answer.bodyProblem !== undefined) throw new Error(answer.bodyProblem);
    return answer;
  } catch (error) {
    const problem = signal.aborted ? "context deadline exceeded" : messageOf(error);
    throw new Error(`${step} exec failed for container ${DockerContainerID}: ${problem}`, {
      cause: error,
    });
  }
}

/** @throws {Error} unless `dockerHost` is `unix:///path` or `tcp://host:port` */
export function daemonAddress(dockerHost: string): IpAddress | SocketPath {
  const [, protocol, rest = ""] = /^(unix|tcp|http):\/\/(.*)$/.exec(dockerHost) ?? [];
  if (protocol === "unix" && rest !== "") return { path: rest };
  if (protocol === undefined || protocol === "unix") {
    throw new Error(`unable to parse docker host \`${dockerHost}\``);
  }
  const parsed = parseDialAddress(rest.replace(/\/$/, ""));
  if (parsed.kind === "invalid") throw new Error(parsed.message);
  return parsed.address;
}

/** @throws {Error} for any other status than `expected` */
function refuse(
  { statusCode, body }: HttpAnswer,
  expected: number,
  step: Step,
  container: string,
): void {
  if (statusCode === expected) return;
  if (statusCode === 409) {
    throw new Error(`${step} exec failed since container ${container} is paused or stopped`);
  }
  const text = step === "start" ? `body: ${textOf(body)} err: <nil>` : textOf(body);
  throw new Error(
    `${step} exec failed for container ${container} with status ${statusCode}: ${text}`,
  );
}

/** @throws {Error} when the body is no JSON object */
function field({ body }: HttpAnswer, name: string, problem: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(textOf(body));
  } catch (error) {
    throw new Error(`${problem}: ${messageOf(error)}`, { cause: error });
  }
  if (typeof value !== "object" || value === null) throw new Error(`${problem}: not an object`);
  return (value as Record<string, unknown>)[name];
}
