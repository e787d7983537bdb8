/**
 * The alias of another node's checks: a blocking query against the catalog, over and over.
 *
 * One failed query means nothing (an election of a leader does that), so the check turns critical from the
 * second in a row; from the fourth on it waits longer and longer between tries.
 */
import { messageOf } from "../errors/index.ts";
import { worstOf, type AliasTarget } from "./alias-verdict.ts";
import type { CheckContext, RunningCheck } from "./check-runner.ts";

const FAILURES_BEFORE_CRITICAL = 2;
const MAX_RETRY_DELAY_MS = 60_000;
/** An answer that comes without having waited (the index went back, a test double) must not make a hot loop. */
const PAUSE_MS = 100;

/** 100 ms up to the third failure in a row, then 2, 4, 8 … seconds, at most a minute. */
export function retryDelayMs(failureCount: number): number {
  if (failureCount < 4) return PAUSE_MS;
  return Math.min(MAX_RETRY_DELAY_MS, 1_000 * 2 ** (failureCount - 3));
}

export function watchNode(
  { platform, catalogChecks, report }: CheckContext,
  target: AliasTarget,
): RunningCheck {
  if (catalogChecks === undefined) throw new Error("an alias of a node needs catalogChecks");
  const ask = catalogChecks;
  const { clock } = platform;
  const stopping = new AbortController();
  let newerThan = 0;
  let failureCount = 0;
  let timer = clock.after(0, () => void turn());

  async function turn(): Promise<void> {
    try {
      const answer = await ask(target.definition.AliasNode, newerThan, stopping.signal);
      if (stopping.signal.aborted) return;
      failureCount = 0;
      newerThan = answer.index < newerThan ? 0 : answer.index;
      report(worstOf(answer, target));
    } catch (error) {
      if (stopping.signal.aborted) return;
      failureCount += 1;
      newerThan = 0;
      if (failureCount >= FAILURES_BEFORE_CRITICAL) {
        const output = `Failure checking aliased node or service: ${messageOf(error)}`;
        report({ status: "critical", output });
      }
    }
    timer = clock.after(failureCount === 0 ? PAUSE_MS : retryDelayMs(failureCount), () => {
      void turn();
    });
  }

  return {
    [Symbol.dispose]() {
      stopping.abort(new Error("check stopped"));
      timer[Symbol.dispose]();
    },
  };
}
