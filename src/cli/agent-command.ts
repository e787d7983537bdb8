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
import { openLogFile, type LogFile } from "./log-file.ts";

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
  let file: LogFile | undefined;
  try {
    if (config.logFile.path !== "") file = await openLogFile(config.logFile, platform);
  } catch (error) {
    context.stderr(`==> Failed to setup logging: ${messageOf(error)}\n`);
    return 1;
  }
  const code = await runLogged(context, { loaded, readConfig, file });
  await file?.[Symbol.asyncDispose]();
  return code;
}

interface Start {
  readonly loaded: LoadedConfig;
  readonly readConfig: () => Promise<LoadedConfig>;
  readonly file: LogFile | undefined;
}

async function runLogged(
  context: CommandContext,
  { loaded, readConfig, file }: Start,
): Promise<number> {
  const { platform } = context;
  const { config } = loaded;
  const output = new AgentOutput({ host: context, config, file });
  const { logger } = output;
  const log = logger.named("agent");
  const ending = new Ending();

  output.say("==> Starting Rollcall agent...");
  let running: Agent | undefined;
  try {
    const onLeave = (): void => ending.call("by request");
    const onFailure = (message: string): void => {
      log.error(message);
      ending.call("failed");
    };
    running = await startAgent({ platform, logger, loaded, readConfig, onLeave, onFailure });
    await joinConfigured(running, output);
  } catch (error) {
    output.startLog();
    log.error("Error starting agent", { error: messageOf(error) });
    await running?.[Symbol.asyncDispose]();
    return 1;
  }
  output.say(banner(running));
  output.startLog();
  output.say("==> Rollcall agent running!");
  if (config.pidFile !== "") await writePid(context, config.pidFile);
  const signals = watchSignals(context, running, logger, ending);

  const how = await ending.called;
  for (const line of LAST_WORDS[how]) log.info(line);
  const stopped = stop(running, how, log).then(() => true as const);
  const isStopped = await withinLimit(context, [stopped, ending.calledAgain]);
  for (const signal of signals) signal[Symbol.dispose]();
  if (config.pidFile !== "") await platform.disk.remove(config.pidFile);
  log.info("shutdown complete");
  const code = how !== "at once" && how !== "failed" && isStopped ? 0 : 1;
  log.info("Exit code", { code });
  return code;
}

type How = "gracefully" | "by request" | "at once" | "failed";

const LAST_WORDS: Readonly<Record<How, readonly string[]>> = {
  gracefully: ["Gracefully shutting down agent..."],
  "by request": [],
  "at once": ["Graceful shutdown disabled. Exiting"],
  failed: [],
};

async function joinConfigured(running: Agent, output: AgentOutput): Promise<void> {
  for (const pool of ["lan", "wan"] as const) {
    if (running.config.gossip[pool].startJoin.length === 0) continue;
    output.say(pool === "lan" ? "==> Joining cluster..." : "==> Joining -wan cluster...");
    const joined = await running.joinConfigured(pool);
    output.say(`    Join completed. Synced with ${joined} initial agents`);
  }
}

/** The others are told first, unless the agent is to end at once. */
async function stop(running: Agent, how: How, log: LineLogger): Promise<void> {
  if (how === "gracefully" || how === "by request") await running.leave();
  if (how === "gracefully") log.info("Graceful exit completed");
  log.info("Requesting shutdown");
  await running[Symbol.asyncDispose]();
}

/** The first call ends the agent; with a second one the operator's patience has ended too. */
class Ending {
  #resolveCalled: (how: How) => void = () => {};
  #resolveAgain: (isStopped: false) => void = () => {};
  #isCalled = false;
  readonly called = new Promise<How>((resolve) => (this.#resolveCalled = resolve));
  readonly calledAgain = new Promise<false>((resolve) => (this.#resolveAgain = resolve));

  call(how: How): void {
    if (this.#isCalled) this.#resolveAgain(false);
    this.#isCalled = true;
    this.#resolveCalled(how);
  }
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
  ending: Ending,
): readonly Disposable[] {
  const log = logger.named("agent");
  const leaves: Readonly<Record<"SIGINT" | "SIGTERM", () => boolean>> = {
    SIGINT: () => !running.config.skipLeaveOnInterrupt,
    SIGTERM: () => running.config.leaveOnTerminate,
  };
  const caught = (name: SignalName): void => {
    log.info("Caught", { signal: GO_SIGNAL_NAMES[name] });
    if (name === "SIGHUP") void reload(running, log);
    else ending.call(leaves[name]() ? "gracefully" : "at once");
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
  outcomes: readonly PromiseLike<boolean>[],
): Promise<boolean> {
  let giveUp: () => void = () => {};
  const limit = new Promise<boolean>((resolve) => (giveUp = () => resolve(false)));
  using _timer = platform.clock.after(STOP_LIMIT_MS, giveUp);
  return await Promise.race([...outcomes, limit]);
}
