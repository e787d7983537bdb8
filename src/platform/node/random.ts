/** Chance: bytes from the kernel's generator, so fit for identifiers; floats for jitter and shuffles. */
import { randomBytes } from "node:crypto";
import type { Random } from "../platform.ts";

export const nodeRandom: Random = {
  float: () => Math.random(),
  bytes: (count) => randomBytes(count),
  fork: () => nodeRandom,
};
