/**
 * One turn of the event loop: whatever promises, ticks and immediates are pending have run when it resolves.
 * The simulator needs it too, as streams progress on ticks that awaiting a promise alone does not let in.
 */
export function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
