/** Log lines about what fails for every query while it fails: at most one a second, with a count of the rest. */
import { messageOf, RollcallError } from "../errors/index.ts";
import type { Clock, Instant, LogFields } from "../platform/index.ts";

const INTERVAL_MS = 1000;

/** A failure that is not a `RollcallError` is a bug of ours and is reported with its stack. */
export type ReportFailure = (message: string, error: unknown, fields?: LogFields) => void;

export function failureReporter(
  clock: Clock,
  log: (message: string, fields: LogFields) => void,
): ReportFailure {
  let lastAt: Instant | undefined;
  let unreported = 0;
  return (message, error, fields) => {
    const now = clock.now();
    if (lastAt !== undefined && now - lastAt < INTERVAL_MS) {
      unreported++;
      return;
    }
    const known = error instanceof RollcallError;
    const stack = !known && error instanceof Error ? { stack: error.stack } : {};
    const more = unreported > 0 ? { unreported } : {};
    log(message, { ...fields, error: messageOf(error), ...more, ...stack });
    lastAt = now;
    unreported = 0;
  };
}
