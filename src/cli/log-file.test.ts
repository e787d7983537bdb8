import { expect, test } from "vitest";
import { simPlatform } from "../platform/sim/index.ts";
import { openLogFile, type LogFile } from "./log-file.ts";

const SETTINGS = { path: "/log/a.txt", rotateBytes: 0, rotateDurationMs: 0, rotateMaxFiles: 0 };

async function world() {
  const platform = simPlatform({ seed: 1 });
  await platform.disk.makeDirectory("/log");
  const { disk, clock } = platform;
  return {
    ...platform,
    open: (settings: Partial<typeof SETTINGS>) =>
      openLogFile({ ...SETTINGS, ...settings }, platform),
    /** Contents in the order of the names. */
    async contents(): Promise<string[]> {
      await clock.settle();
      const entries = (await disk.list("/log")) ?? [];
      return Promise.all(
        entries.map(async ({ name }) =>
          Buffer.from((await disk.read(`/log/${name}`)) ?? []).toString(),
        ),
      );
    },
    names: async () => ((await disk.list("/log")) ?? []).map(({ name }) => name),
  };
}
async function write(log: LogFile, ...records: readonly string[]): Promise<void> {
  for (const record of records) log.write(record);
}

test.each([
  ["/log/a.txt", "a-1767225600000000000.txt"],
  ["/log/a", "a-1767225600000000000.log"],
  ["/log/", "consul-1767225600000000000.log"],
  ["/log/a.b.log", "a.b-1767225600000000000.log"],
])("log_file %s is %s", async (path, name) => {
  const { open, names } = await world();
  await using _log = await open({ path });
  expect(await names()).toEqual([name]);
});

test("log_rotate_bytes: a file that has so many is followed by another", async () => {
  const { open, contents } = await world();
  await using log = await open({ rotateBytes: 8 });
  await write(log, "1234", "567", "89", "0");
  expect(await contents()).toEqual(["1234\n567\n", "89\n0\n"]);
});

test("log_rotate_duration: so does one that is so old, when there is something to write", async () => {
  const { open, contents, clock } = await world();
  await using log = await open({ rotateDurationMs: 1000 });
  await write(log, "a");
  await clock.run(999);
  await write(log, "b");
  await clock.run(5000);
  expect(await contents()).toEqual(["a\nb\n"]);
  await write(log, "c");
  expect(await contents()).toEqual(["a\nb\n", "c\n"]);
});

test.each([
  [0, ["1\n", "2\n", "3\n", "4\n"]],
  [1, ["3\n", "4\n"]],
  [2, ["2\n", "3\n", "4\n"]],
  [-1, ["4\n"]],
])("log_rotate_max_files %d keeps so many old ones", async (rotateMaxFiles, kept) => {
  const { open, contents, disk } = await world();
  await using log = await open({ rotateBytes: 1, rotateMaxFiles });
  await write(log, "1", "2", "3", "4");
  expect(await contents()).toEqual(kept);
  await disk.replace("/log/a-notes.txt", Buffer.from("mine"));
  await write(log, "5");
  expect(await contents()).toContain("mine");
});

test("a directory that is not there is an error at the start", async () => {
  const { open } = await world();
  await expect(open({ path: "/none/a.log" })).rejects.toThrow(
    "open /none/a-1767225600000000000.log: no such file or directory",
  );
});

test("what a slow disk cannot take is bounded, and the end waits for what it took", async () => {
  const { open, contents } = await world();
  const log = await open({});
  for (let i = 0; i < 30_000; i++) log.write(String(i));
  await log[Symbol.asyncDispose]();
  const [text = ""] = await contents();
  expect(text.startsWith("0\n1\n")).toBe(true);
  expect(text.split("\n").length).toBeLessThan(12_000);
});
