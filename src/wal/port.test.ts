import { memoryWal } from "./index.ts";
import { portSuite } from "./port-suite.ts";
import { openSmall } from "./testkit.ts";
import { simPlatform } from "../platform/sim/index.ts";

portSuite("in memory", { make: async () => memoryWal(), runs: 300 });

portSuite("on a disk", {
  make: () => {
    const { disk, clock } = simPlatform({ seed: 1 });
    return openSmall(disk, clock, "/wal");
  },
  runs: 100,
});
