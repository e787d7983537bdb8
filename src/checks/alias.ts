/**
 * A check that stands for others: those of a service of this agent, or, with `AliasNode`, those of a node in
 * the catalog and of one of its services.
 */
import { watchNode } from "./alias-of-node.ts";
import { ALIAS_FRAME_LENGTH, worstOf, type AliasTarget } from "./alias-verdict.ts";
import type { CheckContext, RunningCheck } from "./check-runner.ts";

/** Changes are told at once; this is for those that were missed. */
const ALIAS_REFRESH_MS = 60_000;

export function startAlias(context: CheckContext): RunningCheck {
  const { checkId, definition, outputMaxBytes } = context;
  const outputMaxLength = outputMaxBytes + ALIAS_FRAME_LENGTH;
  const target = { checkId, definition, outputMaxLength };
  return definition.AliasNode === "" ? watchAgent(context, target) : watchNode(context, target);
}

function watchAgent({ platform, localChecks, report }: CheckContext, target: AliasTarget) {
  if (localChecks === undefined) throw new Error("an alias of a local service needs localChecks");
  const local = localChecks;
  const { clock } = platform;
  let timer = clock.after(0, evaluate);

  function evaluateIn(delayMs: number): void {
    timer[Symbol.dispose]();
    timer = clock.after(delayMs, evaluate);
  }
  function evaluate(): void {
    evaluateIn(ALIAS_REFRESH_MS);
    report(worstOf(local.read(), target));
  }
  // Not within the call: our own report is a change too, and a burst of changes is read once.
  const subscription = local.onChange(() => evaluateIn(0));

  return {
    [Symbol.dispose]() {
      subscription[Symbol.dispose]();
      timer[Symbol.dispose]();
    },
  };
}
