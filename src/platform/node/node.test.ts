import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { platformConformance, type Programs } from "../conformance.ts";
import { nodePlatform } from "./index.ts";

const programs: Programs = {
  print: (text, exitCode) => ["sh", "-c", 'printf %s "$0"; exit "$1"', text, String(exitCode)],
  printEnv: (name) => ["sh", "-c", 'eval printf %s "\\"\\$$0\\""', name],
  echoStdin: ["cat"],
  ignoreStdin: ["sh", "-c", "exit 0"],
  printAndHang: (text) => ["sh", "-c", 'printf %s "$0"; sleep 60; exit 1', text],
};

platformConformance("real", async () => {
  const root = await mkdtemp(join(tmpdir(), "rollcall-platform-"));
  const platform = nodePlatform();
  const directory = join(root, "subject");
  await platform.disk.makeDirectory(directory);
  return {
    platform,
    directory,
    socketPath: join(root, "socket"),
    elapse: (durationMs) => new Promise((resolve) => setTimeout(resolve, durationMs + 1)),
    programs,
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
});
