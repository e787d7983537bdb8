import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "src/**/*.sim.ts", "interop/**/*.test.ts", "sim/**/*.test.ts"],
    setupFiles: ["./vitest.setup.ts"],
    pool: "forks",
    // CommonJS dependencies look as they do to Node, which the built agent runs on.
    deps: { interopDefault: false },
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
