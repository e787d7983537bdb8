/**
 * `rollcall lock`: runs a program while holding a lock, or one of several places of a semaphore. If the lock is
 * lost, the program is stopped: two holders must not run at once.
 */
import { pause } from "../platform/index.ts";
import { messageOf, RollcallError } from "../errors/index.ts";
import { agentSelf } from "./agent-self.ts";
import { openApi } from "./api-client.ts";
import { childArgv, endFault, shellFlag, startProgram } from "./child-program.ts";
import { clientFlags, serverFlags } from "./client-flags.ts";
import { during, Failure, type Child, type Command, type CommandContext } from "./command.ts";
import type { CommandFlags } from "./flags.ts";
import { keyLock } from "./lock-key.ts";
import type { Held, LockKind } from "./lock-kind.ts";
import { semaphore } from "./lock-semaphore.ts";
import { openSession } from "./lock-session.ts";
import { LockWaits } from "./lock-waits.ts";
import { watchHeld } from "./lock-watch.ts";
import { untilSignal, type Interruptible } from "./until-signal.ts";

/** Between asking a program to end and making it. */
const GRACE_MS = 5000;
const MONITOR_RETRIES = 3;
const CHILD_FAILED = 2;

export const lock: Command = {
  name: "lock",
  usage: `
Usage: rollcall lock [options] prefix child...

  Waits for the lock at a prefix of keys, and runs a program while it holds it.
  The program is stopped if the lock is lost. With -n several may hold it.

      $ rollcall lock jobs/backup ./backup.sh
      $ rollcall lock -n=3 -timeout=30s jobs/import ./import.sh`,
  flags: [
    ...clientFlags,
    ...serverFlags,
    shellFlag,
    {
      name: "child-exit-code",
      kind: "bool",
      help: "Exit with 2 if the program fails. Otherwise only failures with the lock count.",
    },
    {
      name: "monitor-retry",
      kind: "int",
      help: "How often in a row, a second apart, the agent may answer with an error before the lock counts as lost. Default: 3.",
    },
    { name: "n", kind: "int", help: "How many may hold it at once. Default: 1." },
    { name: "name", kind: "text", help: "Name of the session, for those who look into it." },
    {
      name: "pass-stdin",
      kind: "bool",
      help: "Let the program read the standard input.",
    },
    {
      name: "timeout",
      kind: "duration",
      help: "How long to wait for the lock, such as 30s; without end if not given.",
    },
    { name: "try", kind: "duration", help: "The old name of -timeout." },
    { name: "verbose", kind: "bool", help: "Say what is being done." },
  ],
  async run(context) {
    const { args, flags, platform } = context;
    const [prefix = "", ...words] = args;
    const { limit, timeoutMs } = checked(args, flags);
    using api = await openApi(context);
    await agentSelf(api);
    const waits = new LockWaits(platform.clock, timeoutMs);
    const needs = { api, clock: platform.clock, prefix: withoutSlashes(prefix), waits };
    const kind = limit === 1 ? keyLock(needs) : semaphore(needs, { limit });
    const say = sayer(context);

    say(kind.announcement);
    using interrupted = untilSignal(context);
    const { signal } = interrupted;
    const exitCode = await (async () => {
      const name = flags.text("name") || `Consul lock for '${words.join(" ")}' at '${prefix}'`;
      const { behavior } = kind;
      say("Attempting lock acquisition");
      await using session = await during(
        "Lock acquisition failed: failed to create session",
        openSession(api, platform.clock, {
          name,
          ...(behavior === undefined ? {} : { behavior }),
        }),
      );
      const held = await acquired(kind, session.id, signal);
      if (held === undefined) {
        throw new Failure("Shutdown triggered or timeout during lock acquisition");
      }
      const retryMax = flags.given("monitor-retry") ? flags.int("monitor-retry") : MONITOR_RETRIES;
      using watched = watchHeld(kind, platform.clock, { session: session.id, held, retryMax });
      try {
        return await runHolding(context, words, { lost: watched.lost, interrupted });
      } finally {
        watched[Symbol.dispose]();
        await during("Lock release failed", kind.release(session.id));
      }
    })();
    const isRemoved = await during("Lock cleanup failed", kind.removeUnused());
    say(isRemoved ? "Cleanup succeeded" : "Cleanup aborted, lock in use");
    return exitCode;
  },
};

function checked(
  args: readonly string[],
  flags: CommandFlags,
): { readonly limit: number; readonly timeoutMs: number | undefined } {
  const limit = flags.given("n") ? flags.int("n") : 1;
  const waitMs = flags.given("try") ? flags.durationMs("try") : flags.durationMs("timeout");
  if (args.length < 2) throw new Failure("Key prefix and child command must be specified");
  if (limit <= 0) throw new Failure("Lock holder limit must be positive");
  if (waitMs < 0) throw new Failure("Timeout must be positive");
  if (flags.int("monitor-retry") < 0) {
    throw new Failure("Number for 'monitor-retry' must be >= 0");
  }
  return { limit, timeoutMs: waitMs === 0 ? undefined : waitMs };
}

/** A key does not begin with a slash, and the prefix gets one at its end. */
function withoutSlashes(prefix: string): string {
  return prefix.replace(/^\//, "").replace(/\/$/, "");
}

const sayer =
  ({ flags, stdout }: CommandContext) =>
  (text: string): void => {
    if (flags.on("verbose")) stdout(`${text}\n`);
  };

async function acquired(
  kind: LockKind,
  session: string,
  signal: AbortSignal,
): Promise<Held | undefined> {
  try {
    return await kind.acquire(session, signal);
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    if (signal.aborted) return undefined;
    throw new Failure(`Lock acquisition failed: ${messageOf(error)}`);
  }
}

/** @returns the exit code */
async function runHolding(
  context: CommandContext,
  words: readonly string[],
  stop: { readonly lost: AbortSignal; readonly interrupted: Interruptible },
): Promise<number> {
  const { flags, stderr } = context;
  const say = sayer(context);
  say("Starting handler");
  let child: Child;
  try {
    child = await startProgram(context, {
      argv: childArgv(words, flags, context),
      env: { CONSUL_LOCK_HELD: "true" },
      stdin: flags.on("pass-stdin") ? "inherit" : "none",
    });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    stderr(`${error.message}\n`);
    return flags.on("child-exit-code") ? CHILD_FAILED : 0;
  }
  const told = child.ended.then((end) => {
    const fault = endFault(end);
    if (fault !== undefined) stderr(`Error running handler: ${fault}\n`);
    return fault;
  });
  const reason = await endOrStop(told, stop);
  if (reason === undefined) {
    say("Child terminated, releasing lock");
    return (await told) !== undefined && flags.on("child-exit-code") ? CHILD_FAILED : 0;
  }
  say(`${reason}, killing child`);
  // The program learns of our signal first, as if it had been its own.
  const caught = stop.interrupted.caught();
  if (caught !== undefined) child.kill(caught);
  await stopChild(context, child, told);
  return 0;
}

function endOrStop(
  told: Promise<unknown>,
  { lost, interrupted }: { readonly lost: AbortSignal; readonly interrupted: Interruptible },
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const watch = (signal: AbortSignal, reason: string): void => {
      signal.addEventListener("abort", () => resolve(reason), { once: true });
      if (signal.aborted) resolve(reason);
    };
    void told.then(() => resolve(undefined));
    watch(interrupted.signal, "Shutdown triggered");
    watch(lost, "Lock lost");
  });
}

async function stopChild(
  context: CommandContext,
  child: Child,
  told: Promise<unknown>,
): Promise<void> {
  const say = sayer(context);
  say(`Terminating child pid ${child.pid}`);
  child.kill("SIGTERM");
  const ended = new AbortController();
  void told.then(() => ended.abort());
  await pause(context.platform.clock, GRACE_MS, ended.signal);
  if (ended.signal.aborted) {
    say("Child terminated");
    return;
  }
  say(`Child did not exit after grace period of ${GRACE_MS / 1000}s`);
  say(`Killing child pid ${child.pid}`);
  child.kill("SIGKILL");
  await told;
}
