import { expect, test } from "vitest";
import { simPlatform, type SimPlatform } from "../platform/sim/index.ts";
import { completions } from "./autocomplete.ts";
import { runCli } from "./run-cli.ts";

const PROGRAM = "/opt/rollcall/bin/rollcall";
const BASH = `complete -C ${PROGRAM} rollcall`;
const ZSH = `autoload -U +X bashcompinit && bashcompinit\ncomplete -o nospace -C ${PROGRAM} rollcall`;

test.each([
  ["rollcall k", "keygen keyring kv"],
  ["rollcall kv ", "delete export get import put"],
  ["rollcall kv g", "get"],
  ["rollcall  kv   g", "get"],
  ["rollcall operator raft ", "list-peers remove-peer transfer-leader"],
  ["rollcall operator r", "raft"],
  ["rollcall kv get -re", "-recurse"],
  ["rollcall kv get -detailed -k", "-keys"],
  ["rollcall kv get some", ""],
  ["rollcall kv -", ""],
  ["rollcall ghost ", ""],
  ["rollcall constructor ", ""],
  ["rollcall -", "-autocomplete-install -autocomplete-uninstall -help -version"],
])("%j may go on with %j", async (line, expected) => {
  expect((await completions(line)).join(" ")).toBe(expected);
});

test("what stands after the cursor does not count", async () => {
  expect(await completions("rollcall kv get", "rollcall kv".length)).toEqual(["kv"]);
});

async function run(platform: SimPlatform, ...argv: readonly string[]) {
  const output = { stdout: "", stderr: "" };
  const code = await runCli(argv, {
    platform,
    program: PROGRAM,
    stdout: (text) => void (output.stdout += Buffer.from(text).toString("utf8")),
    stderr: (text) => void (output.stderr += text),
    readStdin: () => Promise.resolve(new Uint8Array()),
    readLine: () => Promise.resolve(""),
    onSignal: () => ({ [Symbol.dispose]: () => {} }),
    startChild: () => Promise.reject(new Error("nothing is started")),
  });
  return { code, ...output };
}
async function world(files: Readonly<Record<string, string>>): Promise<SimPlatform> {
  const platform = simPlatform({ seed: 1 });
  platform.host.setEnv("HOME", "/home/ann");
  await platform.disk.makeDirectory("/home/ann");
  for (const [name, text] of Object.entries(files)) {
    await platform.disk.replace(`/home/ann/${name}`, Buffer.from(text));
  }
  return platform;
}
const textOf = async ({ disk }: SimPlatform, name: string): Promise<string> =>
  Buffer.from((await disk.read(`/home/ann/${name}`)) ?? []).toString();

test("a shell that asks gets candidates, one a line", async () => {
  const platform = await world({});
  platform.host.setEnv("COMP_LINE", "rollcall kv p");
  expect(await run(platform)).toEqual({ code: 0, stdout: "put\n", stderr: "" });
  platform.host.setEnv("COMP_POINT", "10");
  expect(await run(platform)).toEqual({ code: 0, stdout: "keygen\nkeyring\nkv\n", stderr: "" });
});

test("it is installed into the files that shells start with, once, and taken out again", async () => {
  const platform = await world({
    ".bashrc": "# mine\n",
    ".profile": "",
    ".zshrc": "# no line break",
  });
  expect(await run(platform, "-autocomplete-install")).toEqual({ code: 0, stdout: "", stderr: "" });
  expect(await textOf(platform, ".bashrc")).toBe(`# mine\n${BASH}\n`);
  expect(await textOf(platform, ".zshrc")).toBe(`# no line break\n${ZSH}\n`);
  expect(await textOf(platform, ".profile")).toBe("");
  expect(await run(platform, "-autocomplete-install")).toEqual({
    code: 1,
    stdout: "",
    stderr:
      "Error executing CLI: 2 errors occurred:\n\t* already installed in /home/ann/.bashrc\n" +
      "\t* already installed in /home/ann/.zshrc\n\n\n",
  });
  expect((await run(platform, "-autocomplete-uninstall")).code).toBe(0);
  expect(await textOf(platform, ".bashrc")).toBe("# mine\n");
  expect(await textOf(platform, ".zshrc")).toBe(`# no line break\n${ZSH.split("\n")[0]}\n`);
  expect((await run(platform, "-autocomplete-uninstall")).stderr).toContain("2 errors occurred");
});

test.each([
  [["-autocomplete-install"], "Did not find any shells to install"],
  [
    ["-autocomplete-install", "-autocomplete-uninstall"],
    "Either the autocomplete install or uninstall flag may be specified, but not both.",
  ],
])("%j without any shell is refused", async (argv, reason) => {
  expect(await run(await world({}), ...argv)).toEqual({
    code: 1,
    stdout: "",
    stderr: `Error executing CLI: ${reason}\n`,
  });
});
