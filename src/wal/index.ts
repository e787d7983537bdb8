/** A segmented write-ahead log: entries, votes and terms that survive whatever was not synced. */
export { memoryWal } from "./memory-wal.ts";
export { openWal } from "./wal.ts";
export type { HardState, IndexRange, Wal, WalEntry, WalOptions, WalState } from "./wal-port.ts";
