/** As the tests are run, with what `fuzz.mjs` needs to know of them. */
import { mergeConfig } from "vitest/config";
import tests from "../vitest.config.ts";

export default mergeConfig(tests, {
  test: { setupFiles: ["./scripts/fuzz-setup.ts"], execArgv: ["--expose-gc"] },
});
