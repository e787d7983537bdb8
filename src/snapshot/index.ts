/** Snapshot archives: what `/v1/snapshot` hands out and takes, and what is kept as a backup. */
export type { ArchiveMeta } from "./archive-meta.ts";
export { readArchive } from "./archive-read.ts";
export type { StateSink } from "./archive-read.ts";
export { writeArchive } from "./archive-write.ts";
