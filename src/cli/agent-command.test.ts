/** The agent as a process: what it prints, what signals do, and what it exits with, as consul 1.8.7 does. */
import { expect, test } from "vitest";
import { simPlatform, type SimPlatform } from "../platform/sim/index.ts";
// Commands are loaded when they are called; loaded before, this one starts without real time passing.
import "./agent-command.ts";
import type { SignalName } from "./command.ts";
import { runCli } from "./run-cli.ts";

function start(platform: SimPlatform, ...flags: readonly string[]) {
  const output = { stdout: "", stderr: "" };
  const signals = new Map<SignalName, () => void>();
  const argv = ["agent", "-bind=127.0.0.1", "-node=n1", "-log-level=info", ...flags];
  const exited = runCli(argv, {
    platform,
    stdout: (text) => void (output.stdout += Buffer.from(text).toString("utf8")),
    stderr: (text) => void (output.stderr += text),
    program: "rollcall",
    readStdin: () => Promise.resolve(new Uint8Array()),
    readLine: () => Promise.resolve(""),
    onSignal: (name, fire) => {
      signals.set(name, fire);
      return { [Symbol.dispose]: () => signals.delete(name) };
    },
    startChild: () => Promise.reject(new Error("an agent starts no program here")),
  });
  const running = async (): Promise<void> => {
    for (let turns = 0; !output.stdout.includes("agent running!"); turns++) {
      if (turns > 1000) throw new Error(`never: ${output.stdout}${output.stderr}`);
      await platform.clock.settle();
    }
  };
  /** Taking leave of others takes time. */
  const exitCode = async (): Promise<number> => {
    const end: { code?: number } = {};
    void exited.then((code) => (end.code = code));
    for (let seconds = 0; end.code === undefined && seconds < 30; seconds++) {
      await platform.clock.run(1000);
    }
    return end.code ?? -1;
  };
  return { output, signals, exitCode, running };
}

const world = (): SimPlatform => simPlatform({ seed: 1, hostname: "n1" });
const SERVER = ["-server", "-bootstrap-expect=1", "-data-dir=/data"];
/** Of the agent's own lines those after `Caught`, without time and level. */
const lastLines = (stdout: string): string[] =>
  stdout
    .slice(stdout.indexOf("agent running!"))
    .split("\n")
    .flatMap((line) => /\[INFO\]  agent: (.*)/.exec(line)?.[1] ?? [])
    .filter((line) => /^(Caught|Grace|Requesting|shutdown|Exit)/.test(line));

const LEAVES = ["Gracefully shutting down agent...", "Graceful exit completed"];
const STAYS = ["Graceful shutdown disabled. Exiting"];
test.each<[flags: readonly string[], SignalName, code: number, said: readonly string[]]>([
  [["-dev"], "SIGINT", 1, STAYS],
  [["-dev"], "SIGTERM", 1, STAYS],
  [SERVER, "SIGINT", 1, STAYS],
  [SERVER, "SIGTERM", 1, STAYS],
  [[...SERVER, "-hcl=skip_leave_on_interrupt=false"], "SIGINT", 0, LEAVES],
  [[...SERVER, "-hcl=leave_on_terminate=true"], "SIGTERM", 0, LEAVES],
  [[...SERVER, "-hcl=leave_on_terminate=true"], "SIGINT", 1, STAYS],
  [[...SERVER, "-hcl=skip_leave_on_interrupt=false"], "SIGTERM", 1, STAYS],
])("%j, %s: exits with %i", async (flags, signal, code, said) => {
  const { output, signals, exitCode, running } = start(world(), ...flags);
  await running();
  signals.get(signal)?.();
  expect(await exitCode()).toBe(code);
  expect(lastLines(output.stdout)).toEqual([
    `Caught: signal=${signal === "SIGINT" ? "interrupt" : "terminated"}`,
    ...said,
    "Requesting shutdown",
    "shutdown complete",
    `Exit code: code=${code}`,
  ]);
});

test("who is asked to leave over HTTP exits with 0", async () => {
  const platform = world();
  const { output, exitCode, running } = start(platform, "-dev");
  await running();
  const address = { host: "127.0.0.1", port: 8500 };
  const stream = await platform.network.connect(address, { signal: new AbortController().signal });
  stream.resume();
  stream.write("PUT /v1/agent/leave HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  expect(await exitCode()).toBe(0);
  expect(lastLines(output.stdout)).toEqual([
    "Requesting shutdown",
    "shutdown complete",
    "Exit code: code=0",
  ]);
});

test("pid_file holds the process's number while it runs", async () => {
  const platform = world();
  const { signals, exitCode, running } = start(platform, "-dev", "-pid-file=/agent.pid");
  await running();
  await platform.clock.settle();
  expect(Buffer.from((await platform.disk.read("/agent.pid")) ?? []).toString()).toBe(
    String(platform.host.pid),
  );
  signals.get("SIGTERM")?.();
  await exitCode();
  expect(await platform.disk.read("/agent.pid")).toBeUndefined();
});

test("log_file gets every line of the log, without the banner", async () => {
  const platform = world();
  await platform.disk.makeDirectory("/log");
  const { output, signals, exitCode, running } = start(platform, "-dev", "-log-file=/log/");
  await running();
  signals.get("SIGTERM")?.();
  await exitCode();
  const [entry] = (await platform.disk.list("/log")) ?? [];
  const logged = Buffer.from((await platform.disk.read(`/log/${entry?.name}`)) ?? []).toString();
  const printed = output.stdout
    .split("\n")
    .filter((line) => line.startsWith("    ") && line.includes("Z ["))
    .map((line) => `${line.slice(4)}\n`);
  expect(printed.length).toBeGreaterThan(5);
  expect(logged).toBe(printed.join(""));
});

// As `consul agent -dev` tells it, one listener after the other.
test.each([
  [
    "udp",
    8600,
    "1 error occurred:\n\t* listen udp 127.0.0.1:8600: bind: address already in use\n\n",
  ],
  [
    "tcp",
    8600,
    "1 error occurred:\n\t* listen tcp 127.0.0.1:8600: bind: address already in use\n\n",
  ],
  ["tcp", 8500, "listen tcp 127.0.0.1:8500: bind: address already in use"],
])("%s port %i is taken", async (kind, port, reason) => {
  const platform = world();
  const local = { host: "127.0.0.1", port };
  if (kind === "udp") await platform.network.bindDatagram(local, () => {});
  else await platform.network.listen(local, () => {});
  const { output, exitCode } = start(platform, "-dev");
  expect(await exitCode()).toBe(1);
  expect(output.stdout).toContain(`[ERROR] agent: Error starting agent: error="${reason}"`);
});

test("what cannot be logged to is said before anything starts", async () => {
  const { output, exitCode } = start(world(), "-dev", "-log-file=/none/a.log");
  expect(await exitCode()).toBe(1);
  expect(output).toEqual({
    stdout: "",
    stderr: expect.stringMatching(
      /^==> Failed to setup logging: open \/none\/a-\d+\.log: no such file or directory\n$/,
    ) as string,
  });
});
