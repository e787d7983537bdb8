/**
 * Clusters in simulation, as many as you like: each seed is another one. Tells what a seed has found wrong, made as
 * small as it can be and still go wrong; exits with 1 if there was any.
 *
 *     npm run sim -- --seeds 20000             whole clusters, from a seed that nobody has seen
 *     npm run sim -- --seeds 1 --from 4711     that one again
 *     npm run sim -- --seeds 20000 --cores     bare cores
 *     npm run sim -- --seeds 500 --whole       datacenters of whole agents, servers and clients
 *     npm run sim -- … --workers 4             in so many threads; 1 if not given
 *     npm run sim -- --mutants                 how many seeds it takes to notice each deliberate bug
 *     npm run sim -- --explore                 every state that three cores can come to within bounds
 */
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { rolldown } from "rolldown";

const HOUR_MS = 3_600_000;
const PROGRESS_EVERY_MS = 60_000;
/** A bug that so many do not notice is not noticed. */
const MUTANT_SEEDS_MAX = 3000;
/** Numbers print as they are, and leave room to count on. */
const SEED_MAX = 2 ** 40;

if (isMainThread) await main();
else await work(workerData);

async function main() {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "100" },
      from: { type: "string" },
      workers: { type: "string", default: "1" },
      cores: { type: "boolean", default: false },
      whole: { type: "boolean", default: false },
      mutants: { type: "boolean", default: false },
      explore: { type: "boolean", default: false },
    },
  });
  const count = Number(values.seeds);
  const from = values.from === undefined ? randomInt(SEED_MAX) : Number(values.from);
  const workers = Number(values.workers);
  if (![count, from, workers].every(Number.isSafeInteger) || count < 1 || workers < 1) {
    console.error(
      "usage: npm run sim -- --seeds <count> [--from <seed>] [--workers <count>] [--cores | --whole]",
    );
    process.exit(2);
  }
  const directory = mkdtempSync(join(tmpdir(), "rollcall-sim-"));
  try {
    const program = await bundled(directory);
    if (values.mutants) await mutants(program);
    else if (values.explore) await explored(program);
    else await seeds({ program, count, from, workers, kind: kindOf(values) });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** @returns "cores", "whole" or "clusters" */
function kindOf({ cores, whole }) {
  if (cores) return "cores";
  return whole ? "whole" : "clusters";
}

/** In one file, since Node does not run TypeScript by itself. */
async function bundled(directory) {
  const input = fileURLToPath(new URL("../sim/index.ts", import.meta.url));
  const transform = { target: "node20" };
  const bundle = await rolldown({ input, platform: "node", transform, logLevel: "warn" });
  const file = join(directory, "sim.mjs");
  await bundle.write({ format: "esm", file });
  await bundle.close();
  return file;
}

async function seeds({ program, count, from, workers, kind }) {
  console.log(`${kind}: ${count} seeds from ${from}`);
  const startedAt = performance.now();
  const sum = { done: 0, violations: 0, simulatedMs: 0, operations: 0, elections: 0 };
  const summary = () => {
    const seconds = (performance.now() - startedAt) / 1000;
    const hours = sum.simulatedMs / HOUR_MS;
    const pace = (hours / seconds).toPrecision(2);
    return (
      `${sum.done} seeds, ${sum.violations} violations, ${hours.toFixed(1)} simulated hours in ` +
      `${seconds.toFixed(0)} s (${pace} an s), ${sum.operations} operations, ${sum.elections} elections`
    );
  };
  const progress = setInterval(() => console.log(summary()), PROGRESS_EVERY_MS);
  const heard = (result) => {
    sum.done += 1;
    for (const part of ["simulatedMs", "operations", "elections"]) sum[part] += result[part];
    if (result.violation === undefined) return;
    sum.violations += 1;
    console.log(`\nseed ${result.seed}: ${result.violation}\n${result.shrunk}\n`);
  };
  const threads = Array.from({ length: Math.min(workers, count) }, (_, place) => {
    const data = { program, kind, from: from + place, stride: workers, end: from + count };
    return ended(new Worker(new URL(import.meta.url), { workerData: data }), heard);
  });
  await Promise.all(threads);
  clearInterval(progress);
  console.log(summary());
  process.exitCode = sum.violations > 0 ? 1 : 0;
}

/** A table for docs/testing.md; the seeds are for sim/mutants.ts. */
async function mutants(program) {
  const { MUTANTS, violationOf } = await import(program);
  console.log("| bug | in | seeds | seconds | noticed as |\n| --- | --- | --: | --: | --- |");
  for (const mutant of MUTANTS) {
    const startedAt = performance.now();
    let seed = 0;
    let violation;
    while (violation === undefined && seed < MUTANT_SEEDS_MAX) {
      seed += 1;
      violation = await violationOf(mutant, seed);
    }
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    const [noticed] = (violation ?? "not noticed").split("\n");
    console.log(`| ${mutant.name} | ${mutant.where} | ${seed} | ${seconds} | ${noticed} |`);
    if (violation === undefined) process.exitCode = 1;
  }
}

/** A table for docs/testing.md. */
async function explored(program) {
  const { explore, BUILD_BOUNDS, LARGER_BOUNDS } = await import(program);
  console.log(
    "| logs | timeouts | proposals | crashes | losses | messages | disks | states | transitions | depth | cut off | seconds |",
  );
  console.log("| --- | --: | --: | --: | --: | --: | --- | --: | --: | --: | --: | --: |");
  for (const bounds of [...BUILD_BOUNDS, ...LARGER_BOUNDS]) {
    const { timeouts, proposals, crashes, losses, flightsMax, disks, logs } = bounds;
    const before = process.cpuUsage().user;
    const { violation, story, isDone, states, transitions, depth, cutOff } = explore(bounds);
    const seconds = ((process.cpuUsage().user - before) / 1e6).toFixed(0);
    const begins = logs === undefined ? "new" : "figure 8";
    const found = isDone ? states : `more than ${states}`;
    const row = [begins, timeouts, proposals, crashes, losses, flightsMax, disks];
    console.log(`| ${[...row, found, transitions, depth, cutOff, seconds].join(" | ")} |`);
    if (violation === undefined) continue;
    console.log(`\n${violation}\n${story.join("\n")}\n`);
    process.exitCode = 1;
  }
}

function ended(worker, heard) {
  return new Promise((resolve, reject) => {
    worker.on("message", heard).on("error", reject).on("exit", resolve);
  });
}

async function work({ program, kind, from, stride, end }) {
  const { run, runDatacenter, runSoup, shrink, shrinkDatacenter } = await import(program);
  const kinds = {
    cores: { play: runSoup },
    clusters: { play: run, smaller: shrink },
    whole: { play: runDatacenter, smaller: shrinkDatacenter },
  };
  const { play, smaller } = kinds[kind];
  let seed = from;
  // Nothing that is thrown where nobody listens may go unnoticed.
  process.on("unhandledRejection", (error) => {
    throw new Error(`seed ${seed}: nobody handles ${error?.stack}`);
  });
  for (; seed < end; seed += stride) {
    const { violation, simulatedMs, operations, elections } = await play({ seed });
    const result = { seed, violation, simulatedMs, operations, elections, shrunk: "" };
    if (violation !== undefined && smaller !== undefined) {
      result.shrunk = told(await smaller({ seed }));
    }
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- of a thread, not of a window
    parentPort.postMessage(result);
  }
}

/** @param result of the smallest run that goes wrong */
function told({ violation, swarm, story }) {
  return `shrunk: ${violation}\n${JSON.stringify(swarm)}\n${story.join("\n")}`;
}
