/**
 * Puts the sources together into few files: a command then starts in the time that Node itself takes, instead of
 * finding, reading and linking hundreds of modules. What commands share, and each command, is a file of its own.
 */
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const bundle = await rolldown({
  input: { rollcall: path("src/main.ts") },
  platform: "node",
  transform: { target: "node20" },
  logLevel: "warn",
});
const dir = path("dist/bin");
rmSync(dir, { recursive: true, force: true });
await bundle.write({
  dir,
  format: "esm",
  entryFileNames: "[name].mjs",
  chunkFileNames: "[name]-[hash].mjs",
});
await bundle.close();
