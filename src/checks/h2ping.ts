/**
 * An HTTP/2 PING: its acknowledgement is passing, everything else critical. Nothing is requested, so any
 * server that speaks HTTP/2 will do. Over TLS unless `h2ping_use_tls` is false.
 */
import type { Duplex } from "node:stream";
import { messageOf } from "../errors/index.ts";
import { DEFAULT_NETWORK_TIMEOUT_MS, startActive, timeoutMsOf } from "./active-check.ts";
import type { CheckContext, CheckResult, RunningCheck } from "./check-runner.ts";
import { parseDialAddress } from "./dial-address.ts";
import { HTTP2_ONLY, tlsOptionsOf } from "./tls.ts";

const TIMEOUT = "context deadline exceeded";

export function startH2ping(context: CheckContext): RunningCheck {
  const { platform, definition } = context;
  const target = definition.H2PING;
  const isSecure = definition.H2PingUseTLS !== false;
  const tls = isSecure ? { tls: tlsOptionsOf(definition, HTTP2_ONLY) } : {};
  const critical = (output: string): CheckResult => ({ status: "critical", output });

  async function ask(signal: AbortSignal): Promise<CheckResult> {
    const problem = (error: unknown): string => (signal.aborted ? TIMEOUT : messageOf(error));
    let stream: Duplex;
    try {
      const parsed = parseDialAddress(target);
      if (parsed.kind === "invalid") throw new Error(parsed.message);
      stream = await platform.network.connect(parsed.address, { signal, ...tls });
    } catch (error) {
      return critical(`Failed to dial to ${target}: ${problem(error)}`);
    }
    try {
      await ping(stream, signal);
      return { status: "passing", output: "HTTP2 ping was successful" };
    } catch (error) {
      return critical(`HTTP2 ping failed: ${problem(error)}`);
    }
  }

  return startActive(context, {
    ask,
    timeoutMs: timeoutMsOf(definition, DEFAULT_NETWORK_TIMEOUT_MS),
    timeoutOutput: `HTTP2 ping failed: ${TIMEOUT}`,
  });
}

/** Destroys `stream` in every case. */
async function ping(stream: Duplex, signal: AbortSignal): Promise<void> {
  stream.on("error", () => {}); // The session tells.
  // Loaded when it is wanted: an agent without such checks starts without it.
  const { connect } = await import("node:http2");
  // The authority is for requests; there is none.
  const session = connect("http://localhost", {
    createConnection: () => stream,
    settings: { enablePush: false },
  });
  let onAbort = (): void => {};
  try {
    await new Promise<void>((resolve, reject) => {
      onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort);
      signal.throwIfAborted();
      session.on("error", reject);
      session.on("close", () => reject(new Error("connection closed")));
      session.on("connect", () => {
        if (session.destroyed) return; // What came first was not HTTP/2.
        session.ping((error) => {
          if (error === null) resolve();
          else reject(error);
        });
      });
    });
  } finally {
    signal.removeEventListener("abort", onAbort);
    session.destroy();
    stream.destroy();
  }
}
