import { describe, expect, test } from "vitest";
import { MILLISECOND, SECOND } from "../model/index.ts";
import { simPlatform, type SimProgram } from "../platform/sim/index.ts";
import { start } from "./testkit.ts";

const printing =
  (output: string, code: number): SimProgram =>
  ({ print }) => {
    print(output);
    return code;
  };
const hanging: SimProgram = async ({ print, sleep }) => {
  print("part\n");
  await sleep(3_600_000);
  return 0;
};

async function firstReport(program: SimProgram, options: { timeout?: number; max?: number }) {
  const platform = simPlatform({ seed: 1 });
  platform.processes.register("probe", program);
  const { timeout = 0, max = 4096 } = options;
  using run = start(platform, { ScriptArgs: ["probe"], Timeout: timeout }, { outputMaxBytes: max });
  await platform.clock.run(32_000);
  return run.reports[0];
}

describe("a script check", () => {
  // As Consul 1.8.7 shows the same scripts.
  test.each<[string, SimProgram, object, string]>([
    ["exit 0", printing("", 0), {}, "passing: "],
    ["exit 1", printing("out\nerr\n", 1), {}, "warning: out\nerr\n"],
    ["exit 2", printing("", 2), {}, "critical: "],
    ["a signal", printing("", -1), {}, "critical: "],
    ["output of just the limit", printing("0123456789", 0), { max: 10 }, "passing: 0123456789"],
    [
      "output over the limit",
      printing("a".repeat(6000), 0),
      { max: 10 },
      "passing: Captured 10 of 6000 bytes\n...\naaaaaaaaaa",
    ],
    ["a timeout", hanging, { timeout: SECOND }, "critical: Timed out (1s) running check\n\npart\n"],
    [
      "a timeout with cut output",
      hanging,
      { timeout: 1500 * MILLISECOND, max: 3 },
      "critical: Timed out (1.5s) running check\n\nCaptured 3 of 5 bytes\n...\nrt\n",
    ],
    ["the default timeout", hanging, {}, "critical: Timed out (30s) running check\n\npart\n"],
  ])("%s", async (_name, program, options, expected) => {
    expect(await firstReport(program, options)).toBe(expected);
  });

  test("arguments are passed as they are, without a shell", async () => {
    const platform = simPlatform({ seed: 1 });
    const seen: string[][] = [];
    platform.processes.register("probe", ({ argv }) => {
      seen.push([...argv]);
      return 0;
    });
    using _run = start(platform, { ScriptArgs: ["probe", "a b", "$HOME"] });
    await platform.clock.run(1_000);
    expect(seen).toStrictEqual([["probe", "a b", "$HOME"]]);
  });

  test("what cannot be started is critical, with the reason, and tried again", async () => {
    const platform = simPlatform({ seed: 1 });
    using run = start(platform, { ScriptArgs: ["/no/such"] });
    await platform.clock.run(2_000);
    const text = "fork/exec /no/such: no such file or directory";
    expect(run.reports).toStrictEqual([`critical: ${text}`, `critical: ${text}`]);
    expect(run.log[0]).toBe(`ERROR Check failed to invoke check=c error=${text}`);
  });

  test("a script that nobody else killed but us tells of the timeout in the log", async () => {
    const platform = simPlatform({ seed: 1 });
    platform.processes.register("probe", hanging);
    using run = start(platform, { ScriptArgs: ["probe"], Timeout: SECOND });
    await platform.clock.run(2_000);
    expect(run.log[0]).toBe("WARN Timed out running check check=c timeout=1s");
  });
});
