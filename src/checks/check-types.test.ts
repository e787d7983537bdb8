import { expect, test } from "vitest";
import { SECOND, type CheckDefinition } from "../model/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { start } from "./testkit.ts";

const refused = "dial tcp 127.0.0.1:1: connect: connection refused";

// Each type is known by what it says when there is nobody to ask.
test.each<[string, Partial<CheckDefinition>, string]>([
  ["http", { HTTP: "http://127.0.0.1:1/" }, `Get "http://127.0.0.1:1/": ${refused}`],
  ["tcp", { TCP: "127.0.0.1:1" }, refused],
  ["udp", { UDP: "127.0.0.1:1" }, "read udp 127.0.0.1:1: read: connection refused"],
  [
    "h2ping",
    { H2PING: "127.0.0.1:1", H2PingUseTLS: false },
    `Failed to dial to 127.0.0.1:1: ${refused}`,
  ],
  ["os_service", { OSService: "sshd" }, 'exec: "systemctl": executable file not found in $PATH'],
  ["tcp before script", { TCP: "127.0.0.1:1", ScriptArgs: ["/no/such"] }, refused],
  [
    "grpc",
    { GRPC: "127.0.0.1:1" },
    `rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing ${refused}"`,
  ],
  ["script", { ScriptArgs: ["/no/such"] }, "fork/exec /no/such: no such file or directory"],
  // Never on the agent's own machine.
  [
    "docker",
    { DockerContainerID: "web", ScriptArgs: ["/no/such"] },
    "create exec failed for container web: dial unix /var/run/docker.sock: connect: no such file or directory",
  ],
  ["ttl", { TTL: SECOND }, "TTL expired"],
])("%s", async (_type, fields, output) => {
  const platform = simPlatform({ seed: 1 });
  using run = start(platform, fields);
  await platform.clock.run(1_000);
  expect(run.reports).toStrictEqual([`critical: ${output}`]);
});

test("a definition without a type is the agent's mistake", () => {
  expect(() => start(simPlatform({ seed: 1 }), {})).toThrow("check c has no type");
});
