/** `rollcall watch` over time: what is asked again when, and what a program gets to see. */
import { beforeAll, expect, test } from "vitest";
import { RollcallError } from "../errors/index.ts";
import { kvs } from "../endpoints/testkit.ts";
import { commandScene, type CommandScene } from "./testkit.ts";

beforeAll(() => import("./watch.ts"));

const ended = { kind: "exit", code: 0 } as const;

async function put({ delegate }: CommandScene, value: string): Promise<void> {
  const { body } = kvs("set", "k", { Value: Buffer.from(value) });
  if ("DirEnt" in body) await delegate.call("KVS.Apply", body);
}
const looks = ({ calls }: CommandScene): number[] =>
  calls.filter(({ method }) => method === "KVS.Get").map(({ atMs }) => atMs);

test("what fails is asked again after five seconds, times the square of the failures, three minutes at most", async () => {
  await using scene = await commandScene();
  scene.fault = (method) =>
    method === "KVS.Get" ? new RollcallError("request/refused", "rpc error") : undefined;
  const running = scene.run("watch", "-type=key", "-key=k", "work");
  await scene.until(() => looks(scene).length === 1);
  await scene.platform.clock.run(20 * 60_000);
  const waits = looks(scene).map((atMs, i, all) => (atMs - (all[i - 1] ?? atMs)) / 1000);
  expect(waits).toEqual([0, 5, 20, 45, 80, 125, 180, 180, 180, 180, 180]);
  const lines = running.stderr().split("\n");
  expect(lines).toHaveLength(12);
  expect(lines[0]).toMatch(
    /\[ERROR\] watch\.watch: Watch errored: type=key error="Unexpected response code: 500 \(rpc error\)" retry=5s$/,
  );
  expect(lines[5]).toContain("retry=3m0s");
  running.signal("SIGINT");
  expect(await running.exitCode).toBe(0);
});

test("an answer puts the wait back to five seconds", async () => {
  await using scene = await commandScene();
  const down = new RollcallError("request/refused", "rpc error");
  let failures = 3;
  scene.fault = (method) => (method === "KVS.Get" && failures-- > 0 ? down : undefined);
  const running = scene.run("watch", "-type=key", "-key=k", "work");
  await scene.until(() => looks(scene).length === 1);
  await scene.platform.clock.run(70_000);
  expect(running.programs).toHaveLength(1);
  failures = 1;
  running.programs[0]?.end(ended);
  await scene.until(() => looks(scene).length === 5);
  await scene.platform.clock.run(6000);
  const [, , , fourth, fifth, sixth] = looks(scene);
  expect([fourth, (sixth ?? 0) - (fifth ?? 0)]).toEqual([70_000, 5000]);
  running.signal("SIGTERM");
  expect(await running.exitCode).toBe(0);
});

test("the program runs once for each change, with what it is and its index", async () => {
  await using scene = await commandScene();
  const running = scene.run("watch", "-type=key", "-key=k", "work");
  await scene.until(() => running.programs.length === 1);
  expect(running.programs[0]).toMatchObject({ argv: ["/bin/sh", "-c", "work"], stdin: "null\n" });
  running.programs[0]?.end(ended);
  await put(scene, "one");
  await scene.until(() => running.programs.length === 2);
  const [, second] = running.programs;
  expect(JSON.parse(second?.stdin ?? "")).toMatchObject({ Key: "k", Value: "b25l" });
  expect(second?.env["CONSUL_INDEX"]).toBe(
    String((JSON.parse(second?.stdin ?? "") as { ModifyIndex: number }).ModifyIndex),
  );
  // While it runs nothing is asked; what has changed meanwhile is seen once.
  await put(scene, "two");
  await put(scene, "three");
  await scene.platform.clock.run(1000);
  expect(running.programs).toHaveLength(2);
  second?.end(ended);
  await scene.until(() => running.programs.length === 3);
  expect(running.programs[2]?.stdin).toContain('"dGhyZWU="');
  running.programs[2]?.end({ kind: "exit", code: 3 });
  expect(await running.exitCode).toBe(1);
  expect(running.stderr()).toBe("Error executing handler: exit status 3\n");
});
