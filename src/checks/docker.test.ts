import { createServer } from "node:http";
import { describe, expect, test } from "vitest";
import { SECOND } from "../model/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { daemonAddress } from "./docker.ts";
import { start } from "./testkit.ts";

type Reply = readonly [statusCode: number, body: string];

const OK = {
  create: [201, '{"Id":"e1"}'],
  start: [200, "out\n"],
  inspect: [200, '{"ExitCode":0}'],
} as const satisfies Record<string, Reply>;

/** What is reported with an Engine that replies so; a reply that is left out hangs. */
async function reportOf(replies: Partial<Record<keyof typeof OK, Reply>>, outputMaxBytes = 4096) {
  const platform = simPlatform({ seed: 1 });
  const asked: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      const { method = "", url = "" } = request;
      asked.push(`${method} ${url} ${body}`.trim());
      const step = url.endsWith("/exec") ? "create" : url.endsWith("/start") ? "start" : "inspect";
      const reply = replies[step];
      if (reply === undefined) return;
      response.writeHead(reply[0]);
      response.end(reply[1]);
    });
  });
  await platform.network.listen({ path: "/var/run/docker.sock" }, (stream) =>
    server.emit("connection", stream),
  );
  const fields = { DockerContainerID: "web", ScriptArgs: ["echo", "hi"], Timeout: SECOND };
  using run = start(platform, fields, { outputMaxBytes });
  await platform.clock.run(2_500);
  return { report: run.reports[0], asked };
}

describe("a Docker check", () => {
  test("creates, starts and inspects an exec, as Consul does", async () => {
    const { report, asked } = await reportOf(OK);
    expect(report).toBe("passing: out\n");
    expect(asked.slice(0, 3)).toStrictEqual([
      'POST /containers/web/exec {"AttachStdin":false,"AttachStdout":true,"AttachStderr":true,"Tty":false,"Cmd":["echo","hi"]}',
      'POST /exec/e1/start {"Detach":false,"Tty":true}',
      "GET /exec/e1/json",
    ]);
  });

  // As Consul 1.8.7 shows the same replies.
  test.each<[keyof typeof OK, Reply, string]>([
    ["inspect", [200, '{"ExitCode":1}'], "warning: out\n"],
    ["inspect", [200, '{"ExitCode":2}'], "critical: out\n"],
    ["inspect", [200, '{"ExitCode":null}'], "critical: out\n"],
    ["create", [404, "x"], "critical: create exec failed for unknown container web"],
    ["create", [409, "x"], "critical: create exec failed since container web is paused or stopped"],
    [
      "create",
      [500, "boom"],
      "critical: create exec failed for container web with status 500: boom",
    ],
    ["create", [201, "{}"], "critical: create exec response for container web has no Id"],
    [
      "create",
      [201, "null"],
      "critical: create exec response for container web cannot be parsed: not an object",
    ],
    ["start", [404, "x"], "critical: start exec failed for container web: invalid exec id e1"],
    ["start", [409, "x"], "critical: start exec failed since container web is paused or stopped"],
    [
      "start",
      [500, "x"],
      "critical: start exec failed for container web with status 500: body: x err: <nil>",
    ],
    ["inspect", [404, "x"], "critical: inspect exec failed for container web: invalid exec id e1"],
    ["inspect", [500, "x"], "critical: inspect exec failed for container web with status 500: x"],
  ])("%s replies %j", async (step, reply, expected) => {
    expect((await reportOf({ ...OK, [step]: reply })).report).toBe(expected);
  });

  test("an Engine that replies with no JSON", async () => {
    const { report } = await reportOf({ ...OK, create: [201, "junk"] });
    expect(report).toMatch(/^critical: create exec response for container web cannot be parsed: ./);
  });

  test("of a long output the end is kept", async () => {
    const { report } = await reportOf({ ...OK, start: [200, "0123456789"] }, 4);
    expect(report).toBe("passing: Captured 4 of 10 bytes\n...\n6789");
  });

  test("a command that does not end", async () => {
    const { report } = await reportOf({ create: OK.create });
    expect(report).toBe("critical: start exec failed for container web: context deadline exceeded");
  });

  test("no Engine", async () => {
    const platform = simPlatform({ seed: 1 });
    using run = start(platform, { DockerContainerID: "web", ScriptArgs: ["true"] });
    await platform.clock.run(1_000);
    expect(run.reports).toStrictEqual([
      "critical: create exec failed for container web: dial unix /var/run/docker.sock: connect: no such file or directory",
    ]);
  });

  test.each([
    ["unix:///run/d.sock", { path: "/run/d.sock" }],
    ["tcp://10.0.0.1:2375", { host: "10.0.0.1", port: 2375 }],
    ["tcp://10.0.0.1:2375/", { host: "10.0.0.1", port: 2375 }],
  ])("DOCKER_HOST=%s", (dockerHost, address) => {
    expect(daemonAddress(dockerHost)).toStrictEqual(address);
  });

  test.each(["", "nonsense", "unix://", "ssh://host", "tcp://host"])(
    "DOCKER_HOST=%j is refused",
    (dockerHost) => {
      expect(() => daemonAddress(dockerHost)).toThrow(/docker host|missing port/);
    },
  );
});
