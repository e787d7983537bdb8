/**
 * Puts the sources together into few files: a command then starts in the time that Node itself takes, instead of
 * finding, reading and linking hundreds of modules. What commands share, and each command, is a file of its own.
 * Beside them goes their bytecode (code-cache.mjs); bin/launch.cjs runs them.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** V8 keeps a text of ASCII in half the memory, and it can be read without being decoded. */
function inAscii(code) {
  return code.replace(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const bundle = await rolldown({
  input: { rollcall: path("src/main.ts") },
  platform: "node",
  transform: { target: "node20" },
  logLevel: "warn",
});
const { output } = await bundle.generate({
  format: "cjs",
  entryFileNames: "[name].cjs",
  chunkFileNames: "[name]-[hash].cjs",
});
await bundle.close();
const dir = path("dist/bin");
rmSync(dir, { recursive: true, force: true });
mkdirSync(dir, { recursive: true });
for (const { fileName, code } of output) writeFileSync(join(dir, fileName), inAscii(code));

const recording = spawnSync(process.execPath, [path("scripts/code-cache.mjs")], {
  stdio: ["ignore", "ignore", "inherit"],
  timeout: 60_000,
});
// Without it everything works, only slower.
if (recording.status !== 0) process.stderr.write("bundle: the code cache could not be recorded\n");
