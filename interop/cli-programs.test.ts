/**
 * Commands that run for a while, or run programs: `lock`, `watch` and `monitor`. The same scene is played by the
 * real `consul` on a real agent, by `rollcall` on a real agent, and by `consul` on our agent: all must print the
 * same lines and exit with the same code.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startAgentAt } from "./cli-scenes.ts";
import { eventually, http, ROLLCALL } from "./testkit.ts";

const REAL = "127.0.0.96";
const OURS = "127.0.0.97";
const WAYS = [
  { way: "consul on a real agent", command: "consul", address: REAL },
  { way: "rollcall on a real agent", command: ROLLCALL, address: REAL },
  { way: "consul on our agent", command: "consul", address: OURS },
] as const;

const agents: AsyncDisposable[] = [];
beforeAll(async () => {
  agents.push(await startAgentAt(REAL, "consul"), await startAgentAt(OURS, "rollcall program"));
}, 30_000);
afterAll(async () => {
  for (const agent of agents) await agent[Symbol.asyncDispose]();
});

/** A command in the background, with what it has printed so far. */
class Running implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #closed: Promise<unknown>;
  stdout = "";
  stderr = "";

  constructor(command: string, address: string, args: readonly string[], stdin = "") {
    const env = { ...process.env, CONSUL_HTTP_ADDR: `${address}:8500`, SHELL: "/bin/sh" };
    this.#child = spawn(command, args, { env, stdio: ["pipe", "pipe", "pipe"] });
    this.#child.stdout?.on("data", (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.#child.stderr?.on("data", (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.#child.stdin?.on("error", () => {});
    this.#child.stdin?.end(stdin);
    this.#exited = once(this.#child, "exit");
    this.#closed = once(this.#child, "close");
  }
  async prints(text: string): Promise<void> {
    await eventually(
      `"${text}" is printed`,
      () => Promise.resolve(this.stdout),
      (said) => said.includes(text),
    );
  }
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
  async end(): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
    await this.#closed;
    const mask = (text: string): string => text.replace(/pid \d+/g, "pid #");
    const { exitCode } = this.#child;
    return { exitCode, stdout: mask(this.stdout), stderr: mask(this.stderr) };
  }
  async [Symbol.asyncDispose](): Promise<void> {
    // What it has started may hold its output open for longer.
    this.#child.kill("SIGKILL");
    await this.#exited;
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }
}

/** Keys of its own for each scene and way, as a lock that is lost leaves a lock-delay behind. */
let keyCount = 0;
const freshKey = (): string => `programs/${(keyCount += 1)}`;

async function put(address: string, path: string, body = ""): Promise<string> {
  return (await http(address, path, { method: "PUT", body })).body;
}
async function holderOf(address: string, key: string): Promise<string> {
  const { body } = await http(address, `/v1/kv/${key}/.lock`);
  return (JSON.parse(body) as [{ Session: string }])[0].Session;
}

const VERBOSE_RUN = (setup: string, ...rest: readonly string[]): string =>
  [setup, "Attempting lock acquisition", "Starting handler", ...rest, ""].join("\n");

/** In a shell: traps run between two sleeps. */
const ENDLESS = "while :; do sleep 0.1; done";
const LIMIT_MS = 30_000;

describe.each(WAYS)("$way", { timeout: LIMIT_MS }, ({ command, address }) => {
  const start = (args: readonly string[], stdin = ""): Running =>
    new Running(command, address, args, stdin);
  const finish = async (args: readonly string[], stdin = "") => {
    await using running = start(args, stdin);
    return await running.end();
  };

  describe("lock", () => {
    test("runs its program and cleans up", async () => {
      const key = freshKey();
      expect(await finish(["lock", "-verbose", key, "echo held $CONSUL_LOCK_HELD"])).toEqual({
        exitCode: 0,
        stdout: VERBOSE_RUN(
          `Setting up lock at path: ${key}/.lock`,
          "held true",
          "Child terminated, releasing lock",
          "Cleanup succeeded",
        ),
        stderr: "",
      });
      expect((await http(address, `/v1/kv/${key}/.lock`)).status).toBe(404);
    });

    test("with -n is a semaphore that leaves nothing behind", async () => {
      const key = freshKey();
      expect(await finish(["lock", "-n=2", "-verbose", key, "echo in"])).toEqual({
        exitCode: 0,
        stdout: VERBOSE_RUN(
          `Setting up semaphore (limit 2) at prefix: ${key}`,
          "in",
          "Child terminated, releasing lock",
          "Cleanup succeeded",
        ),
        stderr: "",
      });
      expect((await http(address, `/v1/kv/${key}?keys`)).status).toBe(404);
    });

    test.each([
      [["-child-exit-code"], "exit 3", 2, "Error running handler: exit status 3\n"],
      [[], "exit 3", 0, "Error running handler: exit status 3\n"],
      [["-child-exit-code"], "kill -9 $$", 2, "Error running handler: signal: killed\n"],
      [
        ["-shell=false"],
        "/no/such",
        0,
        "Error starting handler: fork/exec /no/such: no such file or directory\n",
      ],
    ])("%j %s", async (flags, program, exitCode, stderr) => {
      const ran = await finish(["lock", ...flags, freshKey(), program]);
      expect(ran).toEqual({ exitCode, stdout: "", stderr });
    });

    test("passes its input on only if asked", async () => {
      expect((await finish(["lock", "-pass-stdin", freshKey(), "cat"], "in\n")).stdout).toBe(
        "in\n",
      );
      expect((await finish(["lock", freshKey(), "cat"], "in\n")).stdout).toBe("");
    });

    test("gives up in time, and refuses keys of another kind", async () => {
      const key = freshKey();
      await using held = start(["lock", "-verbose", key, "exec sleep 20"]);
      await held.prints("Starting handler");
      expect(await finish(["lock", "-timeout=300ms", key, "true"])).toEqual({
        exitCode: 1,
        stdout: "",
        stderr: "Shutdown triggered or timeout during lock acquisition\n",
      });
      expect(await finish(["lock", "-n=2", key, "true"])).toEqual({
        exitCode: 1,
        stdout: "",
        stderr: "Lock acquisition failed: Existing key does not match semaphore use\n",
      });
      held.kill("SIGTERM");
      await held.end();
    });

    test("waits for its turn in a semaphore, of one size for all", async () => {
      const key = freshKey();
      await using first = start(["lock", "-n=1", "-verbose", `${key}x`, "sleep 1"]);
      await first.prints("Starting handler");
      const second = await finish(["lock", "-verbose", `${key}x`, "echo mine"]);
      expect(second.stdout).toContain("mine\n");
      await using one = start(["lock", "-n=2", "-verbose", key, "exec sleep 20"]);
      await one.prints("Starting handler");
      expect(await finish(["lock", "-n=3", key, "true"])).toEqual({
        exitCode: 1,
        stdout: "",
        stderr: "Lock acquisition failed: semaphore limit conflict (lock: 2, local: 3)\n",
      });
      const other = await finish(["lock", "-n=2", "-verbose", key, "echo too"]);
      expect(other.stdout).toMatch(/too\n.*\nCleanup aborted, lock in use\n$/);
      one.kill("SIGTERM");
      await one.end();
    });

    test("that is lost ends its program", async () => {
      const key = freshKey();
      await using running = start([
        "lock",
        "-verbose",
        key,
        'trap "echo told; exit 7" TERM; echo ready; sleep 30 >/dev/null 2>&1 & wait',
      ]);
      await running.prints("ready");
      await put(address, `/v1/session/destroy/${await holderOf(address, key)}`);
      expect(await running.end()).toEqual({
        exitCode: 0,
        stdout: VERBOSE_RUN(
          `Setting up lock at path: ${key}/.lock`,
          "ready",
          "Lock lost, killing child",
          "Terminating child pid #",
          "told",
          "Child terminated",
          "Cleanup succeeded",
        ),
        stderr: "Error running handler: exit status 7\n",
      });
    });

    // The command hands its own signal on and then sends SIGTERM. A program that died of the first would race with
    // the command's own reaction, so this one lives until the test, having seen both, lets it go.
    test.each([
      ["SIGINT", ["int", "term"]],
      ["SIGTERM", ["term"]],
    ] as const)("hands %s on to its program, and SIGTERM after it", async (signal, said) => {
      const key = freshKey();
      const traps = ["echo int >&2' INT", "echo term >&2' TERM", "exit 9' USR1"];
      const script = [...traps.map((trap) => `trap '${trap}`), "echo ready", ENDLESS].join("; ");
      await using running = start(["lock", "-verbose", key, script]);
      await running.prints("ready");
      running.kill(signal);
      await running.prints("Terminating child pid");
      await eventually(
        `the program says ${said.join(" and ")}`,
        () => Promise.resolve(running.stderr.split("\n")),
        (lines) => said.every((word) => lines.includes(word)),
      );
      process.kill(Number(/Terminating child pid (\d+)/.exec(running.stdout)?.[1]), "SIGUSR1");
      const { exitCode, stdout, stderr } = await running.end();
      expect({ exitCode, stdout, last: stderr.split("\n").at(-2) }).toEqual({
        exitCode: 0,
        stdout: VERBOSE_RUN(
          `Setting up lock at path: ${key}/.lock`,
          "ready",
          "Shutdown triggered, killing child",
          "Terminating child pid #",
          "Child terminated",
          "Cleanup succeeded",
        ),
        last: "Error running handler: exit status 9",
      });
    });
  });

  describe("watch", () => {
    test.each([
      ["-type=key -key=programs/none", "null\n"],
      ["-type=keyprefix -prefix=programs/none", "null\n"],
      ["-type=service -service=none", "[]\n"],
      ["-type=checks -service=none", "[]\n"],
      ["-type=event -name=none", "[]\n"],
      ["-type=services", '{\n    "consul": []\n}\n'],
    ])("%s prints it once", async (flags, stdout) => {
      expect(await finish(["watch", ...flags.split(" ")])).toEqual({
        exitCode: 0,
        stdout,
        stderr: "",
      });
    });

    test("runs its program at once and after each change", async () => {
      const key = freshKey();
      await using running = start(["watch", "-type=key", `-key=${key}`, "cat"]);
      await running.prints("null\n");
      await put(address, `/v1/kv/${key}`, "one");
      await running.prints('"b25l"');
      await put(address, `/v1/kv/${key}`, "two");
      await running.prints('"dHdv"');
      running.kill("SIGINT");
      const { exitCode, stdout, stderr } = await running.end();
      const entry = (value: string) =>
        `{"Key":"${key}","CreateIndex":#,"ModifyIndex":#,"LockIndex":0,"Flags":0,"Value":"${value}","Session":""}`;
      expect({
        exitCode,
        stderr,
        lines: stdout.replace(/(Index":)[1-9]\d*/g, "$1#").split("\n"),
      }).toEqual({ exitCode: 0, stderr: "", lines: ["null", entry("b25l"), entry("dHdv"), ""] });
    });

    test.each([
      ["exit 3", [], "Error executing handler: exit status 3\n"],
      [
        "/no/such",
        ["-shell=false"],
        "Error starting handler: fork/exec /no/such: no such file or directory\n",
      ],
      [
        "nosuch",
        ["-shell=false"],
        'Error starting handler: exec: "nosuch": executable file not found in $PATH\n',
      ],
    ])("ends if %s fails", async (program, flags, stderr) => {
      const ran = await finish(["watch", "-type=nodes", ...flags, program]);
      expect(ran).toEqual({ exitCode: 1, stdout: "", stderr });
    });

    test("gets each event once", async () => {
      const name = freshKey().replace("/", "-");
      await using running = start(["watch", "-type=event", `-name=${name}`, "cat"]);
      await running.prints("[]\n");
      expect((await finish(["event", `-name=${name}`, "one"])).stdout).toMatch(
        /^Event ID: [-\da-f]{36}\n$/,
      );
      await running.prints('"Payload":"b25l"');
      await finish(["event", `-name=${name}`, "two"]);
      await running.prints('"Payload":"dHdv"');
      running.kill("SIGTERM");
      const { exitCode, stdout } = await running.end();
      expect(exitCode).toBe(0);
      expect(stdout.split('"Payload":"b25l"')).toHaveLength(2);
    });
  });
});

// The real command never shows a line of a real agent: it asks for gzip and stumbles over the stream.
describe.each(WAYS.filter(({ way }) => way !== "consul on a real agent"))(
  "monitor: $way",
  ({ command, address }) => {
    test("shows the log until interrupted", async () => {
      await using running = new Running(command, address, ["monitor", "-log-level=debug"]);
      const name = freshKey().replace("/", "-");
      // A monitor says nothing about when it has begun: give the agent something to log until it shows.
      await eventually(
        "the log is shown",
        async () => {
          await put(address, "/v1/agent/service/register", JSON.stringify({ Name: name, Port: 1 }));
          await put(address, `/v1/agent/service/deregister/${name}`);
          return running.stdout;
        },
        (said) => /\[(DEBUG|INFO)\]/.test(said),
      );
      running.kill("SIGINT");
      expect(await running.end()).toMatchObject({ exitCode: 0, stderr: "" });
    });
  },
);
