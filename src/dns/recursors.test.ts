/** Recursors as a client sees them: what is passed on, to whom, and what is believed of the answers. */
import * as fc from "fast-check";
import * as dnsPacket from "dns-packet";
import { expect, onTestFinished, test } from "vitest";
import { noLogger, type LogFields } from "../platform/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { parseRecursor } from "./recursor-address.ts";
import { ATTEMPTS_MAX, RECURSIONS_MAX } from "./recursors.ts";
import { startDnsServer } from "./server.ts";
import { FakeCatalog, query, showMessage, testConfig, type Registration } from "./testkit.ts";

const AGENT = { host: "127.0.0.1", port: 8600 };
const CATALOG: readonly Registration[] = [
  { Node: "n1", Address: "10.0.0.1", Service: { Service: "web", Port: 80 } },
  { Node: "ext", Address: "Host.Example.com" },
  { Node: "n2", Address: "10.0.0.2", Service: { Service: "many", Address: "many.example.com" } },
  { Node: "n3", Address: "10.0.0.3", Service: { Service: "in", Address: "web.service.consul" } },
];

/** What a recursor does with a question: the rcode and addresses of its answer, or the bytes themselves. */
type Script = (
  name: string,
  asked: dnsPacket.DecodedMessage,
) => { rcode?: number; addresses?: readonly string[]; bytes?: Uint8Array } | undefined;

async function start(recursors: readonly string[], strategy = "sequential") {
  const platform = simPlatform({ seed: "recursors" });
  const lines: LogFields[] = [];
  const own = {
    ...noLogger,
    error: (_: string, fields?: LogFields) => void lines.push(fields ?? {}),
  };
  const logger = { ...own, named: () => ({ ...own, named: () => own }) };
  const state = {
    config: testConfig({ dns: { recursion: { recursors, timeoutMs: 1000, strategy } } }),
  };
  const delegate = new FakeCatalog(CATALOG);
  const server = await startDnsServer({ platform, logger, delegate, config: () => state.config });
  onTestFinished(() => server[Symbol.asyncDispose]());

  /** @returns the names that it was asked for, with their ids */
  const recursor = async (
    host: string,
    script: Script,
    port = 53,
  ): Promise<dnsPacket.DecodedMessage[]> => {
    const heard: dnsPacket.DecodedMessage[] = [];
    const reply = (bytes: Uint8Array): Uint8Array | undefined => {
      const asked = dnsPacket.decode(Buffer.from(bytes));
      heard.push(asked);
      const said = script(asked.questions[0]?.name ?? "", asked);
      if (said === undefined) return undefined;
      return said.bytes ?? answerTo(bytes, said.rcode ?? 0, said.addresses ?? []);
    };
    const socket = await platform.network.bindDatagram({ host, port }, (bytes, from) => {
      const answer = reply(bytes);
      if (answer !== undefined) socket.send(answer, { ...from });
    });
    await platform.network.listen({ host, port }, (stream) => {
      stream.on("data", (chunk: Buffer) => {
        const answer = reply(chunk.subarray(2));
        if (answer !== undefined) stream.write(withLength(answer));
      });
    });
    return heard;
  };

  const ask = async (bytes: Uint8Array, waitMs = 0): Promise<Uint8Array | undefined> => {
    let answer: Uint8Array | undefined;
    const local = { host: "127.0.0.1", port: 0 };
    const socket = await platform.network.bindDatagram(local, (received) => (answer = received));
    socket.send(bytes, AGENT);
    await platform.clock.settle();
    await platform.clock.run(waitMs);
    await socket[Symbol.asyncDispose]();
    return answer;
  };
  const shown = async (name: string, type = "A", edns?: number, waitMs = 0) =>
    showMessage(
      (await ask(query(name, type, edns === undefined ? {} : { edns }), waitMs)) ??
        expect.fail(`no answer about ${name}`),
    );
  return { platform, server, state, lines, recursor, ask, shown };
}

/** The question's name, type A, class IN, a TTL of 99 s, four bytes. */
const RECORD_START = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 99, 0, 4];

/** The question's bytes with A records behind it, and the query's OPT left out. */
function answerTo(asked: Uint8Array, rcode: number, addresses: readonly string[]): Uint8Array {
  const { name } = dnsPacket.decode(Buffer.from(asked)).questions[0] ?? { name: "" };
  const questionEnd = 12 + (name === "" ? 1 : name.length + 2) + 4;
  const records = addresses.flatMap((address) => [
    ...RECORD_START,
    ...address.split(".").map(Number),
  ]);
  const bytes = Uint8Array.from([...asked.subarray(0, questionEnd), ...records]);
  bytes.set(
    [0x81, 0x80 | rcode, 0, 1, addresses.length >> 8, addresses.length & 0xff, 0, 0, 0, 0],
    2,
  );
  return bytes;
}

function withLength(message: Uint8Array): Uint8Array {
  return Uint8Array.from([message.length >> 8, message.length & 0xff, ...message]);
}

test("a name outside the domain is passed on as it came, and its answer comes back as it is", async () => {
  const { recursor, ask } = await start(["10.9.0.1"]);
  const heard = await recursor("10.9.0.1", () => ({ addresses: ["7.7.7.7"] }));
  const reply = await ask(query("Www.Example.COM", "A", { id: 4660, edns: 1400 }));
  expect(heard).toHaveLength(1);
  expect(heard[0]?.questions[0]?.name).toBe("Www.Example.COM");
  expect(heard[0]?.additionals[0]).toMatchObject({ type: "OPT", udpPayloadSize: 1400 });
  const message = dnsPacket.decode(reply ?? expect.fail("no reply"));
  expect(message.id).toBe(4660);
  expect([message.flag_aa, message.flag_ra]).toEqual([false, true]);
  expect(showMessage(reply ?? expect.fail("no reply")).answer).toEqual([
    "Www.Example.COM. 99 IN A 7.7.7.7",
  ]);
});

test("ids to recursors are not the client's and do not repeat", async () => {
  const { recursor, ask } = await start(["10.9.0.1"]);
  const heard = await recursor("10.9.0.1", () => ({ rcode: 3 }));
  for (let i = 0; i < 50; i++) await ask(query("nx.example.com", "A", { id: 7 }));
  expect(new Set(heard.map(({ id }) => id)).size).toBeGreaterThan(45);
});

test("NXDOMAIN is an answer; SERVFAIL, REFUSED, a closed port and silence are the next one's turn", async () => {
  const { recursor, shown, lines } = await start([
    "10.9.0.1",
    "10.9.0.2:5300",
    "10.9.0.3",
    "10.9.0.4",
  ]);
  let rcode = 3;
  const first = await recursor("10.9.0.1", () => ({ rcode }));
  await recursor("10.9.0.3", () => undefined);
  const last = await recursor("10.9.0.4", () => ({ addresses: ["7.7.7.7"] }));
  expect((await shown("a.example.com")).rcode).toBe("NXDOMAIN");
  expect(last).toHaveLength(0);
  for (rcode of [2, 5]) {
    // Only the silent one takes its time.
    expect((await shown("a.example.com", "A", undefined, 1000)).answer).toHaveLength(1);
  }
  expect([first.length, last.length]).toEqual([3, 2]);
  expect(lines[0]).toMatchObject({ recursor: "10.9.0.2:5300", error: /refused/ });
});

test("when nobody answers, it is SERVFAIL with RA and without AA", async () => {
  const { recursor, shown } = await start(["10.9.0.1"]);
  await recursor("10.9.0.1", () => ({ rcode: 2 }));
  for (const [name, type] of [
    ["a.example.com", "A"],
    ["9.9.9.9.in-addr.arpa", "PTR"],
  ]) {
    expect(await shown(name ?? "", type, 1232)).toMatchObject({
      rcode: "SERVFAIL",
      flags: "rd ra",
      additional: [". OPT 1232 v0 0"],
    });
  }
});

test("a reverse name that no node has is passed on, one that a node has is not", async () => {
  const { recursor, shown } = await start(["10.9.0.1"]);
  const heard = await recursor("10.9.0.1", () => ({ rcode: 3 }));
  expect((await shown("1.0.0.10.in-addr.arpa", "PTR")).answer[0]).toContain("n1.node.dc1.consul.");
  expect(heard).toHaveLength(0);
  expect((await shown("9.9.9.9.in-addr.arpa", "PTR")).rcode).toBe("NXDOMAIN");
  expect(heard).toHaveLength(1);
});

test("what comes by TCP goes on by TCP", async () => {
  const { platform, recursor } = await start(["10.9.0.1"]);
  const addresses = Array.from({ length: 300 }, (_, i) => `7.7.${i >> 8}.${i & 255}`);
  await recursor("10.9.0.1", () => ({ addresses }));
  const signal = new AbortController().signal;
  const stream = await platform.network.connect(AGENT, { signal });
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.write(withLength(query("a.example.com", "A", { id: 9 })));
  await platform.clock.settle();
  const received = Buffer.concat(chunks);
  expect(received.readUInt16BE(0)).toBe(received.length - 2);
  const message = dnsPacket.decode(received.subarray(2));
  expect([message.id, message.answers.length]).toEqual([9, 300]);
  stream.destroy();
});

test("a reload brings and takes recursors, RA with them; a bad one changes nothing", async () => {
  const { recursor, shown, state } = await start([]);
  await recursor("10.9.0.1", () => ({ addresses: ["7.7.7.7"] }));
  expect(await shown("a.example.com")).toMatchObject({ rcode: "REFUSED", flags: "rd" });
  expect((await shown("web.service.consul")).flags).toBe("aa rd");
  const with1 = { recursors: ["10.9.0.1"], timeoutMs: 1000, strategy: "sequential" };
  state.config = testConfig({ dns: { recursion: with1 } });
  expect((await shown("a.example.com")).answer).toHaveLength(1);
  expect((await shown("web.service.consul")).flags).toBe("aa rd ra");
  state.config = testConfig({ dns: { recursion: { ...with1, recursors: ["10.9.0.1:x"] } } });
  expect((await shown("a.example.com")).answer).toHaveLength(1);
});

test("dns_config.recursor_strategy random asks each first, sooner or later", async () => {
  const { recursor, shown } = await start(["10.9.0.1", "10.9.0.2", "10.9.0.3"], "random");
  const heard = await Promise.all(
    ["10.9.0.1", "10.9.0.2", "10.9.0.3"].map((host) => recursor(host, () => ({ rcode: 3 }))),
  );
  for (let i = 0; i < 60; i++) await shown("a.example.com");
  for (const asked of heard) expect(asked.length).toBeGreaterThan(5);
});

test("an answer to something else is not believed, and is asked for again a few times", async () => {
  const alien: Readonly<Record<string, (answer: Uint8Array) => void>> = {
    "another id": (bytes) => void (bytes[0] = (bytes[0] ?? 0) ^ 1),
    "another spelling": (bytes) => void (bytes[13] = (bytes[13] ?? 0) ^ 0x20),
    "another type": (bytes) => void (bytes[12 + 15 + 1] = 28),
    "a query": (bytes) => void (bytes[2] = 1),
    "a count too many": (bytes) => void (bytes[7] = 9),
  };
  for (const [what, spoil] of Object.entries(alien)) {
    const { recursor, shown } = await start(["10.9.0.1"]);
    const heard = await recursor("10.9.0.1", (name, asked) => {
      const bytes = answerTo(query(name, "A", { id: asked.id }), 0, ["6.6.6.6"]);
      spoil(bytes);
      return { bytes };
    });
    expect((await shown("a.example.com")).rcode, what).toBe("SERVFAIL");
    expect(heard, what).toHaveLength(ATTEMPTS_MAX);
  }
});

test("an answer larger than the client can take is not relayed", async () => {
  const { recursor, shown } = await start(["10.9.0.1"]);
  const addresses = Array.from({ length: 40 }, (_, i) => `7.7.7.${i}`);
  await recursor("10.9.0.1", () => ({ addresses }));
  expect((await shown("a.example.com")).rcode).toBe("SERVFAIL");
  expect((await shown("a.example.com", "A", 1232)).answer).toHaveLength(40);
});

test("where an address is a name outside, its addresses come along", async () => {
  const { recursor, shown } = await start(["10.9.0.1"]);
  const addresses = Array.from({ length: 8 }, (_, i) => `7.7.7.${i}`);
  const heard = await recursor("10.9.0.1", () => ({ addresses }));
  const node = await shown("ext.node.consul", "AAAA");
  expect(node.answer).toEqual([
    "ext.node.consul. 0 IN CNAME Host.Example.com.",
    ...addresses.map((address) => `Host.Example.com. 99 IN A ${address}`),
  ]);
  // udp_answer_limit counts the alias too; without EDNS there are never more than five addresses.
  expect((await shown("many.service.consul")).answer).toHaveLength(3);
  expect((await shown("many.service.consul", "A", 1232)).answer).toHaveLength(9);
  expect((await shown("many.service.consul", "SRV")).additional).toHaveLength(5);
  expect((await shown("many.service.consul", "SRV", 1232)).additional).toHaveLength(9);
  expect(heard.every(({ questions }) => questions[0]?.type === "A")).toBe(true);
  expect((await shown("in.service.consul")).answer).toEqual([
    "in.service.consul. 0 IN CNAME web.service.consul.",
    "web.service.consul. 0 IN A 10.0.0.1",
  ]);
});

test("silent recursors hold so many questions and no more, and let go of them at the end", async () => {
  const { platform, recursor, server, ask } = await start(["10.9.0.1"]);
  const heard = await recursor("10.9.0.1", () => undefined);
  for (let i = 0; i < RECURSIONS_MAX; i++) void ask(query(`n${i}.example.com`, "A"));
  await platform.clock.settle();
  expect(heard).toHaveLength(RECURSIONS_MAX);
  const surplus = await ask(query("one-more.example.com", "A"));
  expect(showMessage(surplus ?? expect.fail("no reply")).rcode).toBe("SERVFAIL");
  // Names of ours are answered all the while.
  expect(await ask(query("web.service.consul", "A"))).toBeDefined();
  await server[Symbol.asyncDispose]();
  await platform.clock.settle();
  expect(platform.clock.timerCount).toBe(0);
});

test("whatever a recursor sends, the client gets a message that parses", async () => {
  const { recursor, ask } = await start(["10.9.0.1"]);
  let spoil: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes;
  await recursor("10.9.0.1", (name, asked) => ({
    bytes: spoil(answerTo(query(name, "A", { id: asked.id }), 0, ["7.7.7.1", "7.7.7.2"])),
  }));
  const edit = fc.tuple(fc.nat({ max: 80 }), fc.nat({ max: 255 }));
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { maxLength: 4 }), fc.nat({ max: 90 }), async (edits, cut) => {
      spoil = (bytes) => {
        for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
        return bytes.subarray(0, Math.max(12, cut));
      };
      for (const name of ["a.example.com", "many.service.consul"]) {
        const reply = await ask(query(name, "A", { id: 77 }));
        expect(dnsPacket.decode(reply ?? expect.fail("no reply")).id).toBe(77);
      }
    }),
    { numRuns: 300 },
  );
});

test.each([
  ["10.0.0.2", "10.0.0.2", 53],
  ["10.0.0.2:5353", "10.0.0.2", 5353],
  ["::1", "::1", 53],
  ["[::1]", "::1", 53],
  ["[fe80::1%eth0]:5353", "fe80::1%eth0", 5353],
  ["dns.example.com", "dns.example.com", 53],
])("the recursor %s is %s, port %i", (text, host, port) => {
  expect(parseRecursor(text)).toEqual({ host, port });
});

test.each([
  ["1.2.3.4:x", "address tcp/x: unknown port"],
  ["1.2.3.4:99999", "address 99999: invalid port"],
  ["1.2.3.4:0", "address 0: invalid port"],
  [":53", "address :53: missing host"],
])("the recursor %s is refused", (text, reason) => {
  expect(() => parseRecursor(text)).toThrow(`Invalid recursor address: ${reason}`);
});
