/**
 * What an alias makes of the checks that it stands for: the worst of them, nothing averaged, no thresholds.
 *
 * An alias never counts itself. (Consul's does when it is among the checks it reads, and then stays critical
 * for good.) Aliases of each other may still form a ring, in which each turn makes the text longer; hence
 * its bound, at which the ring comes to rest.
 */
import type { CheckDefinition } from "../model/index.ts";
import type { AliasedChecks, CheckResult } from "./check-runner.ts";

export interface AliasTarget {
  /** The alias's own ID. */
  readonly checkId: string;
  readonly definition: Pick<CheckDefinition, "AliasService" | "AliasNode">;
  readonly outputMaxLength: number;
}

/** Room for the words around an output that is itself as long as is allowed. */
export const ALIAS_FRAME_LENGTH = 1_024;

const ALL_PASSING: CheckResult = { status: "passing", output: "All checks passing." };

/** Quotes the first critical check, else the last that warns. */
export function worstOf(
  { checks, hasService }: AliasedChecks,
  { checkId, definition: { AliasService, AliasNode }, outputMaxLength }: AliasTarget,
): CheckResult {
  let worst: CheckResult = { status: "passing", output: "No checks found." };
  let serviceSeen = AliasService === "";
  for (const { CheckID, Name, ServiceID, Status, Output } of checks) {
    if (ServiceID !== "" && ServiceID !== AliasService) continue;
    if (ServiceID !== "") serviceSeen = true;
    if (CheckID === checkId) continue;
    if (Status === "critical" || Status === "warning") {
      const output = `Aliased check ${JSON.stringify(Name)} failing: ${Output}`;
      worst = { status: Status, output: output.slice(0, outputMaxLength) };
      if (Status === "critical") return worst;
    } else if (worst.status === "passing") {
      worst = ALL_PASSING;
    }
  }
  if (serviceSeen || hasService(AliasService)) return worst;
  const output = `Service ${AliasService} could not be found on node ${AliasNode}`;
  return { status: "critical", output };
}
