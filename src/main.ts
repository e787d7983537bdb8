/** The only place that builds the real platform, and the only one that knows the process it runs in. */
import { runCli, type CliHost } from "./cli/index.ts";
import { nodePlatform } from "./platform/node/index.ts";

const host: CliHost = {
  platform: nodePlatform(),
  stdout: (output) => void process.stdout.write(output),
  stderr: (text) => void process.stderr.write(text),
  readStdin: async () => {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  },
  onSignal: (name, fire) => {
    process.on(name, fire);
    return { [Symbol.dispose]: () => void process.off(name, fire) };
  },
};

// The reader of our output may go first (`rollcall kv get -recurse | head`): that is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

process.exitCode = await runCli(process.argv.slice(2), host);
