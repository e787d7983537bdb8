import { expect, test } from "vitest";
import { nodePlatform } from "../platform/node/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { agentFlags } from "./agent-flags.ts";
import { parseFlags } from "./flags.ts";
import { KEYS } from "./keys.ts";
import { loadConfig, loadDefinitions, validateConfig } from "./load.ts";
import { machine, PRIVATE_ADDRESS } from "./testkit.ts";

async function load(argv: readonly string[], files: Readonly<Record<string, string>> = {}) {
  return loadConfig({ argv, platform: await machine(files) });
}
const refusal = (argv: readonly string[], files: Readonly<Record<string, string>> = {}) =>
  load(argv, files).then(
    () => "accepted",
    (error: Error) => error.message,
  );

test("a server with nothing but a data directory", async () => {
  const { config, warnings } = await load(["-server", "-data-dir=/data"]);
  expect(config).toMatchObject({
    devMode: false,
    server: true,
    bootstrap: false,
    bootstrapExpect: 0,
    datacenter: "dc1",
    primaryDatacenter: "dc1",
    nodeName: "host-1",
    nodeId: "",
    dataDir: "/data",
    bindAddr: "0.0.0.0",
    advertiseAddr: PRIVATE_ADDRESS,
    advertiseAddrWan: PRIVATE_ADDRESS,
    taggedAddresses: {
      lan: PRIVATE_ADDRESS,
      lan_ipv4: PRIVATE_ADDRESS,
      wan: PRIVATE_ADDRESS,
      wan_ipv4: PRIVATE_ADDRESS,
    },
    clientAddrs: ["127.0.0.1"],
    httpAddrs: ["127.0.0.1"],
    dnsAddrs: ["127.0.0.1"],
    ports: {
      dns: 8600,
      http: 8500,
      https: -1,
      grpc: -1,
      serfLan: 8301,
      serfWan: 8302,
      server: 8300,
    },
    dnsDomain: "consul.",
    dns: {
      maxStaleMs: 87600 * 3600 * 1000,
      nodeTtlS: 0,
      serviceTtlS: {},
      udpAnswerLimit: 3,
      soa: { refreshS: 3600, retryS: 600, expireS: 86400, minTtlS: 0 },
    },
    limits: { httpMaxConnsPerClient: 200, kvMaxValueSizeBytes: 524288, txnMaxReqLenBytes: 524288 },
    defaultQueryTimeMs: 300_000,
    maxQueryTimeMs: 600_000,
    sessionTtlMinMs: 10_000,
    checkUpdateIntervalMs: 300_000,
    rpcHoldTimeoutMs: 7000,
    leaveOnTerminate: false,
    skipLeaveOnInterrupt: true,
    logLevel: "INFO",
    services: [],
    checks: [],
  });
  expect(warnings).toEqual([]);
});

test("-dev needs nothing, and listens to itself", async () => {
  const { config } = await load(["-dev"]);
  expect(config).toMatchObject({
    devMode: true,
    server: true,
    ui: true,
    enableDebug: true,
    logLevel: "DEBUG",
    bindAddr: "127.0.0.1",
    advertiseAddr: "127.0.0.1",
    dataDir: "",
  });
  expect((await load(["-dev", "-log-level=warn", "-bind=127.0.0.2"])).config).toMatchObject({
    logLevel: "WARN",
    bindAddr: "127.0.0.2",
  });
});

test("every place that a key lands in is filled, and nothing is undefined", async () => {
  const { config } = await load(["-dev"]);
  const missing: string[] = [];
  const visit = (value: unknown, path: string): void => {
    if (value === undefined || (typeof value === "number" && Number.isNaN(value)))
      missing.push(path);
    if (typeof value !== "object" || value === null) return;
    for (const [key, item] of Object.entries(value)) visit(item, `${path}.${key}`);
  };
  visit(config, "config");
  expect(missing).toEqual([]);
  for (const { effect } of KEYS) {
    if (effect.kind === "lands") expect(config).toHaveProperty(effect.into);
  }
});

test("recursors are expanded, each once, and none may be every address", async () => {
  const recursors = [
    "-recursor=10.0.0.2",
    "-recursor={{ GetPrivateIP }} 10.0.0.2",
    "-recursor=[::1]:54",
  ];
  const { config, warnings } = await load(["-dev", ...recursors]);
  expect(config.dns.recursion).toEqual({
    recursors: ["10.0.0.2", PRIVATE_ADDRESS, "[::1]:54"],
    timeoutMs: 2000,
    strategy: "sequential",
  });
  expect(warnings.filter((line) => line.includes("recursor"))).toEqual([]);
  await expect(load(["-dev", "-recursor=::"])).rejects.toThrow("DNS recursor address cannot be");
});

test("each key has one row", () => {
  const keys = KEYS.map(({ key }) => key);
  expect(keys.length - new Set(keys).size).toBe(0);
});

test("sources: lists from flags come first, files in order, flags over files, -hcl over all", async () => {
  const { config } = await load(
    [
      "-config-file=/b.json",
      "-allow-write-http-from=10.1.0.0/16",
      "-config-dir=/dir",
      "-node=flag",
      "-node-meta=b:flag",
      "-data-dir=/data",
      "-hcl",
      'log_level = "warn"',
      "-log-level=err",
      '-hcl=http_config { allow_write_http_from = ["10.4.0.0/16"] }',
    ],
    {
      "/b.json":
        '{"node_name": "b", "datacenter": "one", "http_config": {"allow_write_http_from": ["10.2.0.0/16"]}, "ports": {"http": 1}}',
      "/dir/2.hcl":
        'datacenter = "THREE"\nports { dns = 3 }\nhttp_config { allow_write_http_from = ["10.3.0.0/16"] }',
      "/dir/1.json":
        '{"datacenter": "two", "node_meta": {"a": "1", "b": "1"}, "ports": {"dns": 2}}',
      "/dir/sub/9.json": '{"unread": true}',
    },
  );
  expect(config).toMatchObject({
    nodeName: "flag",
    datacenter: "three",
    nodeMeta: { a: "1", b: "flag" },
    logLevel: "WARN",
    ports: { http: 1, dns: 3 },
    http: { allowWriteHttpFrom: ["10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16", "10.4.0.0/16"] },
  });
});

test("files with other extensions are skipped with a warning, or read as -config-format says", async () => {
  const files = { "/dir/a.conf": 'data_dir = "/data"', "/dir/b.hcl": 'node_name = "b"' };
  const { warnings } = await load(["-config-dir=/dir", "-data-dir=/d"], files);
  expect(warnings).toEqual([
    "skipping file /dir/a.conf, extension must be .hcl or .json, or config format must be set",
  ]);
  const { config } = await load(["-config-dir=/dir", "-config-format=hcl"], files);
  expect(config.dataDir).toBe("/data");
});

// As `consul agent` 1.8.7 says, after `==> `.
test.each<[argv: string, message: string]>([
  ["", "data_dir cannot be empty"],
  ["foo -zz", "Unexpected extra arguments: [foo -zz]"],
  ["-- -foo", "Unexpected extra arguments: [-foo]"],
  ["-config-format=xx", "config: -config-format must be either 'hcl' or 'json'"],
  ["-config-file=/nope", "config: Open failed on /nope. open /nope: no such file or directory"],
  ["-config-dir=/nope", "config: Open failed on /nope. open /nope: no such file or directory"],
  ["-dev -bootstrap-expect=3", "'bootstrap_expect > 0' not allowed in dev mode"],
  [
    "-dev -log-level=zz",
    "Invalid log level: zz. Valid log levels are: [TRACE DEBUG INFO WARN ERR ERROR]",
  ],
  [
    "-dev -node-id=x",
    "failed to setup node ID: specified NodeID is invalid: uuid string is wrong length",
  ],
  [
    "-dev -hcl foo=1",
    "failed to parse flags-0.hcl: 1 error occurred:\n\t* invalid config key foo\n\n",
  ],
  [
    "-dev -hcl port{} -hcl x",
    "failed to parse flags-0.hcl: 1 error occurred:\n\t* invalid config key port (did you mean ports?)\n\n",
  ],
  [
    "-dev -hcl= -hcl x",
    "failed to parse flags-1.hcl: At 1:3: key 'x' expected start of object ('{') or assignment ('=')",
  ],
  ["-dev -bind=nope", "bind_addr cannot be empty"],
  ["-dev -bind={{GetPrivateIPx}}", "bind_addr cannot be empty"],
  ["-data-dir=/file.hcl", 'data_dir "/file.hcl" is not a directory'],
])("%s is refused: %s", async (argv, message) => {
  const words = argv.split(" ").filter((word) => word !== "");
  expect(await refusal(words, { "/file.hcl": "" })).toBe(message);
});

test("what validate lets pass, as Consul's does, the start refuses", async () => {
  const platform = await machine({ "/a.hcl": 'data_dir = "/d" log_level = "zz" node_id = "x"' });
  expect(await validateConfig(["/a.hcl"], { platform })).toEqual([]);
});

test.each<[hcl: string, warnings: readonly string[]]>([
  [
    "peering { enabled = true }",
    ['config key "peering.enabled" is known but has no effect in this version'],
  ],
  ["peering { enabled = false }", []],
  [
    "acl { enabled = true }",
    [
      'config key "acl.enabled" is known but has no effect in this version: requests are not authorized',
    ],
  ],
  ["acl { enabled = false }", []],
  [
    "ports { https = 8501 }",
    ['config key "ports.https" is known but has no effect in this version'],
  ],
  ["disable_update_check = true", []],
  [
    "non_voting_server = true",
    ['"non_voting_server" is a Consul Enterprise configuration and will have no effect'],
  ],
])("%s is warned of", async (hcl, warnings) => {
  expect((await load(["-data-dir=/d", "-hcl", hcl])).warnings).toEqual(warnings);
});

test.each([
  ["-bind={{ GetPrivateIP }}", PRIVATE_ADDRESS, PRIVATE_ADDRESS],
  ['-bind={{ GetInterfaceIP "eth0" }}', PRIVATE_ADDRESS, PRIVATE_ADDRESS],
  ["-bind=127.0.0.1 -advertise=192.0.2.1", "127.0.0.1", "192.0.2.1"],
  ["-bind=::1", "::1", "::1"],
])("%s binds %s, advertises %s", async (argv, bindAddr, advertiseAddr) => {
  const [bind = "", ...more] = argv.split(/ (?=-)/);
  const { config } = await load(["-data-dir=/d", bind, ...more]);
  expect(config).toMatchObject({ bindAddr, advertiseAddr });
});

test("two private addresses: which one is for the operator to say", async () => {
  const platform = await machine();
  platform.network.addInterface({ name: "eth1", address: "192.168.0.9", internal: false });
  await expect(loadConfig({ argv: ["-data-dir=/d"], platform })).rejects.toThrow(
    "Multiple private IPv4 addresses found. Please configure one with 'bind' and/or 'advertise'.",
  );
});

test.each<[addresses: readonly string[], advertised: string]>([
  [["192.0.2.2"], "192.0.2.2"],
  [["8.8.8.8", "10.0.0.7"], "10.0.0.7"],
  // Loopback counts where there is nothing else.
  [[], "127.0.0.1"],
])("a machine with %j advertises %s", async (addresses, advertised) => {
  const platform = simPlatform({ seed: "config", hostname: "host-1" });
  for (const address of addresses) {
    platform.network.addInterface({ name: "eth0", address, internal: false });
  }
  const { config } = await loadConfig({ argv: ["-data-dir=/d"], platform });
  expect(config.advertiseAddr).toBe(advertised);
});

test.each(["203.0.113.5", "fd00::1"])(
  "a machine with only %s has no private address",
  async (address) => {
    const platform = simPlatform({ seed: "config", hostname: "host-1" });
    platform.network.addInterface({ name: "eth0", address, internal: false });
    await expect(loadConfig({ argv: ["-data-dir=/d"], platform })).rejects.toThrow(
      "No private IPv4 address found",
    );
  },
);

test("flags already parsed are taken as they are", async () => {
  const flags = parseFlags(agentFlags, ["-dev", "-node", "n"]);
  const { config } = await loadConfig({ flags, platform: await machine() });
  expect(config.nodeName).toBe("n");
});

const WEB_SERVER = new URL("testdata/web-server", import.meta.url).pathname;

test("the example directory, from a real disk", async () => {
  const { network, host } = await machine();
  const platform = { disk: nodePlatform().disk, network, host };
  const { config, warnings } = await loadConfig({ argv: ["-config-dir", WEB_SERVER], platform });
  expect(warnings).toEqual([
    `skipping file ${WEB_SERVER}/notes.txt, extension must be .hcl or .json, or config format must be set`,
  ]);
  expect(config).toMatchObject({
    datacenter: "berlin",
    nodeName: "web-1",
    nodeMeta: { rack: "r7" },
    advertiseAddr: PRIVATE_ADDRESS,
    dns: { nodeTtlS: 30, serviceTtlS: { web: 5, "db*": 90 } },
    enableLocalScriptChecks: true,
    enableRemoteScriptChecks: false,
  });
  expect(config.services.map(({ Name, ID, Port, Weights }) => [Name, ID, Port, Weights])).toEqual([
    ["web", "", 80, { Passing: 10, Warning: 1 }],
    ["db", "db-1", 5432, { Passing: 1, Warning: 1 }],
    ["cache", "", 0, { Passing: 1, Warning: 1 }],
  ]);
  expect(config.services[0]?.Check).toMatchObject({
    HTTP: "http://localhost/healthy",
    Method: "HEAD",
    Header: { "X-Probe": ["rollcall"] },
    Interval: 10e9,
    Timeout: 2e9,
  });
  expect(config.services[1]?.Checks).toMatchObject([
    { Name: "port", TCP: "localhost:5432", Interval: 5e9 },
    { CheckID: "lag", Interval: 60e9, Notes: "Standbys only:\n  a primary has no lag.\n" },
  ]);
  expect(config.checks).toMatchObject([
    {
      CheckID: "disk",
      Name: "Disk space",
      ScriptArgs: ["/usr/local/bin/disk-space", "90"],
      Interval: 30e9,
      OutputMaxSize: 512,
    },
  ]);
  expect(await validateConfig([WEB_SERVER], { platform })).toEqual(warnings);
});

test("definitions alone, whatever else the files say", async () => {
  const { disk } = nodePlatform();
  const { services, checks } = await loadDefinitions([WEB_SERVER], disk);
  expect(services.map(({ Name }) => Name)).toEqual(["web", "db", "cache"]);
  expect(checks.map(({ CheckID }) => CheckID)).toEqual(["disk"]);
});
