/**
 * Records the transcripts of testdata/ anew from the real program, when told where it is:
 *
 *     CONSUL=/usr/bin/consul npx vitest run src/cli/transcript-record.test.ts
 *
 * Each transcript gets an agent of its own; a recording proxy stands between it and the commands. Review
 * the difference as you would code: indexes and ids change from one recording to the next, nothing else should.
 */
import { execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { AGENT_ADDRESS } from "./testkit.ts";
import {
  parseTranscript,
  printTranscript,
  walk,
  withoutUsageTexts,
  type Exchange,
  type Outcome,
  type Scene,
} from "./transcript.ts";

const consul = process.env["CONSUL"] ?? "";
const folder = new URL("testdata/", import.meta.url);
const transcripts = readdirSync(folder).filter((name) => name.endsWith(".txt"));
const [host, proxyPort] = AGENT_ADDRESS.split(":") as [string, string];
const NODE_ID = "11111111-2222-3333-4444-555555555555";

describe.skipIf(consul === "")("recording", () => {
  test.each(transcripts)("%s", async (name) => {
    const path = new URL(name, folder);
    const steps = parseTranscript(readFileSync(path, "utf8"));
    const directory = mkdtempSync(join(tmpdir(), "transcript-"));
    const flags = ["-dev", `-bind=${host}`, `-client=${host}`, "-node=n1", `-node-id=${NODE_ID}`];
    const agent = spawn(consul, ["agent", ...flags], { stdio: "ignore" });
    const heard: Exchange[] = [];
    const proxy = createServer((request, response) => {
      void collect(request)
        .then((body) => ask(request.method ?? "", request.url ?? "", body))
        .then((exchange) => {
          heard.push(abridged(exchange));
          response
            .writeHead(exchange.status, locationOf(exchange))
            .end(Buffer.from(exchange.body, "latin1"));
        });
    });
    try {
      await new Promise<void>((resolve) => proxy.listen(Number(proxyPort), host, resolve));
      await untilAgentLeads();
      for (const at of walk(steps)) {
        if ("how" in at) {
          at.step.value = await evaluate(at.how);
          continue;
        }
        heard.length = 0;
        at.step.outcome = await runReal(at.scene, directory);
        at.step.exchanges = [...heard];
      }
      writeFileSync(path, printTranscript(steps));
      expect(parseTranscript(printTranscript(steps))).toHaveLength(steps.length);
    } finally {
      agent.kill();
      proxy.close();
      proxy.closeAllConnections();
      rmSync(directory, { recursive: true });
      await new Promise((resolve) => agent.once("exit", resolve));
    }
  });
});

/** `/v1/agent/self` is long, and no command looks beyond this. */
function abridged(exchange: Exchange): Exchange {
  if (!exchange.request.endsWith("/v1/agent/self")) return exchange;
  const { Config } = JSON.parse(exchange.body) as { Config: unknown };
  return { ...exchange, body: JSON.stringify({ Config }) };
}

function locationOf({ location }: Exchange): Record<string, string> {
  return location === undefined ? {} : { location };
}

async function untilAgentLeads(): Promise<void> {
  for (;;) {
    const { body } = await ask("GET", "/v1/catalog/service/consul", "").catch(() => ({ body: "" }));
    if (body.includes("n1")) return;
    await delay(100);
  }
}

/** `PUT /v1/session/create {"TTL":"60s"} ID`: the request, then where in the answer the value is (`-`: nowhere). */
async function evaluate(how: string): Promise<string> {
  const words = how.split(" ");
  const [method = "", path = "", ...rest] = words;
  const where = rest.at(-1) ?? "-";
  const { body } = await ask(method, path, rest.slice(0, -1).join(" "));
  if (where === "-") return "done";
  let value = JSON.parse(body) as unknown;
  for (const key of where.split(".").filter((part) => part !== "")) {
    value = (value as Record<string, unknown>)[key];
  }
  return String(value);
}

async function ask(method: string, path: string, requestBody: string): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host, port: 8500, method, path }, (response) => {
      void collect(response).then((body) => {
        const status = response.statusCode ?? 0;
        const { location } = response.headers;
        resolve({
          request: `${method} ${path}`,
          requestBody,
          status,
          body,
          ...(location === undefined ? {} : { location }),
        });
      });
    });
    request.on("error", reject);
    request.end(Buffer.from(requestBody, "latin1"));
  });
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString("latin1");
}

async function runReal(scene: Scene, directory: string): Promise<Outcome> {
  for (const [path, content] of Object.entries(scene.files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), Buffer.from(content, "latin1"));
  }
  const env = { PATH: "/usr/bin:/bin", CONSUL_HTTP_ADDR: AGENT_ADDRESS, ...scene.env };
  return new Promise((resolve) => {
    const child = execFile(
      consul,
      scene.args,
      { cwd: directory, env, encoding: "utf8" },
      (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : Number(error.code);
        resolve({
          exitCode,
          stdout: withoutUsageTexts(stdout),
          stderr: withoutUsageTexts(stderr),
        });
      },
    );
    child.stdin?.end(Buffer.from(scene.stdin, "latin1"));
  });
}
