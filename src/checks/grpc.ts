/**
 * The gRPC health checking protocol: SERVING is passing, everything else critical. The target is
 * `host:port`, or `host:port/service` to ask about one service.
 */
import { messageOf } from "../errors/index.ts";
import { DEFAULT_NETWORK_TIMEOUT_MS, startActive, timeoutMsOf } from "./active-check.ts";
import type { CheckContext, CheckResult, RunningCheck } from "./check-runner.ts";
import { parseDialAddress } from "./dial-address.ts";
import { callUnary } from "./grpc-call.ts";
import { encodeHealthRequest, isServing } from "./grpc-health-message.ts";
import { rpcError } from "./grpc-status.ts";
import { HTTP2_ONLY, tlsOptionsOf } from "./tls.ts";

const HEALTH_CHECK = "/grpc.health.v1.Health/Check";

export function startGrpc(context: CheckContext): RunningCheck {
  const { definition } = context;
  const target = definition.GRPC;
  const timeoutMs = timeoutMsOf(definition, DEFAULT_NETWORK_TIMEOUT_MS);
  const timeoutOutput = messageOf(rpcError("DeadlineExceeded", "context deadline exceeded"));

  async function ask(signal: AbortSignal): Promise<CheckResult> {
    try {
      if (await isHealthy(context, timeoutMs, signal)) {
        return { status: "passing", output: `gRPC check ${target}: success` };
      }
      return { status: "critical", output: "gRPC application didn't report service healthy" };
    } catch (error) {
      return { status: "critical", output: signal.aborted ? timeoutOutput : messageOf(error) };
    }
  }

  return startActive(context, { ask, timeoutMs, timeoutOutput });
}

async function isHealthy(
  { platform, definition }: CheckContext,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const [authority = "", service = ""] = definition.GRPC.split(/\/(.*)/s);
  const parsed = parseDialAddress(authority);
  if (parsed.kind === "invalid") throw connectionError(parsed.message);
  const tls = definition.GRPCUseTLS ? { tls: tlsOptionsOf(definition, HTTP2_ONLY) } : {};
  const stream = await platform.network
    .connect(parsed.address, { signal, ...tls })
    .catch((error: unknown) => {
      throw connectionError(messageOf(error));
    });
  const message = encodeHealthRequest(service);
  const call = { authority, path: HEALTH_CHECK, message, timeoutMs };
  const healthy = isServing(await callUnary(stream, call, signal));
  if (healthy === undefined) {
    throw rpcError("Internal", "grpc: failed to unmarshal the received message unexpected EOF");
  }
  return healthy;
}

/** As grpc-go tells the failures of its transport: of dialing, or of TLS. */
function connectionError(problem: string): Error {
  const stage = problem.startsWith("dial ")
    ? "Error while dialing"
    : "authentication handshake failed:";
  const description = JSON.stringify(`transport: ${stage} ${problem}`);
  return rpcError("Unavailable", `connection error: desc = ${description}`);
}
