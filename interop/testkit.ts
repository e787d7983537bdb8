/** Whole agents on loopback addresses of their own, inside the test's process or as real commands. */
import { request } from "node:http";
import { fileURLToPath } from "node:url";
import { startAgent, type Agent, type AgentNeeds } from "../src/agent/index.ts";
import { loadConfig } from "../src/config/index.ts";
import { noLogger } from "../src/platform/index.ts";
import { nodePlatform } from "../src/platform/node/index.ts";

export { eventually, Program, run, type CommandResult } from "./programs.ts";

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
    onFailure: () => {},
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
  const { method = "GET", body } = options;
  // Node itself says nothing of the body of a DELETE.
  const length = body === undefined ? {} : { "Content-Length": Buffer.byteLength(body) };
  const headers = { ...length, ...options.headers };
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: address, port: 8500, path, method, agent: false, headers },
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
