/**
 * The usual set-up on a machine: dnsmasq listens where programs ask, and forwards what ends in `.consul`, and
 * reverse names, to the agent. And the other way round: the agent's recursor is a dnsmasq.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { decode, encode, type DecodedMessage } from "dns-packet";
import { expect, test } from "vitest";
import { Program, agentAt, eventually, http } from "./testkit.ts";

const AGENT = "127.0.0.125";
const FORWARDER = "127.0.0.126";
const UPSTREAM = "127.0.0.127";
const PORT = 18_125;

function dnsmasq(host: string, options: readonly string[]): Program {
  const quiet = ["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts"];
  const own = [`--listen-address=${host}`, `--port=${PORT}`, "--bind-interfaces", "--pid-file="];
  return new Program(["dnsmasq", ...quiet, ...own, "--user=", "--cache-size=0", ...options]);
}

function question(name: string, type: string): Buffer {
  return encode({
    type: "query",
    id: 77,
    flags: 0x100,
    questions: [{ name, type, class: "IN" }],
    additionals: [],
  });
}

async function overUdp(
  host: string,
  port: number,
  name: string,
  type = "A",
): Promise<DecodedMessage> {
  const socket = createSocket("udp4");
  try {
    socket.send(question(name, type), port, host);
    const [answer] = (await once(socket, "message", { signal: AbortSignal.timeout(3000) })) as [
      Buffer,
    ];
    return decode(answer);
  } finally {
    socket.close();
  }
}

async function overTcp(
  host: string,
  port: number,
  name: string,
  type = "A",
): Promise<DecodedMessage> {
  const asked = question(name, type);
  const stream = connect(port, host);
  stream.write(Buffer.concat([Buffer.from([asked.length >> 8, asked.length & 0xff]), asked]));
  let received = Buffer.alloc(0);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    received = Buffer.concat([received, chunk]);
    if (received.length > 2 && received.length >= 2 + received.readUInt16BE(0)) break;
  }
  return decode(received.subarray(2));
}

const data = ({ answers }: DecodedMessage): unknown[] =>
  answers.map((record) => (record.type === "OPT" ? undefined : record.data));

test("dnsmasq forwards the domain and reverse names to the agent", async () => {
  await using _agent = await agentAt(AGENT);
  await using forwarder = dnsmasq(FORWARDER, [
    `--server=/consul/${AGENT}#8600`,
    `--rev-server=10.7.0.0/16,${AGENT}#8600`,
  ]);
  for (let i = 1; i <= 40; i++) {
    const Service = { Service: "web", Port: 8000 + i };
    const body = JSON.stringify({ Node: `n${i}`, Address: `10.7.0.${i}`, Service });
    await http(AGENT, "/v1/catalog/register", { method: "PUT", body });
  }
  const node = await eventually(
    "dnsmasq answers",
    () => overUdp(FORWARDER, PORT, "n1.node.consul"),
    ({ rcode }) => rcode === "NOERROR",
  ).catch((error: unknown) => expect.fail(`${String(error)} ${forwarder.output}`));
  expect(data(node)).toEqual(["10.7.0.1"]);
  expect(data(await overTcp(FORWARDER, PORT, "web.service.consul"))).toHaveLength(40);
  const srv = await overUdp(FORWARDER, PORT, "_web._tcp.service.consul", "SRV");
  expect(data(srv)[0]).toMatchObject({ priority: 1, weight: 1 });
  expect(data(await overUdp(FORWARDER, PORT, "7.0.7.10.in-addr.arpa", "PTR"))).toEqual([
    "n7.node.dc1.consul",
  ]);
  const missing = await overUdp(FORWARDER, PORT, "ghost.service.consul");
  expect([missing.rcode, missing.authorities[0]?.type]).toEqual(["NXDOMAIN", "SOA"]);
});

test("the agent asks dnsmasq about other names, also where a service's address is one", async () => {
  await using _agent = await agentAt(AGENT, [`-recursor=${UPSTREAM}:${PORT}`]);
  await using upstream = dnsmasq(UPSTREAM, ["--address=/outside.test/198.51.100.7"]);
  const Service = { Service: "ext", Address: "db.outside.test" };
  const body = JSON.stringify({ Node: "n1", Address: "10.7.0.1", Service });
  await http(AGENT, "/v1/catalog/register", { method: "PUT", body });
  const first = await eventually(
    "dnsmasq answers the agent",
    () => overUdp(AGENT, 8600, "www.outside.test"),
    ({ rcode }) => rcode === "NOERROR",
  ).catch((error: unknown) => expect.fail(`${String(error)} ${upstream.output}`));
  expect(data(first)).toEqual(["198.51.100.7"]);
  expect(data(await overTcp(AGENT, 8600, "www.outside.test"))).toEqual(["198.51.100.7"]);
  expect(data(await overUdp(AGENT, 8600, "ext.service.consul"))).toEqual([
    "db.outside.test",
    "198.51.100.7",
  ]);
  const own = await overUdp(AGENT, 8600, "n1.node.consul");
  expect([own.flag_aa, own.flag_ra]).toEqual([true, true]);
});
