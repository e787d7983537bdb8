/** Commands that run until somebody ends them: an interrupt aborts, and what was begun is brought to an end. */
import type { CliHost } from "./command.ts";

export interface Interruptible extends Disposable {
  /** Aborted by SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
}

export function untilSignal({ onSignal }: CliHost): Interruptible {
  const abort = new AbortController();
  const watches = (["SIGINT", "SIGTERM"] as const).map((name) =>
    onSignal(name, () => abort.abort()),
  );
  return {
    signal: abort.signal,
    [Symbol.dispose]: () => {
      for (const watch of watches) watch[Symbol.dispose]();
    },
  };
}
