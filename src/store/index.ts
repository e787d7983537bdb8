export { row } from "./index-rows.ts";
export { keyPart } from "./key-part.ts";
export { IndexView, ReadView } from "./read-view.ts";
export type { Reading, ReadingWaiter } from "./readings.ts";
export { Store } from "./store.ts";
export type { ApplyResult } from "./store.ts";
export type { ServiceRecord, Tables } from "./tables.ts";
export type { ApplyEffects, LockDelay } from "./write-tx.ts";
