import { expect, test } from "vitest";
import { SECOND } from "../model/index.ts";
import { simPlatform, type SimProgram } from "../platform/sim/index.ts";
import { start } from "./testkit.ts";

async function reportOf(os: string, program: string, run: SimProgram) {
  const platform = simPlatform({ seed: 1 });
  platform.processes.register(program, run);
  const { hostname, pid, arch, cpuCount } = platform.host;
  const host = {
    hostname,
    pid,
    arch,
    cpuCount,
    os,
    env: () => undefined,
    zoneOffsetMinutes: () => 0,
    usage: () => platform.host.usage(),
  };
  using check = start({ ...platform, host }, { OSService: "-web", Timeout: 2 * SECOND });
  await platform.clock.run(3_000);
  return check.reports[0];
}

const SC_ANSWER = (state: string): string =>
  `\r\nSERVICE_NAME: -web\r\n        TYPE               : 10  WIN32_OWN_PROCESS\r\n        STATE              : 4  ${state}\r\n`;

test.each([
  ["linux", "systemctl", "active\n", "passing: OS service -web is active"],
  ["linux", "systemctl", "activating\n", "warning: OS service -web is activating"],
  ["linux", "systemctl", "inactive\n", "critical: OS service -web is inactive"],
  ["linux", "systemctl", "failed\n", "critical: OS service -web is failed"],
  [
    "linux",
    "systemctl",
    "System has not been booted with systemd\n",
    "critical: OS service -web: System has not been booted with systemd",
  ],
  ["windows", "sc.exe", SC_ANSWER("RUNNING"), "passing: OS service -web is RUNNING"],
  ["windows", "sc.exe", SC_ANSWER("PAUSED"), "warning: OS service -web is PAUSED"],
  ["windows", "sc.exe", SC_ANSWER("STOPPED"), "critical: OS service -web is STOPPED"],
])("%s: %s prints %j: %s", async (os, program, printed, expected) => {
  const report = await reportOf(os, program, ({ print }) => {
    print(printed);
    return 3;
  });
  expect(report).toBe(expected);
});

test("the name is an argument, never an option", async () => {
  const seen: unknown[] = [];
  await reportOf("linux", "systemctl", ({ argv, print }) => {
    seen.push(argv.slice(1));
    print("active");
    return 0;
  });
  expect(seen[0]).toStrictEqual(["is-active", "--", "-web"]);
});

test("a system without a service manager that we know", async () => {
  expect(await reportOf("plan9", "systemctl", () => 0)).toBe(
    "critical: OS service checks do not work on plan9",
  );
});

test("a manager that does not answer", async () => {
  const hanging: SimProgram = async ({ sleep }) => {
    await sleep(3_600_000);
    return 0;
  };
  expect(await reportOf("linux", "systemctl", hanging)).toBe(
    "critical: Timed out (2s) asking for OS service -web",
  );
});
