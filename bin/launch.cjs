"use strict";
/**
 * Runs the bundled command. Its chunks are loaded here and not by Node, so that V8 finds the bytecode beside them that
 * the build recorded (scripts/code-cache.mjs): otherwise an agent spends its start, and its first thousand requests,
 * on compiling. A cache of another V8, or none, only means compiling as ever.
 */
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { setFlagsFromString } = require("node:v8");
const { Script } = require("node:vm");

const DIR = join(__dirname, "..", "dist", "bin");
const CACHE_DIR = join(DIR, `code-cache-${process.arch}-${process.version}`);

/**
 * How much code must have run in a function before V8 optimizes it, by V8's major version. That of Node 20 would begin
 * at a third of this, a value meant for a compiler in between which it lacks: in an agent's first thousand requests the
 * optimizing compiler then costs as much as everything else together.
 */
const V8_INTERRUPT_BUDGET = { 11: 200_000 };
const budget = V8_INTERRUPT_BUDGET[Number.parseInt(process.versions.v8, 10)];
if (budget !== undefined) setFlagsFromString(`--interrupt-budget=${budget}`);

/** What was loaded, by file name. */
const loaded = new Map();

function load(name) {
  const known = loaded.get(name);
  if (known !== undefined) return known.exports;
  const path = join(DIR, name);
  // The build leaves nothing but ASCII in the chunks.
  const source = `(function(require,module,exports,__filename){${readFileSync(path, "latin1")}\n})`;
  const script = new Script(source, { filename: path, cachedData: cacheOf(name) });
  const module = { script, exports: {} };
  loaded.set(name, module);
  script.runInThisContext()(requireFrom, module, module.exports, path);
  return module.exports;
}

function requireFrom(id) {
  return id.startsWith("./") ? load(id.slice(2)) : require(id);
}

function cacheOf(name) {
  try {
    return readFileSync(join(CACHE_DIR, name));
  } catch {
    return undefined;
  }
}

module.exports = { CACHE_DIR, DIR, load, loaded };
if (require.main === module) load("rollcall.cjs");
