/** What grows with the number of members (memberlist: util.go). `n` counts all that are known, this node included. */

/** Up to here the state is exchanged at the base interval. */
const PUSH_PULL_BASE_MEMBERS = 32;

/** How often a message is sent before it is dropped: everybody then has it, very probably (SWIM §4.1). */
export function retransmitLimit(mult: number, n: number): number {
  return mult * Math.ceil(Math.log10(n + 1));
}

/** Whole-state exchanges: one interval more for each doubling beyond 32 members, so that they do not flood. */
export function pushPullIntervalMs(baseMs: number, n: number): number {
  if (n <= PUSH_PULL_BASE_MEMBERS) return baseMs;
  return baseMs * (Math.ceil(Math.log2(n) - Math.log2(PUSH_PULL_BASE_MEMBERS)) + 1);
}
