/** Whole agents on loopback addresses of their own, inside the test's process or as real commands. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { fileURLToPath } from "node:url";
import { startAgent, type Agent, type AgentNeeds } from "../src/agent/index.ts";
import { loadConfig } from "../src/config/index.ts";
import { noLogger } from "../src/platform/index.ts";
import { nodePlatform } from "../src/platform/node/index.ts";

export const ROLLCALL = fileURLToPath(new URL("../bin/rollcall", import.meta.url));

/** An agent in this process. Each test file takes an address that no other has. */
export function agentAt(address: string, argv: readonly string[] = []): Promise<Agent> {
  return agentWith(["-dev", `-bind=${address}`, `-client=${address}`, ...argv]);
}

/** An agent in this process, from the flags of `agent`. */
export async function agentWith(
  argv: readonly string[],
  {
    platform = nodePlatform(),
    logger = noLogger,
  }: Partial<Pick<AgentNeeds, "platform" | "logger">> = {},
): Promise<Agent> {
  const readConfig = () => loadConfig({ platform, argv });
  return startAgent({
    platform,
    logger,
    loaded: await readConfig(),
    readConfig,
    onLeave: () => {},
  });
}

export interface HttpAnswer {
  readonly status: number;
  /** As they were spelled on the wire. */
  readonly rawHeaders: readonly string[];
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  json(): unknown;
}

export async function http(
  address: string,
  path: string,
  options: {
    readonly method?: string;
    readonly body?: string | Buffer;
    readonly headers?: Record<string, string>;
  } = {},
): Promise<HttpAnswer> {
  const { method = "GET", body, headers } = options;
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: address, port: 8500, path, method, agent: false, ...(headers ? { headers } : {}) },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          resolve({
            status: response.statusCode ?? 0,
            rawHeaders: response.rawHeaders,
            headers: response.headers,
            body: text,
            json: () => JSON.parse(text) as unknown,
          });
        });
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
export async function run(argv: readonly string[], stdin = ""): Promise<CommandResult> {
  const [command = "", ...args] = argv;
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output.stderr += chunk.toString()));
  child.stdin.end(stdin);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...output };
}

/** A program that runs until the test ends it. */
export class Program implements AsyncDisposable {
  readonly child: ChildProcess;
  output = "";

  constructor(argv: readonly string[], env: Record<string, string> = {}) {
    const [command = "", ...args] = argv;
    this.child = spawn(command, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    this.child.stdout?.on("data", (chunk: Buffer) => (this.output += chunk.toString()));
    this.child.stderr?.on("data", (chunk: Buffer) => (this.output += chunk.toString()));
  }

  /** Resolves with the exit code. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.child.exitCode !== null) return this.child.exitCode;
    const closed = once(this.child, "close");
    this.child.kill(signal);
    await closed;
    return this.child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
  }
}

/** Asks again and again, until the answer is as wanted; the reason for the last refusal goes into the error. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T>,
  isWanted: (answer: T) => boolean,
  limitMs = 20_000,
): Promise<T> {
  const end = performance.now() + limitMs;
  let last: unknown;
  while (performance.now() < end) {
    try {
      const answer = await ask();
      if (isWanted(answer)) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(
    `never: ${what}; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`,
  );
}
