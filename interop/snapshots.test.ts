/**
 * Backups that go from one make to the other, by command and over HTTP: what a real Consul has saved is restored here,
 * saved here, and restored there, and everything is as it was, record by record.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readArchive } from "../src/snapshot/index.ts";
import { decodeSnapshot } from "../src/store/index.ts";
import { eventually, http, Program, ROLLCALL, run } from "./testkit.ts";

const REAL = "127.0.33.11";
const OURS = "127.0.33.12";
const BACKUP = new URL("../src/snapshot/testdata/backup.snap", import.meta.url);

const folder = mkdtempSync(join(tmpdir(), "rollcall-snapshots-"));
const programs: Program[] = [];
const fileOf = (name: string): string => join(folder, name);

beforeAll(async () => {
  const agent = (address: string, name: string): readonly string[] => [
    "agent",
    "-server",
    "-bootstrap-expect=1",
    `-node=${name}`,
    `-bind=${address}`,
    `-client=${address}`,
    `-data-dir=${fileOf(name)}`,
    "-log-level=warn",
  ];
  programs.push(new Program(["consul", ...agent(REAL, "real")]));
  programs.push(new Program([ROLLCALL, ...agent(OURS, "ours")]));
  for (const address of [REAL, OURS]) {
    const leader = () => http(address, "/v1/catalog/node/real").then(({ status }) => status);
    await eventually(`${address} leads`, leader, (status) => status === 200, 30_000);
    const put = () => http(address, "/v1/kv/warm", { method: "PUT" }).then(({ body }) => body);
    await eventually(`${address} writes`, put, (body) => body.trim() === "true", 30_000);
  }
}, 70_000);
afterAll(async () => {
  for (const program of programs) await program[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

type Tables = Awaited<ReturnType<typeof decodeSnapshot>>["tables"];

async function tablesOf(file: string): Promise<Tables> {
  const parts: Uint8Array[] = [];
  const write = async (bytes: Uint8Array): Promise<void> => void parts.push(Uint8Array.from(bytes));
  await readArchive([readFileSync(file)], { write });
  return (await decodeSnapshot(parts)).tables;
}

/** Without what each server writes about itself and its cluster as soon as it leads. */
function recordsOf(tables: Tables): Record<string, unknown[]> {
  const isForeign = (key: string): boolean => key.includes("outside");
  const of = (rows: { entries(): Iterable<readonly [string, unknown]> }): unknown[] =>
    [...rows.entries()].map(([, record]) => record);
  const foreign = (rows: { entries(): Iterable<readonly [string, unknown]> }): unknown[] =>
    [...rows.entries()].filter(([key]) => isForeign(key)).map(([, record]) => record);
  const { kept } = tables;
  return {
    nodes: foreign(tables.nodes.rows),
    services: foreign(tables.services.rows),
    checks: foreign(tables.checks.rows),
    keys: of(tables.kv.rows),
    tombstones: of(tables.tombstones.rows),
    sessions: of(tables.sessions.rows),
    queries: of(tables.preparedQueries.rows),
    autopilot: of(tables.autopilot.rows),
    ...Object.fromEntries(Object.entries(kept).map(([name, { rows }]) => [name, of(rows)])),
  };
}

async function put(address: string, path: string, body: unknown): Promise<unknown> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const answer = await http(address, path, { method: "PUT", body: text });
  expect([path, answer.status, answer.body]).toEqual([path, 200, answer.body]);
  return answer.json();
}

/** Something of everything that can be written without ACLs. */
async function fill(address: string): Promise<void> {
  await put(address, "/v1/kv/text", "value");
  await put(address, "/v1/kv/flags?flags=18446744073709551615", "x");
  await put(address, "/v1/kv/empty", "");
  await put(address, "/v1/kv/gone", "x");
  await http(address, "/v1/kv/gone", { method: "DELETE" });
  await put(address, "/v1/catalog/register", {
    Node: "outside",
    Address: "10.9.8.7",
    TaggedAddresses: { lan: "10.9.8.7", wan: "1.2.3.4" },
    NodeMeta: { rack: "7" },
    Service: { Service: "db", ID: "db1", Tags: ["a", "b"], Port: 5432, Meta: { v: "1" } },
    Check: { Name: "alive", CheckID: "alive", Status: "passing", ServiceID: "db1" },
  });
  const { ID } = (await put(address, "/v1/session/create", {
    Name: "holder",
    Node: "outside",
    NodeChecks: [],
    Behavior: "delete",
    LockDelay: "1s",
  })) as { ID: string };
  await put(address, `/v1/kv/lock?acquire=${ID}`, "held");
  await http(address, "/v1/query", {
    method: "POST",
    body: JSON.stringify({ Name: "find-db", Service: { Service: "db", Tags: ["a"] } }),
  });
}

test("what Consul saved comes back from here as it was", async () => {
  await fill(REAL);
  const from = `-http-addr=${REAL}:8500`;
  const saved = await run([ROLLCALL, "snapshot", "save", from, fileOf("real.snap")]);
  expect(saved).toMatchObject({ code: 0, stderr: "" });
  expect(saved.stdout).toMatch(/^Saved and verified snapshot to index \d+\n$/);

  for (const [program, address, from, to] of [
    [ROLLCALL, OURS, "real.snap", "ours.snap"],
    ["consul", OURS, "ours.snap", "ours-again.snap"],
    [ROLLCALL, REAL, "ours-again.snap", "real-again.snap"],
  ] as const) {
    const at = `-http-addr=${address}:8500`;
    const restored = await run([program, "snapshot", "restore", at, fileOf(from)]);
    expect([to, restored.stdout, restored.stderr]).toEqual([to, "Restored snapshot\n", ""]);
    const again = await run(["consul", "snapshot", "save", at, fileOf(to)]);
    expect([to, again.code, again.stderr]).toEqual([to, 0, ""]);
    expect(recordsOf(await tablesOf(fileOf(to)))).toEqual(
      recordsOf(await tablesOf(fileOf("real.snap"))),
    );
  }
});

test("both answer the same over HTTP after the same restore", async () => {
  const body = readFileSync(fileOf("real.snap"));
  const answers: unknown[] = [];
  for (const address of [REAL, OURS]) {
    const restored = await http(address, "/v1/snapshot", { method: "PUT", body });
    expect([restored.status, restored.body]).toEqual([200, ""]);
    const paths = ["/v1/kv/?recurse", "/v1/kv/?keys", "/v1/query", "/v1/session/node/outside"];
    const read = paths.map(async (path) => {
      const answer = await http(address, path);
      return [path, answer.status, answer.headers["x-consul-index"], answer.json()];
    });
    answers.push(await Promise.all(read));
  }
  expect(answers[1]).toEqual(answers[0]);
});

test("a blocking query is woken by a restore", async () => {
  const { headers } = await http(OURS, "/v1/kv/app/one");
  const held = http(OURS, `/v1/kv/app/one?index=${String(headers["x-consul-index"])}&wait=60s`);
  const restored = await http(OURS, "/v1/snapshot", { method: "PUT", body: readFileSync(BACKUP) });
  expect(restored.status).toBe(200);
  expect((await held).status).toBe(200);
}, 30_000);

test.each([
  ["nothing", Buffer.alloc(0)],
  ["garbage", Buffer.from("garbage")],
  ["half an archive", readFileSync(BACKUP).subarray(0, 6200)],
  ["what is no gzip", Buffer.from("hello, world")],
])("both refuse %s in the same words", async (_, body) => {
  const answers = [];
  for (const address of [REAL, OURS]) {
    const answer = await http(address, "/v1/snapshot", { method: "PUT", body });
    answers.push([answer.status, answer.body, answer.headers["content-type"]]);
  }
  expect(answers[1]).toEqual(answers[0]);
});

test("snapshot inspect prints what Consul's does, of good files and bad", async () => {
  for (const name of ["real.snap", "ours.snap", "not there"]) {
    const [theirs, ours] = await Promise.all(
      ["consul", ROLLCALL].map((program) => run([program, "snapshot", "inspect", fileOf(name)])),
    );
    expect([name, ours]).toEqual([name, theirs]);
  }
});

test("what was restored survives kill -9", async () => {
  const [, ours] = programs;
  await ours?.end("SIGKILL");
  const argv = [ROLLCALL, "agent", "-server", "-bootstrap-expect=1", "-node=ours", `-bind=${OURS}`];
  programs[1] = new Program([...argv, `-client=${OURS}`, `-data-dir=${fileOf("ours")}`]);
  const read = () => http(OURS, "/v1/kv/app/one?raw").then(({ body }) => body);
  await eventually("the key is there again", read, (body) => body === "hi", 30_000);
}, 40_000);
