/** Long work in short turns, between which everybody else has theirs: heartbeats above all. */
import type { Clock } from "../platform/index.ts";

export const TURN_MS = 5;

/**
 * The same slices. Whoever takes them is held up, until others have had their turn, once making and using some of
 * them has taken `TURN_MS`.
 */
export async function* inTurns(
  slices: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  clock: Clock,
): AsyncGenerator<Uint8Array, void> {
  let turnEnds = clock.now() + TURN_MS;
  for await (const slice of slices) {
    yield slice;
    if (clock.now() < turnEnds) continue;
    await new Promise<void>((resume) => clock.after(0, resume));
    turnEnds = clock.now() + TURN_MS;
  }
}
