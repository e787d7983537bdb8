/**
 * `rollcall agent`: runs an agent until a signal, or somebody over HTTP, ends it. What each signal does and
 * which exit code follows is Consul's (docs: "Agent", "Stopping an Agent").
 */
import { startAgent, type Agent } from "../agent/index.ts";
import { agentFlags, loadConfig, type LoadedConfig } from "../config/index.ts";
import { messageOf } from "../errors/index.ts";
import { VERSION } from "../model/index.ts";
import type { LineLogger } from "../platform/index.ts";
import { AgentOutput } from "./agent-output.ts";
import type { Command, CommandContext, SignalName } from "./command.ts";
import type { CommandFlag } from "./flags.ts";

/** How long an agent may take to stop before it is left to the operating system. */
const STOP_LIMIT_MS = 15_000;
const PID_FILE_MODE = 0o644;

export const agent: Command = {
  name: "agent",
  usage: `Usage: rollcall agent [options]

  Runs an agent until a signal stops it. To try things out, no configuration is
  needed:

      $ rollcall agent -dev`,
  flags: agentFlags.map(toCommandFlag),
  run,
};

function toCommandFlag({ name, kind, help, wording }: (typeof agentFlags)[number]): CommandFlag {
  const shownKind = kind === "pairs" ? "list" : kind === "duration" ? "text" : kind;
  return { name, kind: shownKind, help: help ?? "", ...(wording ? { wording } : {}) };
}

async function run(context: CommandContext): Promise<number> {
  const { platform, argv } = context;
  const readConfig = (): Promise<LoadedConfig> => loadConfig({ argv, platform });
  let loaded: LoadedConfig;
  try {
    loaded = await readConfig();
  } catch (error) {
    context.stderr(`==> ${messageOf(error)}\n`);
    return 1;
  }
  const { config } = loaded;
  const output = new AgentOutput(context, config);
  const { logger } = output;
  const log = logger.named("agent");
  let end: (how: "gracefully" | "at once") => void = () => {};
  const ended = new Promise<"gracefully" | "at once">((resolve) => (end = resolve));

  output.say("==> Starting Rollcall agent...");
  let running: Agent;
  try {
    const onLeave = (): void => end("gracefully");
    running = await startAgent({ platform, logger, loaded, readConfig, onLeave });
  } catch (error) {
    output.startLog();
    log.error("Error starting agent", { error: messageOf(error) });
    return 1;
  }
  output.say(banner(running));
  output.startLog();
  output.say("==> Rollcall agent running!");
  if (config.pidFile !== "") await writePid(context, config.pidFile);
  const signals = watchSignals(context, running, logger, end);

  const how = await ended;
  log.info(
    how === "gracefully"
      ? "Gracefully shutting down agent..."
      : "Graceful shutdown disabled. Exiting",
  );
  log.info("Requesting shutdown");
  const isStopped = await withinLimit(context, running[Symbol.asyncDispose]());
  for (const signal of signals) signal[Symbol.dispose]();
  if (config.pidFile !== "") await platform.disk.remove(config.pidFile);
  log.info("shutdown complete");
  const code = how === "gracefully" && isStopped ? 0 : 1;
  if (code === 0) log.info("Graceful exit completed");
  log.info("Exit code", { code });
  return code;
}

function banner({ config, nodeId }: Agent): string {
  const { ports } = config;
  const rows = [
    ["Version", `'${VERSION}'`],
    ["Node ID", `'${nodeId}'`],
    ["Node name", `'${config.nodeName}'`],
    ["Datacenter", `'${config.datacenter}' (Segment: '<all>')`],
    ["Server", `${config.server} (Bootstrap: ${config.bootstrap || config.bootstrapExpect === 1})`],
    [
      "Client Addr",
      `[${config.clientAddrs.join(" ")}] (HTTP: ${ports.http}, HTTPS: ${ports.https}, ` +
        `gRPC: ${ports.grpc}, DNS: ${ports.dns})`,
    ],
    ["Cluster Addr", `${config.advertiseAddr} (LAN: ${ports.serfLan}, WAN: ${ports.serfWan})`],
    ["Encrypt", "Gossip: false, TLS-Outgoing: false, TLS-Incoming: false, Auto-Encrypt-TLS: false"],
  ] as const;
  return rows.map(([name, value]) => `${name.padStart(18)}: ${value}`).join("\n");
}

async function writePid({ platform }: CommandContext, path: string): Promise<void> {
  const { disk, host } = platform;
  await disk.replace(path, new TextEncoder().encode(`${host.pid}`), { mode: PID_FILE_MODE });
}

const GO_SIGNAL_NAMES = { SIGINT: "interrupt", SIGTERM: "terminated", SIGHUP: "hangup" } as const;

function watchSignals(
  context: CommandContext,
  running: Agent,
  logger: LineLogger,
  end: (how: "gracefully" | "at once") => void,
): readonly Disposable[] {
  const log = logger.named("agent");
  const leaves: Readonly<Record<"SIGINT" | "SIGTERM", () => boolean>> = {
    SIGINT: () => !running.config.skipLeaveOnInterrupt,
    SIGTERM: () => running.config.leaveOnTerminate,
  };
  const caught = (name: SignalName): void => {
    log.info("Caught", { signal: GO_SIGNAL_NAMES[name] });
    if (name === "SIGHUP") void reload(running, log);
    else end(leaves[name]() ? "gracefully" : "at once");
  };
  return (["SIGINT", "SIGTERM", "SIGHUP"] as const).map((name) =>
    context.onSignal(name, () => caught(name)),
  );
}

async function reload(running: Agent, log: LineLogger): Promise<void> {
  log.info("Reloading configuration...");
  try {
    await running.reload();
  } catch (error) {
    log.error("Failed to reload config", { error: messageOf(error) });
  }
}

async function withinLimit(
  { platform }: CommandContext,
  work: PromiseLike<void>,
): Promise<boolean> {
  let giveUp: () => void = () => {};
  const limit = new Promise<boolean>((resolve) => (giveUp = () => resolve(false)));
  using _timer = platform.clock.after(STOP_LIMIT_MS, giveUp);
  return Promise.race([work.then(() => true), limit]);
}
