/** The only place that builds the real platform, and the only one that knows the process it runs in. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { runCli, type Child, type ChildRequest, type CliHost } from "./cli/index.ts";
import { nodePlatform } from "./platform/node/index.ts";

const host: CliHost = {
  platform: nodePlatform(),
  // The bundle is dist/bin/rollcall.cjs; what starts it stands in bin/.
  program: fileURLToPath(new URL("../../bin/rollcall", import.meta.url)),
  stdout: (output) => void process.stdout.write(output),
  stderr: (text) => void process.stderr.write(text),
  readStdin: async () => {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  },
  readLine: async () => {
    for await (const line of createInterface({ input: process.stdin })) return line;
    return "";
  },
  onSignal: (name, fire) => {
    process.on(name, fire);
    return { [Symbol.dispose]: () => void process.off(name, fire) };
  },
  startChild,
};

async function startChild({ argv, env, stdin }: ChildRequest): Promise<Child> {
  const [program, ...args] = argv;
  const input = stdin === "inherit" ? "inherit" : stdin === "none" ? "ignore" : "pipe";
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: [input, "inherit", "inherit"],
  });
  const ended = new Promise<Awaited<Child["ended"]>>((resolve) =>
    child.once("exit", (code, signal) =>
      resolve(signal === null ? { kind: "exit", code: code ?? -1 } : { kind: "signal", signal }),
    ),
  );
  await once(child, "spawn");
  if (stdin instanceof Uint8Array) {
    // A program need not read what it is given.
    child.stdin?.on("error", () => {});
    child.stdin?.end(stdin);
  }
  return {
    pid: child.pid ?? 0,
    kill: (signal) => void child.kill(signal),
    ended,
    letGo: () => {
      child.stdin?.destroy();
      child.unref();
    },
  };
}

// The reader of our output may go first (`rollcall kv get -recurse | head`): that is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

// Not awaited: what is bundled as CommonJS cannot wait at its top.
void runCli(process.argv.slice(2), host).then((code) => {
  process.exitCode = code;
});
