/** Property tests draw from one seed, so that a run can be repeated: `SEED=41 npx vitest run`. */
import * as fc from "fast-check";

const DEFAULT_SEED = 20_261_125;
fc.configureGlobal({ seed: Number(process.env["SEED"] ?? DEFAULT_SEED) });
