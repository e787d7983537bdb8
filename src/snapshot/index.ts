/** The archive that a snapshot is handed out in. */
export type { StateSink } from "./archive-read.ts";
export { readArchive } from "./archive-read.ts";
export { writeArchive } from "./archive-write.ts";
