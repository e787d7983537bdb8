import { platformConformance, type Programs } from "../conformance.ts";
import { simPlatform, type SimProcesses } from "./index.ts";

platformConformance("simulated", async () => {
  const platform = simPlatform({ seed: 1 });
  await platform.disk.makeDirectory("/subject");
  return {
    platform,
    directory: "/subject",
    socketPath: "/subject/socket",
    elapse: (durationMs) => platform.clock.run(durationMs),
    programs: scripted(platform.processes),
    [Symbol.asyncDispose]: async () => {},
  };
});

function scripted(processes: SimProcesses): Programs {
  processes.register("print", ({ argv, print }) => {
    print(argv[1] ?? "");
    return Number(argv[2]);
  });
  processes.register("print-env", ({ argv, env, print }) => {
    print(env[argv[1] ?? ""] ?? "");
    return 0;
  });
  processes.register("echo-stdin", ({ stdin, print }) => {
    print(stdin);
    return 0;
  });
  processes.register("ignore-stdin", () => 0);
  processes.register("print-and-hang", async ({ argv, print, sleep }) => {
    print(argv[1] ?? "");
    await sleep(3_600_000);
    return 0;
  });
  return {
    print: (text, exitCode) => ["print", text, String(exitCode)],
    printEnv: (name) => ["print-env", name],
    echoStdin: ["echo-stdin"],
    ignoreStdin: ["ignore-stdin"],
    printAndHang: (text) => ["print-and-hang", text],
  };
}
