/**
 * What the transcripts cannot show: bytes that are no text, headers, and the few places where Rollcall departs
 * from Consul 1.8.7 on purpose.
 */
import { expect, test } from "vitest";
import { VERSION } from "../model/index.ts";
import packageJson from "../../package.json" with { type: "json" };
import { runCli } from "./run-cli.ts";
import { compileStatusPattern } from "./status-pattern.ts";
import { runScripted, AGENT_ADDRESS } from "./testkit.ts";
import { simPlatform } from "../platform/sim/index.ts";

const written = [{ status: 200, body: "true\n" }];

test("version: Consul's layout under our own name", async () => {
  const pretty = await runScripted({ args: ["version"] });
  expect(pretty).toMatchObject({ exitCode: 0, stderr: "" });
  expect(pretty.stdout).toBe(
    `Rollcall v${VERSION}\n` +
      "Protocol 2 spoken by default, understands 2 to 3 " +
      "(agent will automatically use protocol >2 when speaking to compatible agents)\n\n",
  );
  expect(VERSION).toBe(packageJson.version);
  for (const args of [["--version"], ["-v", "kv"], ["-version"]]) {
    expect((await runScripted({ args })).stdout).toBe(pretty.stdout);
  }
  const json = await runScripted({ args: ["version", "-format=json"] });
  expect(json.stdout).toBe(
    `{\n   "Version": "${VERSION}",\n   "Revision": "",\n   "Prerelease": "",\n` +
      '   "RPC": {\n      "Default": 2,\n      "Min": 2,\n      "Max": 3\n   }\n}\n',
  );
  const bad = await runScripted({ args: ["version", "-format=zz"] });
  expect(bad).toMatchObject({ exitCode: 1, stdout: "", stderr: "Unknown format: zz\n" });
});

test("a value comes out byte for byte as it went in", async () => {
  const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x0a, 0xc3, 0xa9, 0x80]);
  const put = await runScripted({
    args: ["kv", "put", "bin", "-"],
    stdin: bytes.toString("latin1"),
    answers: written,
  });
  expect(put.requests).toEqual([{ request: "PUT /v1/kv/bin", body: bytes.toString("latin1") }]);

  const entry = { Key: "bin", Flags: 0, Value: bytes.toString("base64") };
  const output: Buffer[] = [];
  for (const flags of [[], ["-recurse"], ["-detailed"]]) {
    const got = await runScripted({
      args: ["kv", "get", ...flags, "bin"],
      answers: [{ status: 200, body: JSON.stringify([entry]) }],
    });
    output.push(got.stdoutBytes);
  }
  const lineEnd = Buffer.from("\n");
  expect(output[0]).toEqual(Buffer.concat([bytes, lineEnd]));
  expect(output[1]).toEqual(Buffer.concat([Buffer.from("bin:"), bytes, lineEnd]));
  expect(output[2]?.subarray(-bytes.length - 1)).toEqual(Buffer.concat([bytes, lineEnd]));
});

test("tokens and credentials go with each request", async () => {
  const { headers } = await runScripted({
    args: ["kv", "put", "-token-file=token.txt", "k", "v"],
    files: { "token.txt": " secret \n" },
    env: { CONSUL_HTTP_AUTH: "user:pass" },
    answers: written,
  });
  expect(headers[0]).toMatchObject({
    "x-consul-token": "secret",
    authorization: "Basic dXNlcjpwYXNz",
    "content-length": "1",
    host: AGENT_ADDRESS,
  });
});

test("an import uses one connection", async () => {
  const entries = Array.from({ length: 50 }, (_, index) => ({ key: `k${index}`, value: "" }));
  const { connectionCount, requests } = await runScripted({
    args: ["kv", "import", "-"],
    stdin: JSON.stringify(entries),
    answers: entries.map(() => ({ status: 200, body: "true" })),
  });
  expect([connectionCount, requests.length]).toEqual([1, 50]);
});

test("two exports in one file are refused before anything is written", async () => {
  const one = '[{"key":"a \\" ] b","flags":1,"value":"aGk="}]';
  const run = await runScripted({ args: ["kv", "import", `${one}\n${one}`] });
  expect(run).toMatchObject({
    exitCode: 1,
    stderr: "Cannot unmarshal data: invalid character '[' after top-level value\n",
    requests: [],
  });
});

// Consul 1.8.7 reports the mistake, then writes what it could decode.
test("kv put -base64 writes nothing if the data is not base64", async () => {
  const run = await runScripted({
    args: ["kv", "put", "-base64", "k", "aGk=!!"],
    answers: written,
  });
  expect(run).toMatchObject({
    exitCode: 1,
    stdout: "",
    stderr: "Error! Cannot base 64 decode data: illegal base64 data at input byte 4\n",
    requests: [],
  });
});

// Consul 1.8.7 prints the key in place of the error.
test("kv put -release says what went wrong", async () => {
  const run = await runScripted({
    args: ["kv", "put", "-release", "-session=s", "k"],
    answers: [{ status: 500, body: "No cluster leader" }],
  });
  expect(run.stderr).toBe(
    "Error! Failed writing data: Unexpected response code: 500 (No cluster leader)\n",
  );
});

// Consul 1.8.7 takes the flag and does not send it: without a leader there is then no list of nodes.
test.each([["nodes"], ["services"]])("catalog %s -stale asks any server", async (what) => {
  const run = await runScripted({ args: ["catalog", what, "-stale"] });
  expect(run.requests[0]?.request).toBe(`GET /v1/catalog/${what}?stale=`);
});

test("an answer that is not JSON is reported, not shown as empty", async () => {
  const run = await runScripted({
    args: ["catalog", "nodes"],
    answers: [{ status: 200, body: "<html>" }],
  });
  expect(run).toMatchObject({
    exitCode: 1,
    stderr: "Error listing nodes: invalid character '<' looking for beginning of value\n",
  });
});

test("members: clients, unknown roles, IPv6, and order", async () => {
  const member = (Name: string, Addr: string, Status: number, Tags: object): object => ({
    Name,
    Addr,
    Port: 8301,
    Status,
    Tags,
  });
  const run = await runScripted({
    args: ["members"],
    answers: [
      {
        status: 200,
        body: JSON.stringify([
          member("b", "::1", 4, { role: "node", build: "1.8.7:abc", vsn: "2", dc: "dc1" }),
          member("a", "10.0.0.1", 2, { role: "consul", build: "1.8.7", vsn: "2", dc: "dc1" }),
          member("c", "10.0.0.3", 9, {}),
        ]),
      },
    ],
  });
  expect(run.stdout.split("\n")).toEqual([
    "Node  Address        Status   Type     Build  Protocol  DC   Segment",
    "a     10.0.0.1:8301  leaving  server   1.8.7  2         dc1  <all>",
    "b     [::1]:8301     failed   client   1.8.7  2         dc1  <default>",
    "c     10.0.0.3:8301  unknown  unknown                        ",
    "",
  ]);
});

test.each([
  ["(", "missing closing ): `(`"],
  ["a)", "unexpected ): `a)`"],
  ["[a", "missing closing ]: `[a`"],
  ["*", "missing argument to repetition operator: `*`"],
])("members -status=%s", (pattern, reason) => {
  expect(() => compileStatusPattern(pattern)).toThrow(
    `Failed to compile status regexp: error parsing regexp: ${reason}`,
  );
});

test("validate says where a mistake is", async () => {
  const run = await runScripted({
    args: ["validate", "-config-format=json", "x.conf"],
    files: { "x.conf": '{\n  "server": tru }' },
  });
  expect(run.exitCode).toBe(1);
  expect(run.stderr).toMatch(
    /^Config validation failed: failed to parse x\.conf: invalid character .* \(line 2, column \d+\)\n$/,
  );
});

// Consul 1.8.7 loses the arguments of script checks on the way to the agent.
test("services register hands on everything that a check says, and no token", async () => {
  const check = { args: ["/bin/true", "x"], interval: "1m", timeout: "1500ms", id: "c1" };
  const run = await runScripted({
    args: ["services", "register", "web.json"],
    files: { "web.json": JSON.stringify({ service: { name: "web", token: "t", check } }) },
    answers: [{ status: 200, body: "" }],
  });
  expect(run).toMatchObject({ exitCode: 0, stderr: "" });
  expect(JSON.parse(run.requests[0]?.body ?? "")).toEqual({
    Name: "web",
    Weights: { Passing: 1, Warning: 1 },
    Check: null,
    Checks: [{ CheckID: "c1", ScriptArgs: ["/bin/true", "x"], Interval: "1m0s", Timeout: "1.5s" }],
  });
});

test("a bug of ours is reported with its stack, and the exit code is 1", async () => {
  let stderr = "";
  const exitCode = await runCli(["kv", "put", "k", "-"], {
    platform: simPlatform({ seed: 1 }),
    stdout: () => {},
    stderr: (text) => void (stderr += text),
    program: "rollcall",
    readStdin: () => Promise.reject(new TypeError("boom")),
    readLine: () => Promise.resolve(""),
    onSignal: () => ({ [Symbol.dispose]: () => {} }),
    startChild: () => Promise.reject(new Error("no program was scripted")),
  });
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^Internal error, please report it: TypeError: boom\n {4}at /);
});
