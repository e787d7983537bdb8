/**
 * Clients that mean harm, or are broken: thousands of connections that say nothing, that stop half-way, that never read
 * what they asked for, and floods of garbage at the DNS port. Others are answered meanwhile, memory stays bounded, and
 * when the clients have gone, so has all that was held for them.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { Socket } from "node:net";
import * as dnsPacket from "dns-packet";
import * as fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Program, ROLLCALL, eventually, http } from "./testkit.ts";

const AGENT = "127.0.0.138";
const SOURCES = ["127.0.0.131", "127.0.0.132", "127.0.0.133", "127.0.0.134", "127.0.0.135"];
/** Both ends are on this machine, each in a process of its own. */
const SPARE_FILES = 500;
const CONNECTIONS = Math.min(10_000, openFilesMax() - SPARE_FILES);
const SECOND_WAVE = 2000;
/** Of clients that ask for far more than they could ever be sent. */
const GREEDY = 500;
const ASKED_AT_ONCE = 200;
const DNS_CONNECTIONS = 2000;
const DATAGRAMS = 30_000;

/** For all connections together; without them an agent takes some 100 MB. */
const GROWTH_MAX_MB = 400;
const TIME_LIMIT_MS = 120_000;
/** On a machine that is busy with the attack itself. */
const ANSWER_MAX_MS = 2000;

let agent: Program;

/** Node raises its own limit to the hard one. */
function openFilesMax(): number {
  const [, hard] =
    /^Max open files +\S+ +(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
  return hard === "unlimited" ? Infinity : Number(hard);
}

const processFolder = (): string => `/proc/${agent.child.pid}`;
const openFiles = (): number => readdirSync(`${processFolder()}/fd`).length;
function residentMb(): number {
  const [, kb] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`${processFolder()}/status`, "utf8")) ?? [];
  return Number(kb) / 1024;
}

beforeEach(async () => {
  agent = new Program([
    ROLLCALL,
    "agent",
    "-dev",
    `-bind=${AGENT}`,
    `-client=${AGENT}`,
    "-node=besieged",
    "-log-level=err",
    `-hcl=limits = { http_max_conns_per_client = ${CONNECTIONS} }`,
  ]);
  await eventually(
    "the agent answers",
    () => http(AGENT, "/v1/status/leader"),
    ({ status, body }) => status === 200 && body.includes("8300"),
  );
});
afterEach(async () => {
  await agent[Symbol.asyncDispose]();
});

/** Connects, says `request`, and never reads. */
async function open(port: number, source: string, request: string): Promise<Socket> {
  const socket = new Socket();
  socket.pause();
  socket.on("error", () => socket.destroy());
  socket.connect({ host: AGENT, port, localAddress: source });
  await once(socket, "connect");
  socket.write(request, "latin1");
  return socket;
}

async function openMany(
  count: number,
  port: number,
  requestOf: (i: number) => string,
): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const batch = Array.from({ length: Math.min(250, count - sockets.length) }, (_, i) => {
      const at = sockets.length + i;
      return open(port, SOURCES[at % SOURCES.length] ?? AGENT, requestOf(at));
    });
    sockets.push(...(await Promise.all(batch)));
  }
  return sockets;
}

/** Some requests of somebody else, and how long the slowest answer took. */
async function slowestAnswerMs(): Promise<number> {
  let slowestMs = 0;
  for (let i = 0; i < 40; i++) {
    const began = performance.now();
    const { status } = await http(AGENT, "/v1/catalog/services");
    expect(status).toBe(200);
    slowestMs = Math.max(slowestMs, performance.now() - began);
  }
  return slowestMs;
}

async function resolves(): Promise<boolean> {
  const socket = createSocket("udp4");
  try {
    const question = { type: "A", name: "besieged.node.consul", class: "IN" } as const;
    socket.send(
      dnsPacket.encode({ type: "query", id: 9, flags: 0, questions: [question], additionals: [] }),
      8600,
      AGENT,
    );
    const [bytes] = (await once(socket, "message", { signal: AbortSignal.timeout(1000) })) as [
      Buffer,
    ];
    return dnsPacket.decode(bytes).answers?.length === 1;
  } finally {
    socket.close();
  }
}

const LARGE = `GET /v1/kv/large?raw HTTP/1.1\r\nHost: x\r\n\r\n`;
/** For either lane of the server. */
const GREEDY_MANNERS = [LARGE, LARGE.replace("\r\n\r\n", "\r\nX: 1\r\nX: 2\r\n\r\n")].map(
  (request) => request.repeat(ASKED_AT_ONCE),
);
const HTTP_MANNERS: readonly string[] = [
  "",
  "GET /v1/kv/large HTTP/1.1\r\nHost: x\r\nX-Half: ",
  "PUT /v1/kv/half HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nonly this",
  LARGE,
  "GET /v1/catalog/services?index=1000000&wait=10m HTTP/1.1\r\nHost: x\r\n\r\n",
  "\0\u0001\u0002 no request at all",
];

test(
  `${CONNECTIONS} HTTP connections that ask for nothing, for half, or never read`,
  async () => {
    const large = Buffer.alloc(500_000, "x");
    await http(AGENT, "/v1/kv/large", { method: "PUT", body: large });
    await slowestAnswerMs();
    const filesBefore = openFiles();
    const residentBefore = residentMb();

    const attack = async (count: number): Promise<readonly Socket[]> => [
      ...(await openMany(count, 8500, (i) => HTTP_MANNERS[i % HTTP_MANNERS.length] ?? "")),
      ...(await openMany(GREEDY, 8500, (i) => GREEDY_MANNERS[i % GREEDY_MANNERS.length] ?? "")),
    ];
    let sockets = await attack(CONNECTIONS - GREEDY);
    expect(openFiles()).toBeGreaterThan(filesBefore + CONNECTIONS / 2);
    // The agent has taken in what was sent by now.
    await http(AGENT, "/v1/status/leader");
    expect(await slowestAnswerMs()).toBeLessThan(ANSWER_MAX_MS);
    await eventually("DNS answers meanwhile", resolves, (answered) => answered, 5000);
    expect(residentMb() - residentBefore).toBeLessThan(GROWTH_MAX_MB);

    const leave = async (): Promise<void> => {
      for (const socket of sockets) socket.destroy();
      await eventually(
        "nothing is open for those who left",
        async () => openFiles(),
        (files) => files <= filesBefore,
      );
    };
    await leave();
    // What was freed serves the next ones.
    sockets = await attack(Math.min(SECOND_WAVE, CONNECTIONS - GREEDY));
    await http(AGENT, "/v1/status/leader");
    expect(await slowestAnswerMs()).toBeLessThan(ANSWER_MAX_MS);
    expect(residentMb() - residentBefore).toBeLessThan(GROWTH_MAX_MB);
    await leave();
  },
  TIME_LIMIT_MS,
);

test(
  `${DATAGRAMS} datagrams of garbage and ${DNS_CONNECTIONS} TCP connections to DNS`,
  async () => {
    await eventually("DNS answers", resolves, (answered) => answered);
    const filesBefore = openFiles();
    const residentBefore = residentMb();

    const garbage = fc.sample(fc.uint8Array({ maxLength: 600 }), 300);
    const cut = dnsPacket.encode({
      type: "query",
      id: 1,
      flags: 0,
      additionals: [],
      questions: [{ type: "ANY", name: "besieged.node.consul", class: "IN" }],
    });
    const datagrams = [
      ...garbage,
      ...Array.from({ length: cut.length }, (_, i) => cut.subarray(0, i)),
    ];
    const socket = createSocket("udp4");
    for (let i = 0; i < DATAGRAMS; i++) {
      socket.send(datagrams[i % datagrams.length] ?? cut, 8600, AGENT);
      // As fast as the kernel takes them, and no faster.
      if (i % 500 === 0) await new Promise((resolve) => socket.send(cut, 8600, AGENT, resolve));
    }
    await eventually("DNS answers after the flood", resolves, (answered) => answered);
    socket.close();

    const query = `\0${String.fromCharCode(cut.length)}${Buffer.from(cut).toString("latin1")}`;
    const manners = ["", "\0", "\u00ff\u00ffhalf", query.repeat(2000), "\0\u0003abc"];
    const sockets = await openMany(DNS_CONNECTIONS, 8600, (i) => manners[i % manners.length] ?? "");
    await http(AGENT, "/v1/status/leader");
    await eventually("DNS answers meanwhile", resolves, (answered) => answered, 5000);
    expect(await slowestAnswerMs()).toBeLessThan(ANSWER_MAX_MS);
    expect(residentMb() - residentBefore).toBeLessThan(GROWTH_MAX_MB);
    for (const one of sockets) one.destroy();
    await eventually(
      "nothing is open for those who left",
      async () => openFiles(),
      (files) => files <= filesBefore,
    );
  },
  TIME_LIMIT_MS,
);
