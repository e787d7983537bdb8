/**
 * What each setting of a configuration file changes in a whole agent, as its clients see it. Those of DNS are in
 * `src/dns/settings.test.ts`.
 */
import { expect, test } from "vitest";
import { simPlatform } from "../platform/sim/index.ts";
import { headerOf } from "../http/testkit.ts";
import { wholeAgent, type WholeAgent } from "./testkit.ts";

const NODE_ID = "11111111-2222-4333-8444-555555555555";

interface Self {
  readonly Config: Readonly<Record<string, unknown>>;
  readonly DebugConfig: Readonly<Record<string, unknown>>;
  readonly Member: {
    readonly Addr: string;
    readonly Port: number;
    readonly Tags: Readonly<Record<string, string>>;
  };
  readonly Meta: Readonly<Record<string, string>>;
}
const selfOf = async ({ get }: WholeAgent): Promise<Self> => (await get("/v1/agent/self")) as Self;

interface CatalogNode {
  readonly Node: string;
  readonly ID: string;
  readonly Address: string;
  readonly Datacenter: string;
  readonly TaggedAddresses: Readonly<Record<string, string>>;
  readonly Meta: Readonly<Record<string, string>>;
}
/** The agent's own entry in the catalog, once it has told of itself. */
async function ownNode({ get, platform }: WholeAgent): Promise<CatalogNode> {
  for (let tries = 0; tries < 20; tries++) {
    const [node] = (await get("/v1/catalog/nodes")) as CatalogNode[];
    if (node !== undefined && "consul-network-segment" in (node.Meta ?? {})) return node;
    await platform.clock.run(1000);
  }
  return expect.fail("the agent is not in its catalog");
}

/** @returns the refusal */
const refused = (hcl: string, argv?: readonly string[]): Promise<string> =>
  wholeAgent(hcl, argv === undefined ? {} : { argv }).then(
    async (running) => {
      await running[Symbol.asyncDispose]();
      return "accepted";
    },
    (error: Error) => error.message,
  );

test("datacenter, primary_datacenter, node_name, node_id and node_meta say who the agent is", async () => {
  await using running = await wholeAgent(
    `datacenter = "Berlin", primary_datacenter = "main", node_name = "db-7", node_id = "${NODE_ID}"
     node_meta { rack = "r7" }`,
  );
  expect(await ownNode(running)).toMatchObject({
    Node: "db-7",
    ID: NODE_ID,
    Datacenter: "berlin",
    Meta: { rack: "r7" },
  });
  const { Config, DebugConfig, Meta } = await selfOf(running);
  expect(Config).toMatchObject({ NodeName: "db-7", NodeID: NODE_ID, Datacenter: "berlin" });
  expect(DebugConfig).toMatchObject({ PrimaryDatacenter: "main" });
  expect(Meta).toMatchObject({ rack: "r7" });
});

test("acl_datacenter is the old name of primary_datacenter", async () => {
  await using running = await wholeAgent('acl_datacenter = "main"');
  expect((await selfOf(running)).DebugConfig).toMatchObject({ PrimaryDatacenter: "main" });
  expect(running.lines.join("\n")).toContain("The 'acl_datacenter' field is deprecated.");
});

test("server: whether an agent is one; bootstrap and bootstrap_expect say who begins a cluster", async () => {
  const argv = ["-bind=127.0.0.1", "-data-dir=/data"];
  {
    await using client = await wholeAgent("", { argv });
    expect((await selfOf(client)).Member.Tags).toMatchObject({ role: "node" });
    expect((await client.send({ path: "/v1/kv/a" })).body).toBe("No known Consul servers");
  }
  {
    await using one = await wholeAgent("server = true, bootstrap_expect = 3", { argv });
    expect((await selfOf(one)).Member.Tags).toMatchObject({ expect: "3" });
  }
  for (const alone of ["bootstrap = true", "bootstrap_expect = 1"]) {
    await using running = await wholeAgent(`server = true, ${alone}`, { argv });
    expect((await selfOf(running)).Member.Tags).toMatchObject({ bootstrap: "1" });
  }
});

test("data_dir keeps the node's ID and the agent's own services", async () => {
  const platform = simPlatform({ seed: "data", hostname: "n1" });
  const settings = 'server = true, bootstrap = true, data_dir = "/data"';
  const argv = ["-bind=127.0.0.1"];
  let id: unknown;
  {
    await using first = await wholeAgent(settings, { platform, argv });
    await platform.clock.until(first.put("/v1/agent/service/register", { Name: "web" }));
    id = (await selfOf(first)).Config["NodeID"];
  }
  await using again = await wholeAgent(settings, { platform, argv });
  expect((await selfOf(again)).Config["NodeID"]).toBe(id);
  expect(await again.get("/v1/agent/services")).toHaveProperty("web");
});

test("bind_addr, advertise_addr and advertise_addr_wan are where others find the agent", async () => {
  await using running = await wholeAgent(
    'advertise_addr = "192.0.2.1", advertise_addr_wan = "198.51.100.1"',
  );
  const node = await ownNode(running);
  expect(node.Address).toBe("192.0.2.1");
  expect(node.TaggedAddresses).toEqual({
    lan: "192.0.2.1",
    lan_ipv4: "192.0.2.1",
    wan: "198.51.100.1",
    wan_ipv4: "198.51.100.1",
  });
  const wan = (await running.get("/v1/agent/members?wan=1")) as Self["Member"][];
  expect([(await selfOf(running)).Member.Addr, wan[0]?.Addr]).toEqual([
    "192.0.2.1",
    "198.51.100.1",
  ]);
  await using bound = await wholeAgent('bind_addr = "127.0.0.9"', { argv: ["-dev"] });
  expect((await ownNode(bound)).Address).toBe("127.0.0.9");
});

test("advertise_addr_ipv4, advertise_addr_ipv6, advertise_addr_wan_ipv4, advertise_addr_wan_ipv6 and tagged_addresses are tags", async () => {
  await using running = await wholeAgent(
    `advertise_addr_ipv4 = "192.0.2.4", advertise_addr_ipv6 = "2001:db8::6"
     advertise_addr_wan_ipv4 = "198.51.100.4", advertise_addr_wan_ipv6 = "2001:db8:1::6"
     tagged_addresses { backup = "203.0.113.9" }`,
  );
  expect((await ownNode(running)).TaggedAddresses).toEqual({
    lan: "127.0.0.1",
    lan_ipv4: "192.0.2.4",
    lan_ipv6: "2001:db8::6",
    wan: "127.0.0.1",
    wan_ipv4: "198.51.100.4",
    wan_ipv6: "2001:db8:1::6",
    backup: "203.0.113.9",
  });
});

test("client_addr, addresses.http, addresses.dns, ports.http and ports.dns are where clients find it", async () => {
  const started = ({ lines }: WholeAgent): string[] =>
    lines.flatMap(
      (line) =>
        /Started (\w+) server: address=(\S+) network=(\w+)/.exec(line)?.slice(1).join(" ") ?? [],
    );
  await using running = await wholeAgent(
    'client_addr = "127.0.0.2 127.0.0.3", ports { http = 80, dns = 53 }',
  );
  expect(started(running)).toEqual([
    "DNS 127.0.0.2:53 udp",
    "DNS 127.0.0.2:53 tcp",
    "DNS 127.0.0.3:53 udp",
    "DNS 127.0.0.3:53 tcp",
    "HTTP 127.0.0.2:80 tcp",
    "HTTP 127.0.0.3:80 tcp",
  ]);
  expect((await running.send({ path: "/v1/status/leader" }, "127.0.0.3")).status).toBe(200);
  await using apart = await wholeAgent(
    'addresses { http = "127.0.0.4", dns = "127.0.0.5" }, ports { dns = 54 }',
  );
  expect(started(apart)).toEqual([
    "DNS 127.0.0.5:54 udp",
    "DNS 127.0.0.5:54 tcp",
    "HTTP 127.0.0.4:8500 tcp",
  ]);
  await using silent = await wholeAgent("ports { http = -1, dns = 0 }");
  expect(started(silent)).toEqual([]);
});

test("unix_sockets.user, unix_sockets.group and unix_sockets.mode say whose a socket file is", async () => {
  const platform = simPlatform({ seed: "sockets", hostname: "n1" });
  const { network } = platform;
  const listened: object[] = [];
  const listen = network.listen.bind(network);
  network.listen = (local, accept) => {
    listened.push(local);
    return listen(local, accept);
  };
  await using _running = await wholeAgent(
    `addresses { http = "unix:///run/a.sock" }
     unix_sockets { user = "consul", group = "998", mode = "770" }`,
    { platform },
  );
  const access = { user: "consul", group: "998", mode: "770" };
  expect(listened).toContainEqual({ path: "/run/a.sock", access });
});

test("ports.serf_lan, ports.serf_wan and ports.server are told to others", async () => {
  await using running = await wholeAgent("ports { serf_lan = 1, serf_wan = 2, server = 3 }");
  const { Member } = await selfOf(running);
  expect(Member).toMatchObject({ Port: 1, Tags: { port: "3", wan_join_port: "2" } });
  expect(await running.get("/v1/status/leader")).toBe("127.0.0.1:3");
});

test("translate_wan_addrs is told to clients", async () => {
  await using running = await wholeAgent("translate_wan_addrs = true");
  const answer = await running.send({ path: "/v1/catalog/nodes" });
  expect(headerOf(answer, "X-Consul-Translate-Addresses")).toBe("true");
});

test("http_config.block_endpoints, http_config.response_headers and http_config.allow_write_http_from", async () => {
  await using running = await wholeAgent(
    `http_config {
       block_endpoints = ["/v1/agent/self"], response_headers { x-site = "b" }
       allow_write_http_from = ["10.0.0.0/8"]
     }`,
  );
  expect((await running.send({ path: "/v1/agent/self" })).status).toBe(403);
  const answer = await running.send({ path: "/v1/status/leader" });
  expect([answer.status, headerOf(answer, "X-Site")]).toEqual([200, "b"]);
  const write = { method: "PUT", path: "/v1/kv/a", body: "1" };
  expect((await running.send(write)).body).toBe("Access is restricted");
  await using open = await wholeAgent(
    'http_config { allow_write_http_from = ["10.0.0.0/8", "127.0.0.0/8"] }',
  );
  expect((await open.send(write)).status).toBe(200);
});

test("http_config.use_cache false answers ?cached as if it were not there", async () => {
  const cacheOf = async ({ send }: WholeAgent): Promise<string | undefined> =>
    headerOf(await send({ path: "/v1/health/service/consul?cached" }), "X-Cache");
  await using usual = await wholeAgent("");
  expect([await cacheOf(usual), await cacheOf(usual)]).toEqual(["MISS", "HIT"]);
  await using without = await wholeAgent("http_config { use_cache = false }");
  expect([await cacheOf(without), await cacheOf(without)]).toEqual([undefined, undefined]);
});

test("http_config.max_header_bytes bounds a request's head", async () => {
  await using running = await wholeAgent("http_config { max_header_bytes = 1000 }");
  const status = async (length: number): Promise<number> =>
    (await running.send({ path: "/v1/status/leader", headers: { "X-A": "a".repeat(length) } }))
      .status;
  expect([await status(100), await status(2000)]).toEqual([200, 431]);
});

test("disable_http_unprintable_char_filter lets such paths through", async () => {
  const path = "/v1/kv/a%01";
  await using strict = await wholeAgent("");
  expect((await strict.send({ path })).status).toBe(400);
  await using lenient = await wholeAgent("disable_http_unprintable_char_filter = true");
  expect((await lenient.send({ path })).status).toBe(404);
});

test("default_query_time and max_query_time bound how long a query is held", async () => {
  await using running = await wholeAgent('default_query_time = "20s", max_query_time = "60s"');
  const { clock } = running.platform;
  await running.put("/v1/kv/a", "1");
  const heldMs = async (wait: string): Promise<number> => {
    const beganAt = clock.now();
    let heldUntil = 0;
    const answer = running.send({ path: `/v1/kv/a?index=999${wait}` }).then(() => {
      heldUntil = clock.now();
    });
    await clock.run(80_000);
    await answer;
    return heldUntil - beganAt;
  };
  // A sixteenth more at most is added by chance.
  const within = async (wait: string, ms: number): Promise<void> => {
    const held = await heldMs(wait);
    expect(held).toBeGreaterThanOrEqual(ms);
    expect(held).toBeLessThanOrEqual(ms * (17 / 16) + 1);
  };
  await within("", 20_000);
  await within("&wait=10m", 60_000);
});

test("discovery_max_stale lets any server answer about the catalog", async () => {
  await using running = await wholeAgent('discovery_max_stale = "5s"');
  const modeOf = async (path: string): Promise<string | undefined> =>
    headerOf(await running.send({ path }), "X-Consul-Effective-Consistency");
  expect(await modeOf("/v1/catalog/nodes")).toBe("stale");
  expect(await modeOf("/v1/catalog/nodes?consistent")).toBe("consistent");
  await using strict = await wholeAgent("");
  expect(
    headerOf(await strict.send({ path: "/v1/catalog/nodes" }), "X-Consul-Effective-Consistency"),
  ).toBe("leader");
});

test("session_ttl_min is the shortest TTL of a session", async () => {
  await using running = await wholeAgent('session_ttl_min = "30s"');
  await ownNode(running);
  const create = (TTL: string) =>
    running.send({ method: "PUT", path: "/v1/session/create", body: JSON.stringify({ TTL }) });
  expect((await create("29s")).body).toContain("must be between [30s=24h0m0s]");
  expect((await create("30s")).status).toBe(200);
});

test("limits.http_max_conns_per_client, limits.kv_max_value_size and limits.txn_max_req_len", async () => {
  await using running = await wholeAgent(
    "limits { http_max_conns_per_client = 1, kv_max_value_size = 10, txn_max_req_len = 200 }",
  );
  const put = async (path: string, body: string) =>
    (await running.send({ method: "PUT", path, body })).status;
  expect([await put("/v1/kv/a", "x".repeat(10)), await put("/v1/kv/a", "x".repeat(11))]).toEqual([
    200, 413,
  ]);
  expect([
    await put("/v1/txn", `[]${" ".repeat(198)}`),
    await put("/v1/txn", `[]${" ".repeat(199)}`),
  ]).toEqual([200, 413]);
  const { network, clock } = running.platform;
  await clock.settle();
  const { signal } = new AbortController();
  const first = await network.connect({ host: "127.0.0.1", port: 8500 }, { signal });
  await expect(running.send({ path: "/v1/status/leader" })).rejects.toThrow("no HTTP response");
  first.destroy();
  await clock.settle();
  expect((await running.send({ path: "/v1/status/leader" })).status).toBe(200);
});

test("service, services, check and checks are registered", async () => {
  await using running = await wholeAgent(
    `service { name = "one" }, services = [{ name = "two" }, { name = "three" }]
     check { id = "a", name = "a", ttl = "1m" }, checks = [{ id = "b", name = "b", ttl = "1m" }]`,
  );
  expect(Object.keys((await running.get("/v1/agent/services")) as object).toSorted()).toEqual([
    "one",
    "three",
    "two",
  ]);
  expect(Object.keys((await running.get("/v1/agent/checks")) as object).toSorted()).toEqual([
    "a",
    "b",
  ]);
});

async function outputOf({ get }: WholeAgent, where: "agent" | "catalog"): Promise<string> {
  if (where === "agent") {
    const checks = (await get("/v1/agent/checks")) as Record<string, { Output: string }>;
    return checks["a"]?.Output ?? "";
  }
  const [check] = (await get("/v1/health/node/n1?filter=CheckID==a")) as { Output: string }[];
  return check?.Output ?? "";
}
const TTL_CHECK = 'check { id = "a", name = "a", ttl = "1h", status = "passing" }';
const tell = (running: WholeAgent, Output: string): Promise<void> =>
  running.put("/v1/agent/check/update/a", { Status: "passing", Output });

test("check_output_max_size is how much is kept of a check's output", async () => {
  await using running = await wholeAgent(`check_output_max_size = 4, ${TTL_CHECK}`);
  await tell(running, "abcdefgh");
  expect(await outputOf(running, "agent")).toBe("abcd ... (captured 4 of 8 bytes)");
});

test("check_update_interval is how long an output alone may wait; 0s is not at all", async () => {
  await using running = await wholeAgent(`check_update_interval = "10s", ${TTL_CHECK}`);
  await ownNode(running);
  await tell(running, "news");
  expect(await outputOf(running, "catalog")).toBe("");
  await running.platform.clock.run(15_000);
  expect(await outputOf(running, "catalog")).toBe("news");
  await using eager = await wholeAgent(`check_update_interval = "0s", ${TTL_CHECK}`);
  await ownNode(eager);
  await tell(eager, "news");
  await eager.platform.clock.run(0);
  expect(await outputOf(eager, "catalog")).toBe("news");
});

test("discard_check_output keeps none", async () => {
  await using running = await wholeAgent(`discard_check_output = true, ${TTL_CHECK}`);
  await tell(running, "news");
  expect(await outputOf(running, "agent")).toBe("");
});

test("enable_script_checks and enable_local_script_checks say whose scripts are run", async () => {
  const script = 'check { id = "s", name = "s", args = ["/bin/true"], interval = "10s" }';
  const remote = { Name: "r", Args: ["/bin/true"], Interval: "10s" };
  const asked = { method: "PUT", path: "/v1/agent/check/register", body: JSON.stringify(remote) };
  expect(await refused(script)).toContain("Scripts are disabled on this agent;");
  await using local = await wholeAgent(`enable_local_script_checks = true, ${script}`);
  expect((await local.send(asked)).body).toContain(
    "Scripts are disabled on this agent from remote calls;",
  );
  await using both = await wholeAgent(`enable_script_checks = true, ${script}`);
  expect((await both.send(asked)).status).toBe(200);
});

test("disable_coordinates takes network coordinates away", async () => {
  await using running = await wholeAgent("disable_coordinates = true");
  expect((await running.send({ path: "/v1/coordinate/nodes" })).body).toContain("disabled");
});

test("log_level and log_json are how it logs", async () => {
  await using running = await wholeAgent('log_level = "warn", log_json = true, bootstrap = true');
  expect(running.lines.length).toBeGreaterThan(0);
  for (const line of running.lines) {
    expect(JSON.parse(line)).toMatchObject({
      "@level": expect.stringMatching(/warn|error/) as string,
    });
  }
});

test("acl_enforce_version_8 is only warned of", async () => {
  await using running = await wholeAgent("acl_enforce_version_8 = true");
  expect(running.lines.join("\n")).toContain(
    'config key "acl_enforce_version_8" is deprecated and should be removed',
  );
});

test("telemetry.prefix_filter, telemetry.filter_default and telemetry.disable_hostname say what is measured, by which name", async () => {
  const namesWith = async (hcl: string): Promise<readonly string[]> => {
    // The host is named where the metrics of several may come together.
    await using running = await wholeAgent(
      `telemetry { prometheus_retention_time = "1m", ${hcl} }`,
    );
    await running.put("/v1/kv/a", "1");
    const { Gauges, Counters, Samples } = (await running.get("/v1/agent/metrics")) as Record<
      string,
      { Name: string }[]
    >;
    return [...(Gauges ?? []), ...(Counters ?? []), ...(Samples ?? [])].map(({ Name }) => Name);
  };
  const usual = await namesWith("");
  expect(usual).toContain("consul.n1.runtime.alloc_bytes");
  expect(await namesWith("disable_hostname = true")).toContain("consul.runtime.alloc_bytes");
  const without = await namesWith('disable_hostname = true, prefix_filter = ["-consul.runtime"]');
  expect(without.filter((name) => name.startsWith("consul.runtime"))).toEqual([]);
  expect(without.length).toBeGreaterThan(0);
  const only = await namesWith(
    'disable_hostname = true, filter_default = false, prefix_filter = ["+consul.runtime"]',
  );
  expect(only.length).toBeGreaterThan(0);
  expect(only.filter((name) => !name.startsWith("consul.runtime"))).toEqual([]);
});

test("telemetry.statsd_address, telemetry.statsite_address, telemetry.dogstatsd_addr and telemetry.dogstatsd_tags are where metrics are sent", async () => {
  const platform = simPlatform({ seed: "metrics", hostname: "n1" });
  const { network, clock } = platform;
  const heard = { statsd: "", statsite: "", dogstatsd: "" };
  await network.bindDatagram({ host: "127.0.0.1", port: 8125 }, (bytes) => {
    heard.statsd += Buffer.from(bytes).toString();
  });
  await network.bindDatagram({ host: "127.0.0.1", port: 8126 }, (bytes) => {
    heard.dogstatsd += Buffer.from(bytes).toString();
  });
  await network.listen({ host: "127.0.0.1", port: 8127 }, (stream) => {
    stream.on("data", (bytes: Buffer) => (heard.statsite += bytes.toString()));
  });
  await using running = await wholeAgent(
    `telemetry {
       statsd_address = "127.0.0.1:8125", dogstatsd_addr = "127.0.0.1:8126"
       statsite_address = "127.0.0.1:8127", dogstatsd_tags = ["site:b"]
     }`,
    { platform },
  );
  await running.put("/v1/kv/a", "1");
  await clock.run(12_000);
  expect(heard.statsd).toMatch(/^consul\.\S*kvs\.apply\S*:[\d.]+\|ms$/m);
  expect(heard.statsite).toMatch(/^consul\.\S*kvs\.apply\S*:[\d.]+\|ms$/m);
  expect(heard.dogstatsd).toMatch(/^consul\.\S*kvs\.apply\S*:[\d.]+\|ms\|#\S*site:b/m);
});

test("telemetry.metrics_prefix and telemetry.prometheus_retention_time", async () => {
  await using running = await wholeAgent(
    'telemetry { metrics_prefix = "site", prometheus_retention_time = "1m" }',
  );
  const { body } = await running.send({ path: "/v1/agent/metrics?format=prometheus" });
  expect(body).toMatch(/^site_/m);
  await using without = await wholeAgent("");
  expect((await without.send({ path: "/v1/agent/metrics?format=prometheus" })).status).toBe(415);
});

test("a reload takes over what Consul's does, and leaves the rest as it was at the start", async () => {
  const platform = simPlatform({ seed: "reload", hostname: "n1" });
  await platform.disk.makeDirectory("/etc");
  const configure = (text: string): Promise<void> =>
    platform.disk.replace("/etc/a.hcl", new TextEncoder().encode(text));
  await configure('node_meta { rack = "r1" }');
  const argv = ["-dev", "-bind=127.0.0.1", "-config-file=/etc/a.hcl"];
  await using running = await wholeAgent("", { platform, argv });
  await configure(
    `node_meta { rack = "r2" }, dns_config { node_ttl = "9s", only_passing = true }
     recursors = ["10.9.0.1"], discard_check_output = true, discovery_max_stale = "5s"
     limits { http_max_conns_per_client = 7, kv_max_value_size = 3 }
     log_level = "warn", node_name = "other", http_config { block_endpoints = ["/v1/kv"] }
     service { name = "new" }`,
  );
  await running.agent.reload();
  expect((await ownNode(running)).Meta).toMatchObject({ rack: "r2" });
  expect(running.agent.config).toMatchObject({
    nodeMeta: { rack: "r2" },
    dns: { nodeTtlS: 9, onlyPassing: true, recursion: { recursors: ["10.9.0.1"] } },
    discardCheckOutput: true,
    discoveryMaxStaleMs: 5000,
    limits: { httpMaxConnsPerClient: 7, kvMaxValueSizeBytes: 524_288 },
    logLevel: "WARN",
    nodeName: "n1",
    http: { blockEndpoints: [] },
  });
  expect(await running.get("/v1/agent/services")).toHaveProperty("new");
  expect(
    (await running.send({ method: "PUT", path: "/v1/kv/a", body: "long enough" })).status,
  ).toBe(200);
});
