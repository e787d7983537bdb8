/** Commands that run until somebody ends them: an interrupt aborts, and what was begun is brought to an end. */
import type { CliHost, SignalName } from "./command.ts";

export interface Interruptible extends Disposable {
  /** Aborted by SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** Which of them it was. */
  caught(): SignalName | undefined;
}

export function untilSignal({ onSignal }: CliHost): Interruptible {
  const abort = new AbortController();
  let first: SignalName | undefined;
  const watches = (["SIGINT", "SIGTERM"] as const).map((name) =>
    onSignal(name, () => {
      first ??= name;
      abort.abort();
    }),
  );
  return {
    signal: abort.signal,
    caught: () => first,
    [Symbol.dispose]: () => {
      for (const watch of watches) watch[Symbol.dispose]();
    },
  };
}
