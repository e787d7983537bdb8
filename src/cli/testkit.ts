/** Runs the command line in-process, against an agent that a test scripts, in a simulated world. */
import { createServer, type Server } from "node:http";
import { simPlatform, type SimPlatform } from "../platform/sim/index.ts";
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
    readStdin: () => Promise.resolve(Buffer.from(run.stdin ?? "", "latin1")),
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
