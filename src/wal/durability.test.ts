import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodePlatform } from "../platform/node/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { durabilitySuite } from "./durability-suite.ts";

durabilitySuite("simulated", {
  make: async (seed) => {
    const { disk, clock } = simPlatform({ seed });
    return {
      disk,
      clock,
      directory: "/wal",
      crash: async () => disk.crash(),
      [Symbol.asyncDispose]: async () => {},
    };
  },
  seeds: 10,
  bitsOf: () => [0, 1, 2, 3, 4, 5, 6, 7],
});

durabilitySuite("real", {
  make: async () => {
    const root = await mkdtemp(join(tmpdir(), "rollcall-wal-"));
    const { disk, clock } = nodePlatform();
    let crashCount = 0;
    let directory = join(root, "wal-0");
    return {
      disk,
      clock,
      get directory() {
        return directory;
      },
      crash: async (stopped) => {
        await stopped?.settled();
        const before = directory;
        crashCount += 1;
        directory = join(root, `wal-${crashCount}`);
        await disk.makeDirectory(before);
        await cp(before, directory, { recursive: true });
      },
      [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
    };
  },
  seeds: 1,
  bitsOf: (offset) => (offset % 5 === 0 ? [offset % 8] : []),
});
