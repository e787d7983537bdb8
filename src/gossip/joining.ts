/** Joining: a state exchange with each of the addresses that somebody gave us. */
import { messageOf, RollcallError } from "../errors/index.ts";
import type { Logger } from "../platform/index.ts";
import { parseJoinAddress } from "./join-address.ts";
import type { PushPulls } from "./push-pull.ts";

/**
 * One after the other; a failure does not stop the rest.
 *
 * @returns with how many it worked
 * @throws {RollcallError} `net/dial` if with none, saying why for each; the signal's reason
 */
export async function joinEach(
  addresses: readonly string[],
  options: {
    readonly defaultPort: number;
    readonly pushPulls: PushPulls;
    readonly logger: Logger;
    readonly signal: AbortSignal;
  },
): Promise<number> {
  const { defaultPort, pushPulls, logger, signal } = options;
  let joinedCount = 0;
  const failures: string[] = [];
  for (const text of addresses) {
    signal.throwIfAborted();
    try {
      await joinOne(text, defaultPort, pushPulls, signal);
      joinedCount += 1;
    } catch (error) {
      signal.throwIfAborted();
      logger.debug(`memberlist: ${messageOf(error)}`);
      failures.push(messageOf(error));
    }
  }
  if (joinedCount === 0 && failures.length > 0) throw allFailed(failures);
  return joinedCount;
}

async function joinOne(
  text: string,
  defaultPort: number,
  pushPulls: PushPulls,
  signal: AbortSignal,
): Promise<void> {
  const address = parseJoinAddress(text, defaultPort);
  try {
    await pushPulls.exchange(address, "join", { signal });
  } catch (error) {
    const reason = `Failed to join ${address.host}: ${messageOf(error)}`;
    throw new RollcallError("net/dial", reason, { cause: error });
  }
}

/** As hashicorp/go-multierror lists several. */
function allFailed(failures: readonly string[]): RollcallError {
  const heading = failures.length === 1 ? "1 error" : `${failures.length} errors`;
  const list = failures.map((failure) => `\t* ${failure}`).join("\n");
  return new RollcallError("net/dial", `${heading} occurred:\n${list}\n\n`);
}
