/**
 * Runs the fuzz tests with many more inputs than the suite takes time for, one kind after the other, and prints how
 * many there were, how long they took, and what the process held before and after.
 *
 *     nice -n 10 node scripts/fuzz.mjs [count] [kind …]          1000000 of each kind when not given
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const KINDS = [
  { kind: "dns", what: "DNS packets", file: "src/dns/handler.test.ts", tests: "mangled packets" },
  {
    kind: "filters",
    what: "filters",
    file: "src/filter/compile-filter.test.ts",
    tests: "mutated expressions",
  },
  {
    kind: "hcl",
    what: "HCL documents",
    file: "src/config/hcl-parse.test.ts",
    tests: "crashes the hcl",
  },
  {
    kind: "json",
    what: "JSON documents",
    file: "src/config/hcl-parse.test.ts",
    tests: "crashes the json",
  },
  // Within yamux frames, with damaged ones, and without any.
  { kind: "rpc", what: "RPC connections", file: "src/rpc/fuzz.test.ts", tests: "." },
  // Half of them bodies, four tenths targets, a tenth bytes.
  { kind: "http", what: "HTTP requests", file: "interop/http-fuzz.test.ts", tests: "broken" },
];

const [count = "1000000", ...wanted] = process.argv.slice(2);
const kinds = wanted.length === 0 ? KINDS : KINDS.filter(({ kind }) => wanted.includes(kind));
if (!/^\d+$/.test(count) || kinds.length === 0) {
  console.error(
    `usage: node scripts/fuzz.mjs [count] [${KINDS.map(({ kind }) => kind).join("|")} …]`,
  );
  process.exit(2);
}

const root = fileURLToPath(new URL("..", import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "rollcall-fuzz-"));
const mebibytes = (bytes) => `${Math.round(bytes / 2 ** 20)} MiB`;
let failed = false;
console.log("| input | count | seconds | before | after | peak | result |");
console.log("| --- | --: | --: | --: | --: | --: | --- |");
for (const { kind, what, file, tests } of kinds) {
  const report = join(directory, kind);
  const argv = [
    "vitest",
    "run",
    "--config=scripts/fuzz.config.ts",
    file,
    `--testNamePattern=${tests}`,
  ];
  const env = { ...process.env, FUZZ_RUNS: count, FUZZ_REPORT: report };
  const ran = spawnSync("npx", argv, { cwd: root, env, encoding: "utf8", maxBuffer: 2 ** 28 });
  const lines = ran.status === 0 ? readFileSync(report, "utf8").trim().split("\n") : [];
  const measured = lines.map((line) => JSON.parse(line));
  failed ||= ran.status !== 0;
  const seconds = measured.reduce((sum, one) => sum + one.seconds, 0);
  const [before, after, peak] = [
    measured[0]?.beforeBytes ?? 0,
    measured.at(-1)?.afterBytes ?? 0,
    Math.max(0, ...measured.map(({ peakBytes }) => peakBytes)),
  ].map(mebibytes);
  const result = ran.status === 0 ? "passed" : "FAILED";
  console.log(
    `| ${what} | ${count} | ${seconds.toFixed(0)} | ${before} | ${after} | ${peak} | ${result} |`,
  );
  if (ran.status !== 0) console.error(`${ran.stdout}\n${ran.stderr}`.slice(-4000));
}
rmSync(directory, { recursive: true });
process.exit(failed ? 1 : 0);
