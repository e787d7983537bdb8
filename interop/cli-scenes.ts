/**
 * Plays the transcripts of the command line (`src/cli/transcript.ts`) with real agents and real commands: a stage
 * is an agent and the command line that talks to it.
 */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runCli } from "../src/cli/index.ts";
import {
  walk,
  withoutUsageTexts,
  type Exchange,
  type Outcome,
  type Scene,
  type Step,
} from "../src/cli/transcript.ts";
import { nodePlatform } from "../src/platform/node/index.ts";
import { simPlatform } from "../src/platform/sim/index.ts";
import { agentAt, eventually, Program, ROLLCALL } from "./testkit.ts";

const NODE_ID = "11111111-2222-3333-4444-555555555555";
const API_PORT = 8500;
const PROXY_PORT = 8599;

const ETH0 = { name: "eth0", address: "10.0.0.5", internal: false };

export interface Stage extends AsyncDisposable {
  readonly address: string;
  /** Where commands find the agent. */
  readonly apiPort: number;
  /** Runs one command. */
  play(scene: Scene): Promise<Outcome & { readonly exchanges: readonly Exchange[] }>;
}

/** "rollcall" runs in this process, "rollcall program" is the built command. */
export type Agents = "consul" | "rollcall" | "rollcall program";

/** The real `consul` command. With `records` what it asks is written down, through a proxy. */
export async function consulCommand(
  address: string,
  agents: Agents,
  { records = false }: { readonly records?: boolean } = {},
): Promise<Stage> {
  const agent = await startAgentAt(address, agents);
  const proxy = records ? await recordingProxy(address) : undefined;
  const directory = mkdtempSync(join(tmpdir(), "rollcall-scene-"));
  const port = proxy === undefined ? API_PORT : PROXY_PORT;
  return {
    address,
    apiPort: port,
    async play(scene) {
      proxy?.heard.splice(0);
      const outcome = await runReal(scene, directory, `${address}:${port}`);
      return { ...outcome, exchanges: [...(proxy?.heard ?? [])] };
    },
    async [Symbol.asyncDispose]() {
      await proxy?.[Symbol.asyncDispose]();
      await agent[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true });
    },
  };
}

/** Our command line, in this process, on files of its own. */
export async function rollcallCommand(address: string, agents: Agents): Promise<Stage> {
  const agent = await startAgentAt(address, agents);
  return {
    address,
    apiPort: API_PORT,
    async play({ args, env, files, stdin }) {
      const world = simPlatform({ seed: 1 });
      const settings = { CONSUL_HTTP_ADDR: `${address}:${API_PORT}`, ...env };
      for (const [name, value] of Object.entries(settings)) world.host.setEnv(name, value);
      for (const [path, content] of Object.entries(files)) {
        if (path.includes("/")) await world.disk.makeDirectory(dirname(path));
        await world.disk.replace(path, Buffer.from(content, "latin1"));
      }
      const real = nodePlatform();
      // What is found must not hang on the addresses of the machine that tests.
      const network = { ...real.network, interfaces: () => [ETH0] };
      const output = { stdout: "", stderr: "" };
      const exitCode = await runCli(args, {
        platform: { ...real, network, disk: world.disk, host: world.host },
        stdout: (text) => void (output.stdout += Buffer.from(text).toString("utf8")),
        stderr: (text) => void (output.stderr += text),
        program: "rollcall",
        readStdin: () => Promise.resolve(Buffer.from(stdin, "latin1")),
        readLine: () => Promise.resolve(""),
        onSignal: () => ({ [Symbol.dispose]: () => {} }),
        startChild: () => Promise.reject(new Error("no scene starts a program")),
      });
      return {
        exitCode,
        stdout: withoutUsageTexts(output.stdout),
        stderr: withoutUsageTexts(output.stderr),
        exchanges: [],
      };
    },
    [Symbol.asyncDispose]: () => agent[Symbol.asyncDispose](),
  };
}

/** With the node name and id that transcripts know. */
export async function startAgentAt(address: string, agents: Agents): Promise<AsyncDisposable> {
  const identity = ["-node=n1", `-node-id=${NODE_ID}`];
  const flags = ["-dev", `-bind=${address}`, `-client=${address}`, ...identity];
  const programs = { consul: "consul", "rollcall program": ROLLCALL };
  const agent =
    agents === "rollcall"
      ? await agentAt(address, identity)
      : new Program([programs[agents], "agent", ...flags]);
  await eventually(
    `the agent at ${address} leads and is in its catalog`,
    () => ask(address, "GET", "/v1/catalog/service/consul", ""),
    ({ body }) => body.includes("n1"),
  );
  // Its node's addresses and metadata follow with the first full sync.
  await eventually(
    `the agent at ${address} has told of its node`,
    () => ask(address, "GET", "/v1/catalog/nodes", ""),
    ({ body }) => body.includes("consul-network-segment"),
  );
  return agent;
}

/** The agent that transcripts speak of; on a stage it is the stage's own. */
const RECORDED = "127.0.0.66";

function on({ address, apiPort }: Stage, scene: Scene): Scene {
  const moved = (text: string): string =>
    text
      .replaceAll(`${RECORDED}:${PROXY_PORT}`, `${address}:${apiPort}`)
      .replaceAll(RECORDED, address);
  const env = Object.entries(scene.env).map(([name, value]) => [name, moved(value)] as const);
  return { ...scene, args: scene.args.map(moved), env: Object.fromEntries(env) };
}

/** Goes through the steps on one stage. Whoever records lets `played` write into them. */
export async function perform(
  steps: readonly Step[],
  stage: Stage,
  played: (step: Step & { kind: "run" }, result: Awaited<ReturnType<Stage["play"]>>) => void,
): Promise<void> {
  for (const at of walk(steps)) {
    if ("how" in at) at.step.value = await evaluate(stage.address, at.how);
    else played(at.step, await stage.play(on(stage, at.scene)));
  }
}

/** `PUT /v1/session/create {"TTL":"60s"} ID`: the request, then where in the answer the value is (`-`: nowhere). */
async function evaluate(address: string, how: string): Promise<string> {
  const [method = "", path = "", ...rest] = how.split(" ");
  const where = rest.at(-1) ?? "-";
  const { body } = await ask(address, method, path, rest.slice(0, -1).join(" "));
  if (where === "-") return "done";
  let value = JSON.parse(body) as unknown;
  for (const key of where.split(".").filter((part) => part !== "")) {
    value = (value as Record<string, unknown>)[key];
  }
  return String(value);
}

async function ask(
  host: string,
  method: string,
  path: string,
  requestBody: string,
): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    const body = Buffer.from(requestBody, "latin1");
    const headers = body.byteLength > 0 ? { "content-length": body.byteLength } : {};
    const request = httpRequest({ host, port: API_PORT, method, path, headers }, (response) => {
      void collect(response).then((text) => {
        const status = response.statusCode ?? 0;
        const { location } = response.headers;
        resolve({
          request: `${method} ${path}`,
          requestBody,
          status,
          body: text,
          ...(location === undefined ? {} : { location }),
        });
      }, reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString("latin1");
}

async function recordingProxy(
  address: string,
): Promise<AsyncDisposable & { readonly heard: Exchange[] }> {
  const heard: Exchange[] = [];
  const proxy = createServer((request, response) => {
    void collect(request)
      .then((body) => ask(address, request.method ?? "", request.url ?? "", body))
      .then(
        (exchange) => {
          heard.push(abridged(exchange));
          const { location } = exchange;
          response
            .writeHead(exchange.status, location === undefined ? {} : { location })
            .end(Buffer.from(exchange.body, "latin1"));
        },
        () => response.destroy(),
      );
  });
  proxy.listen(PROXY_PORT, address);
  await once(proxy, "listening");
  return {
    heard,
    async [Symbol.asyncDispose]() {
      proxy.close();
      proxy.closeAllConnections();
      await once(proxy, "close");
    },
  };
}

/** `/v1/agent/self` is long, and no command looks beyond this. */
function abridged(exchange: Exchange): Exchange {
  if (!exchange.request.endsWith("/v1/agent/self")) return exchange;
  const { Config, Stats } = JSON.parse(exchange.body) as { Config: unknown; Stats: unknown };
  return { ...exchange, body: JSON.stringify({ Config, Stats }) };
}

async function runReal(scene: Scene, directory: string, agent: string): Promise<Outcome> {
  for (const [path, content] of Object.entries(scene.files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), Buffer.from(content, "latin1"));
  }
  const env = { PATH: process.env["PATH"], CONSUL_HTTP_ADDR: agent, ...scene.env };
  return new Promise((resolve, reject) => {
    const child = execFile(
      "consul",
      scene.args,
      { cwd: directory, env, encoding: "utf8" },
      (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : error.code;
        if (typeof exitCode !== "number") {
          reject(new Error(`consul ${scene.command}`, { cause: error }));
          return;
        }
        resolve({
          exitCode,
          stdout: withoutUsageTexts(stdout),
          stderr: withoutUsageTexts(stderr),
        });
      },
    );
    child.stdin?.on("error", () => {});
    child.stdin?.end(Buffer.from(scene.stdin, "latin1"));
  });
}
