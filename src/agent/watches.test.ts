/** `watches` of the configuration, in whole agents. */
import { createServer } from "node:http";
import { expect, test } from "vitest";
import { simPlatform, type SimPlatform } from "../platform/sim/index.ts";
import { wholeAgent, type WholeAgent } from "./testkit.ts";

interface Run {
  readonly argv: readonly string[];
  readonly index: string | undefined;
  readonly stdin: string;
}
/** A machine on which `handle` notes how it was run. */
function machine(exitCode = 0): { platform: SimPlatform; runs: Run[] } {
  const platform = simPlatform({ seed: "watches", hostname: "n1" });
  const runs: Run[] = [];
  for (const name of ["handle", "/bin/sh"]) {
    platform.processes.register(name, ({ argv, env, stdin, print }) => {
      runs.push({ argv, index: env["CONSUL_INDEX"], stdin: Buffer.from(stdin).toString() });
      print("done\n");
      return exitCode;
    });
  }
  return { platform, runs };
}
async function until({ platform }: WholeAgent, isSo: () => boolean): Promise<void> {
  for (let turns = 0; !isSo(); turns++) {
    if (turns > 500) throw new Error("it never came to that");
    await platform.clock.settle();
  }
}
const KEY_WATCH = 'watches = [{ type = "key", key = "k", args = ["handle", "it"] }]';

test("watches run a program for each change, with what it is and its index", async () => {
  const { platform, runs } = machine();
  await using running = await wholeAgent(KEY_WATCH, { platform });
  await until(running, () => runs.length === 1);
  expect(runs[0]).toMatchObject({ argv: ["handle", "it"], stdin: "null\n" });
  await running.put("/v1/kv/other", "1");
  await running.put("/v1/kv/k", "1");
  await until(running, () => runs.length === 2);
  const { Key, Value, ModifyIndex } = JSON.parse(runs[1]?.stdin ?? "") as Record<string, unknown>;
  expect({ Key, Value }).toEqual({ Key: "k", Value: "MQ==" });
  expect(runs[1]?.index).toBe(String(ModifyIndex));
  expect(running.lines.filter((line) => line.includes("watch handler")).at(-1)).toMatch(
    /\[DEBUG\] agent: watch handler output: watch_handler=\[handle, it\] output="done\n"$/,
  );
});

test("a program that fails is logged, and run again at the next change", async () => {
  const { platform, runs } = machine(3);
  await using running = await wholeAgent(KEY_WATCH, { platform });
  await until(running, () => runs.length === 1);
  await running.put("/v1/kv/k", "1");
  await until(running, () => runs.length === 2);
  expect(running.lines.filter((line) => line.includes("Failed to run"))).toEqual([
    expect.stringMatching(
      /\[ERROR\] agent: Failed to run watch handler: watch_handler=\[handle, it\] error="exit status 3"$/,
    ),
    expect.anything(),
  ]);
});

test("a reload ends those that are no longer there and starts those that are", async () => {
  const { platform, runs } = machine();
  await platform.disk.makeDirectory("/etc");
  const configure = (text: string): Promise<void> =>
    platform.disk.replace("/etc/a.hcl", new TextEncoder().encode(text));
  await configure(KEY_WATCH);
  const argv = ["-dev", "-bind=127.0.0.1", "-config-file=/etc/a.hcl"];
  await using running = await wholeAgent("", { platform, argv });
  await until(running, () => runs.length === 1);
  await configure(
    'watches = [{ type = "keyprefix", prefix = "p/", handler = "echo $CONSUL_INDEX" }]',
  );
  await running.agent.reload();
  await until(running, () => runs.length === 2);
  expect(runs[1]?.argv).toEqual(["/bin/sh", "-c", "echo $CONSUL_INDEX"]);
  expect(running.lines.join("\n")).toContain("The 'handler' field in watches has been deprecated");
  await running.put("/v1/kv/k", "1");
  await running.put("/v1/kv/p/a", "1");
  await until(running, () => runs.length === 3);
  expect(JSON.parse(runs[2]?.stdin ?? "")).toMatchObject([{ Key: "p/a" }]);
  await configure("watches = [{}]");
  await expect(running.agent.reload()).rejects.toThrow("Must define a watch handler");
  await running.put("/v1/kv/p/b", "1");
  await until(running, () => runs.length === 4);
});

test("an http handler is called with the change, and its refusal logged", async () => {
  const { platform } = machine();
  const heard: { method: string; url: string; headers: unknown; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (bytes: Buffer) => (body += bytes.toString()));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      heard.push({ method, url, headers, body });
      response.writeHead(heard.length === 1 ? 200 : 503).end("sorry");
    });
  });
  await platform.network.listen({ host: "127.0.0.9", port: 80 }, (stream) =>
    server.emit("connection", stream),
  );
  await using running = await wholeAgent(
    `watches = [{
       type = "key", key = "k", handler_type = "http"
       http_handler_config { path = "http://127.0.0.9/hook?a=1", method = "PUT", header { x-site = ["b", "c"] } }
     }]`,
    { platform },
  );
  await until(running, () => heard.length === 1);
  expect(heard[0]).toMatchObject({
    method: "PUT",
    url: "/hook?a=1",
    headers: { "x-site": "b, c", "content-type": "application/json", host: "127.0.0.9" },
    body: "null\n",
  });
  await running.put("/v1/kv/k", "1");
  await until(running, () => running.lines.some((line) => line.includes("failed with output")));
  expect(heard[1]?.body).toContain('"Key":"k"');
  expect(running.lines.find((line) => line.includes("failed with output"))).toContain(
    'watch=http://127.0.0.9/hook?a=1 status="503 Service Unavailable" output=sorry',
  );
});

test("what cannot be asked is asked again later, and a stopped agent asks no more", async () => {
  const { platform, runs } = machine();
  const running = await wholeAgent(
    'watches = [{ type = "nodes", datacenter = "dc9", args = ["handle"] }]',
    { platform },
  );
  const errors = () => running.lines.filter((line) => line.includes("Watch errored"));
  await until(running, () => errors().length === 1);
  expect(errors()[0]).toMatch(
    /\[ERROR\] agent\.watch\.watch: Watch errored: type=nodes error="Unexpected response code: 500 \(No path to datacenter\)" retry=5s$/,
  );
  await platform.clock.run(5000);
  await until(running, () => errors().length === 2);
  await running[Symbol.asyncDispose]();
  await platform.clock.run(60_000);
  expect([errors().length, runs.length]).toEqual([2, 0]);
});

// As `consul agent` 1.8.7 says it, but for how the watch itself is shown.
test.each([
  ['{ type = "nodes" }', "Must define a watch handler"],
  ['{ type = "nodes", handler = "a", args = ["b"] }', "Only one watch handler allowed"],
  ['{ type = "nodes", handler_type = "z" }', "Handler type 'z' not recognized"],
  [
    '{ type = "bogus", args = ["a"] }',
    /^Failed to parse watch \(.*\): Unsupported watch type: bogus$/,
  ],
  ['{ args = ["a"] }', /^Failed to parse watch \(.*\): Watch type must be specified$/],
  ['{ type = "key", args = ["a"] }', /: Must specify a single key to watch$/],
  ['{ type = "nodes", args = ["a"], bogus = 1 }', /: Expecting bogus to be a string/],
  ['{ type = "nodes", args = ["a"], state = "x" }', /: Invalid parameters: \[state\]$/],
  [
    '{ type = "nodes", handler_type = "http" }',
    /: Handler type 'http' requires 'http_handler_config' to be set$/,
  ],
  [
    '{ type = "nodes", handler_type = "http", http_handler_config {} }',
    /: Failed to parse 'http_handler_config': Requires 'path' to be set$/,
  ],
  [
    '{ type = "nodes", handler_type = "http", http_handler_config { path = "http://a", timeout = "zz" } }',
    /: Failed to parse 'http_handler_config': Failed to parse timeout: time: invalid duration "zz"$/,
  ],
])("the watch %s is refused", async (watch, reason) => {
  await expect(wholeAgent(`watches = [${watch}]`)).rejects.toThrow(reason);
});

test("watches need the agent's HTTP API", async () => {
  await expect(wholeAgent(`ports { http = -1 } ${KEY_WATCH}`)).rejects.toThrow(
    "watch plans require an HTTP or HTTPS endpoint",
  );
});
