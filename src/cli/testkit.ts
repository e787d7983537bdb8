/** Runs the command line in-process, against an agent that a test scripts, in a simulated world. */
import { createServer, type Server } from "node:http";
import { startTestServer, type Handlers } from "../http/testkit.ts";
import { noLogger } from "../platform/index.ts";
import { simPlatform, type SimPlatform } from "../platform/sim/index.ts";
import type { Delegate, MethodName } from "../rpc/index.ts";
import { startServer } from "../server/index.ts";
import { testConfig } from "../config/testkit.ts";
import { NODE_ID, quietPool } from "../server/testkit.ts";
import type { Child, ChildEnd, ChildRequest, SignalName } from "./command.ts";
import { runCli } from "./run-cli.ts";

/** Where the scripted agent listens; the recorded one too, behind a proxy. */
export const AGENT_ADDRESS = "127.0.0.66:8599";

export interface ScriptedRun {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Contents as latin1 text. */
  readonly files?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** In the order of the requests; after the last, 500. */
  readonly answers?: readonly ScriptedAnswer[];
}
interface ScriptedAnswer {
  readonly status: number;
  /** latin1 text, as are the bodies of requests. */
  readonly body: string;
  readonly location?: string;
}
export interface ScriptedResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stdoutBytes: Buffer;
  readonly stderr: string;
  readonly requests: readonly { readonly request: string; readonly body: string }[];
  readonly headers: readonly NodeJS.Dict<string | string[]>[];
  readonly connectionCount: number;
}

export async function runScripted(run: ScriptedRun): Promise<ScriptedResult> {
  const platform = simPlatform({ seed: 1 });
  for (const [name, value] of Object.entries({ CONSUL_HTTP_ADDR: AGENT_ADDRESS, ...run.env })) {
    platform.host.setEnv(name, value);
  }
  platform.network.addInterface({ name: "eth0", address: "10.0.0.5", internal: false });
  await writeFiles(platform, run.files ?? {});
  const requests: { request: string; body: string }[] = [];
  const headers: NodeJS.Dict<string | string[]>[] = [];
  const answers = [...(run.answers ?? [])];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString("latin1");
      requests.push({ request: `${request.method} ${request.url}`, body });
      headers.push(request.headers);
      const answer = answers.shift() ?? { status: 500, body: "no answer was scripted" };
      const { location } = answer;
      response.writeHead(answer.status, location === undefined ? {} : { location });
      response.end(Buffer.from(answer.body, "latin1"));
    });
  });
  let connectionCount = 0;
  await using _listener = await serve(platform, server, () => (connectionCount += 1));
  const output = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
  const exitCode = await runCli(run.args, {
    platform,
    stdout: (text) => void output.stdout.push(Buffer.from(text)),
    stderr: (text) => void output.stderr.push(Buffer.from(text)),
    program: "rollcall",
    readStdin: () => Promise.resolve(Buffer.from(run.stdin ?? "", "latin1")),
    readLine: () => Promise.resolve(run.stdin ?? ""),
    onSignal: () => ({ [Symbol.dispose]: () => {} }),
    startChild: () => Promise.reject(new Error("no program was scripted")),
  });
  return {
    exitCode,
    stdout: Buffer.concat(output.stdout).toString("utf8"),
    stdoutBytes: Buffer.concat(output.stdout),
    stderr: Buffer.concat(output.stderr).toString("utf8"),
    requests,
    headers,
    connectionCount,
  };
}

async function serve(
  platform: SimPlatform,
  server: Server,
  onConnection: () => void,
): Promise<AsyncDisposable> {
  const [host = "", port = ""] = AGENT_ADDRESS.split(":");
  return platform.network.listen({ host, port: Number(port) }, (stream) => {
    onConnection();
    server.emit("connection", stream);
  });
}

async function writeFiles(
  { disk }: SimPlatform,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const folder = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    if (folder !== "") await disk.makeDirectory(folder);
    await disk.replace(path, Buffer.from(content, "latin1"));
  }
}

/** A program that a command has started, as the test sees it. */
export interface FakeProgram {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
  readonly startedAtMs: number;
  /** The signals that it got, each with when. */
  readonly signals: { readonly name: string; readonly atMs: number }[];
  end(end: ChildEnd): void;
}

export interface RunningCommand {
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly programs: readonly FakeProgram[];
  signal(name: SignalName): void;
  readonly exitCode: Promise<number>;
}

/** A server in virtual time with its HTTP API, and commands that talk to it, whose programs the test plays. */
export interface CommandScene extends AsyncDisposable {
  readonly platform: SimPlatform;
  readonly delegate: Delegate;
  /** Milliseconds since the scene began. */
  nowMs(): number;
  /** While set, asked about each call; what it returns is thrown. */
  fault: ((method: MethodName) => Error | undefined) | undefined;
  /** When each call came. */
  readonly calls: { readonly method: MethodName; readonly atMs: number }[];
  run(...args: readonly string[]): RunningCommand;
  /** Lets what is under way get so far; no virtual time passes. */
  until(isSo: () => boolean): Promise<void>;
}

export async function commandScene(): Promise<CommandScene> {
  const platform = simPlatform({ seed: "scene" });
  const { clock } = platform;
  const beganAt = clock.now();
  const nowMs = (): number => clock.now() - beganAt;
  const server = await startServer({
    platform,
    logger: noLogger,
    config: testConfig,
    nodeId: NODE_ID,
    pool: quietPool,
    onFailure: (message) => {
      throw new Error(message);
    },
  });
  const calls: { method: MethodName; atMs: number }[] = [];
  const delegate: Delegate = {
    async call(method, args, options) {
      calls.push({ method, atMs: nowMs() });
      const fault = scene.fault?.(method);
      if (fault !== undefined) throw fault;
      return server.delegate.call(method, args, options);
    },
  };
  const http = await startTestServer({
    platform,
    handlers: new Proxy<Handlers>(
      {},
      {
        get: (_, method) => (args: never, signal?: AbortSignal) =>
          delegate.call(method as MethodName, args, signal === undefined ? {} : { signal }),
      },
    ),
    config: { ...testConfig, httpAddrs: ["127.0.0.1"], dnsAddrs: [] },
  });
  const scene: CommandScene = {
    platform,
    delegate: server.delegate,
    nowMs,
    fault: undefined,
    calls,
    run: (...args) => startCommand(platform, args, nowMs),
    async until(isSo) {
      for (let turns = 0; !isSo(); turns++) {
        if (turns > 2000) throw new Error("it never came to that");
        await clock.settle();
      }
    },
    async [Symbol.asyncDispose]() {
      await http[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
  await clock.settle();
  return scene;
}

function startCommand(
  platform: SimPlatform,
  args: readonly string[],
  nowMs: () => number,
): RunningCommand {
  const output = { stdout: "", stderr: "" };
  const programs: FakeProgram[] = [];
  const watches = new Map<SignalName, () => void>();
  const startChild = async ({ argv, env, stdin }: ChildRequest): Promise<Child> => {
    let end: (end: ChildEnd) => void = () => {};
    const ended = new Promise<ChildEnd>((resolve) => (end = resolve));
    const signals: { name: string; atMs: number }[] = [];
    const given = typeof stdin === "string" ? "" : Buffer.from(stdin).toString("utf8");
    programs.push({ argv, env, stdin: given, startedAtMs: nowMs(), signals, end });
    const kill = (name: string): void => void signals.push({ name, atMs: nowMs() });
    return { pid: 4000 + programs.length, kill, ended, letGo: () => {} };
  };
  const exitCode = runCli(args, {
    platform,
    stdout: (text) => void (output.stdout += Buffer.from(text).toString("utf8")),
    stderr: (text) => void (output.stderr += text),
    program: "rollcall",
    readStdin: () => Promise.resolve(new Uint8Array()),
    readLine: () => Promise.resolve(""),
    onSignal: (name, fire) => {
      watches.set(name, fire);
      return { [Symbol.dispose]: () => watches.delete(name) };
    },
    startChild,
  });
  return {
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    programs,
    signal: (name) => watches.get(name)?.(),
    exitCode,
  };
}
