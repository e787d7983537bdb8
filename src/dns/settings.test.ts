/** What each setting of `dns_config` changes in answers, from its text in a configuration file on. */
import * as dnsPacket from "dns-packet";
import { expect, test } from "vitest";
import { loadConfig } from "../config/index.ts";
import { noLogger } from "../platform/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { createHandler } from "./handler.ts";
import {
  FakeCatalog,
  query,
  showMessage,
  testRecursors,
  type Registration,
  type ShownMessage,
} from "./testkit.ts";
import type { Transport } from "./truncate.ts";

const warning = (ServiceID: string) => ({
  CheckID: `of ${ServiceID}`,
  Status: "warning",
  ServiceID,
});
const CATALOG: readonly Registration[] = [
  {
    Node: "n1",
    Address: "10.0.0.1",
    NodeMeta: { rack: "r1" },
    Service: { Service: "web", Port: 80 },
  },
  {
    Node: "n2",
    Address: "10.0.0.2",
    Service: { Service: "web", Port: 80 },
    Checks: [warning("web")],
  },
  { Node: "n3", Address: "10.0.0.3", Service: { Service: "web", Port: 80 } },
  { Node: "n3", Address: "10.0.0.3", Service: { Service: "web-admin" } },
  { Node: "n3", Address: "10.0.0.3", Service: { Service: "db" } },
];

async function configured(hcl: string) {
  const platform = simPlatform({ seed: "settings" });
  const { config } = await loadConfig({ argv: ["-dev", `-hcl=${hcl}`], platform });
  const catalog = new FakeCatalog(CATALOG);
  const calls: object[] = [];
  const handle = createHandler({
    config: () => config,
    delegate: {
      call: (method, args) => {
        calls.push(args);
        return catalog.call(method, args);
      },
    },
    clock: platform.clock,
    random: platform.random,
    logger: noLogger,
    recursors: testRecursors(platform),
  });
  const bytes = async (
    name: string,
    type: string,
    { transport = "udp", edns }: Manner = {},
  ): Promise<Uint8Array> => {
    const asked = query(name, type, edns === undefined ? {} : { edns });
    const reply = (await handle(asked, transport)) ?? expect.fail("no reply");
    return transport === "tcp" ? reply.subarray(2) : reply;
  };
  return {
    platform,
    calls,
    bytes,
    ask: async (name: string, type: string, manner?: Manner): Promise<ShownMessage> =>
      showMessage(await bytes(name, type, manner)),
  };
}
interface Manner {
  readonly transport?: Transport;
  readonly edns?: number;
}
const TCP: Manner = { transport: "tcp" };
const EDNS: Manner = { edns: 1232 };

const ttls = ({ answer }: ShownMessage): number[] =>
  answer.map((line) => Number(line.split(" ")[1])).toSorted((a, b) => a - b);

test("dns_config.allow_stale false asks the leader", async () => {
  for (const [hcl, Consistency] of [
    ["", "stale"],
    ["dns_config { allow_stale = false }", "default"],
  ] as const) {
    const { ask, calls } = await configured(hcl);
    await ask("web.service.consul", "A");
    await ask("n1.node.consul", "A");
    await ask("consul", "NS");
    expect(calls).toHaveLength(3);
    for (const args of calls) expect(args).toMatchObject({ Consistency });
  }
});

test("dns_config.max_stale is how far a server may be behind", async () => {
  const { ask, calls } = await configured('dns_config { max_stale = "5s" }');
  await ask("web.service.consul", "A");
  await ask("n1.node.consul", "A");
  for (const args of calls) expect(args).toMatchObject({ Consistency: "stale", MaxStaleMs: 5000 });
});

test("dns_config.node_ttl is for nodes and addresses, also of instances", async () => {
  const { ask } = await configured('dns_config { node_ttl = "30s" }');
  expect(ttls(await ask("n1.node.consul", "ANY"))).toEqual([30, 30]);
  expect(ttls(await ask("0a000001.addr.consul", "A"))).toEqual([30]);
  expect(ttls(await ask("web.service.consul", "A"))).toEqual([0, 0, 0]);
});

test("dns_config.service_ttl is looked up by name, then by the longest prefix*, then by *", async () => {
  const { ask } = await configured(
    'dns_config { service_ttl { web = "10s", "w*" = "1s", "web*" = "20s", "*" = "5s" } }',
  );
  expect(ttls(await ask("web.service.consul", "A"))).toEqual([10, 10, 10]);
  expect(ttls(await ask("web-admin.service.consul", "A"))).toEqual([20]);
  expect(ttls(await ask("db.service.consul", "A"))).toEqual([5]);
  const srv = await ask("db.service.consul", "SRV");
  expect(ttls(srv)).toEqual([5]);
  expect(srv.additional).toEqual(["n3.node.dc1.consul. 5 IN A 10.0.0.3"]);
});

test("dns_config.only_passing leaves out what warns", async () => {
  const addresses = async (hcl: string) =>
    (await (await configured(hcl)).ask("web.service.consul", "A")).answer.length;
  expect(await addresses("")).toBe(3);
  expect(await addresses("dns_config { only_passing = true }")).toBe(2);
});

test("dns_config.a_record_limit holds for addresses on every transport, not for SRV", async () => {
  const { ask } = await configured("dns_config { a_record_limit = 2, enable_truncate = true }");
  for (const manner of [{}, EDNS, TCP]) {
    const { answer, flags } = await ask("web.service.consul", "A", manner);
    expect([answer.length, flags]).toEqual([2, "aa rd"]);
    expect((await ask("web.service.consul", "ANY", manner)).answer).toHaveLength(2);
    expect((await ask("web.service.consul", "SRV", manner)).answer).toHaveLength(3);
  }
});

test("dns_config.udp_answer_limit holds for plain UDP, and 0 is none", async () => {
  const { ask } = await configured("dns_config { udp_answer_limit = 1 }");
  for (const type of ["A", "SRV"]) {
    expect((await ask("web.service.consul", type)).answer).toHaveLength(1);
    expect((await ask("web.service.consul", type, EDNS)).answer).toHaveLength(3);
    expect((await ask("web.service.consul", type, TCP)).answer).toHaveLength(3);
  }
  const none = await configured("dns_config { udp_answer_limit = 0 }");
  expect((await none.ask("web.service.consul", "A")).answer).toEqual([]);
});

test("dns_config.enable_truncate says that something was left out", async () => {
  for (const [hcl, flags] of [
    ["udp_answer_limit = 1", "aa rd"],
    ["udp_answer_limit = 1, enable_truncate = true", "aa tc rd"],
  ]) {
    const { ask } = await configured(`dns_config { ${hcl} }`);
    expect((await ask("web.service.consul", "A")).flags).toBe(flags);
    expect((await ask("db.service.consul", "A")).flags).toBe("aa rd");
  }
});

test("dns_config.disable_compression writes every name out", async () => {
  const hasPointer = async (hcl: string, manner: Manner): Promise<boolean> => {
    const bytes = await (await configured(hcl)).bytes("web.service.consul", "SRV", manner);
    // No label of these names has 63 bytes, and no other byte is that large.
    return bytes.subarray(12).some((byte) => byte >= 0xc0);
  };
  for (const manner of [{}, TCP]) {
    expect(await hasPointer("", manner)).toBe(true);
    expect(await hasPointer("dns_config { disable_compression = true }", manner)).toBe(false);
  }
});

test("dns_config.enable_additional_node_meta_txt false: metadata only where it is asked for", async () => {
  const { ask } = await configured("dns_config { enable_additional_node_meta_txt = false }");
  const text = 'n1.node.consul. 0 IN TXT "rack=r1"';
  expect((await ask("n1.node.consul", "A")).additional).toEqual([]);
  expect((await ask("n1.node.consul", "TXT")).answer).toContain(text);
  expect((await ask("n1.node.consul", "ANY")).answer).toContain(text);
  const both = await configured("");
  expect((await both.ask("n1.node.consul", "A")).additional).toContain(text);
  for (const [by, count] of [
    [ask, 0],
    [both.ask, 1],
  ] as const) {
    const { additional } = await by("web.service.consul", "SRV", EDNS);
    expect(additional.filter((line) => line.includes("rack=r1"))).toHaveLength(count);
  }
});

test("dns_config.soa.refresh, dns_config.soa.retry, dns_config.soa.expire, dns_config.soa.min_ttl", async () => {
  const { ask } = await configured(
    "dns_config { soa { refresh = 1, retry = 2, expire = 3, min_ttl = 4 } }",
  );
  const soa = "consul. 4 IN SOA ns.consul. hostmaster.consul. 1 2 3 4";
  expect((await ask("consul", "SOA")).answer).toEqual([soa]);
  expect((await ask("ghost.service.consul", "A")).authority).toEqual([soa]);
});

test("dns_config.recursor_timeout is how long one has until the next is asked", async () => {
  const { platform, bytes } = await configured(
    'recursors = ["10.9.0.1", "10.9.0.2"], dns_config { recursor_timeout = "300ms" }',
  );
  const { network, clock } = platform;
  await network.bindDatagram({ host: "10.9.0.1", port: 53 }, () => {});
  const second = await network.bindDatagram({ host: "10.9.0.2", port: 53 }, (asked, from) => {
    const answer = asked.slice();
    answer.set([0x81, 0x80], 2);
    second.send(answer, { ...from });
  });
  let answered = false;
  const answer = bytes("example.com", "A").then((reply) => {
    answered = true;
    return reply;
  });
  await clock.run(290);
  expect(answered).toBe(false);
  await clock.run(20);
  expect(dnsPacket.decode(Buffer.from(await answer)).rcode).toBe("NOERROR");
});

test("domain and alt_domain are the names that are served", async () => {
  const { ask } = await configured('domain = "Here.", alt_domain = "there"');
  expect((await ask("n1.node.here", "A")).answer).toEqual(["n1.node.here. 0 IN A 10.0.0.1"]);
  expect((await ask("n1.node.there", "A")).answer).toEqual(["n1.node.there. 0 IN A 10.0.0.1"]);
  expect((await ask("n1.node.consul", "A")).rcode).toBe("REFUSED");
});
