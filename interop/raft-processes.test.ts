/**
 * Three servers of a replicated log, each a process of its own, whose leader is killed again and again while
 * clients write. Goal: nothing that was acknowledged is ever lost, nothing is applied twice, the logs agree, and
 * writes go on soon after each kill. Snapshots are taken and installed all the while. `KILLS=100` for more.
 */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createConnection, createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { SimRandom } from "../src/platform/sim/index.ts";
import { eventually, Program } from "./programs.ts";

const KILLS = Number(process.env["KILLS"] ?? 8);
const CLIENTS = 16;
/** From a kill until a write that was begun after it is acknowledged. */
const PAUSE_MAX_MS = 10_000;
const HOSTS = ["127.0.31.1", "127.0.31.2", "127.0.31.3"];
const PROGRAM = fileURLToPath(new URL("raft-node.mjs", import.meta.url));

interface Status {
  readonly role: string;
  readonly term: number;
  readonly applied: number;
  readonly lastIndex: number;
  readonly firstIndex: number;
}
interface State {
  readonly twice: number;
  readonly fingerprint: string;
  /** A bit for each number, in base64. */
  readonly written: string;
}
interface Answer {
  readonly call: number;
  readonly result?: unknown;
  readonly refusal?: string;
  readonly leader?: string;
}
interface ServerAt {
  readonly id: string;
  readonly address: string;
  readonly suffrage: "voter";
}

/** One server: its process, and a connection for what is asked of it. */
class Node {
  readonly #argument: string;
  readonly id: string;
  readonly #client: { readonly host: string; readonly port: number };
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #program: Program | undefined;
  #stream: Socket | undefined;
  #calls = 0;
  /** Of all its processes. */
  output = "";

  constructor(self: ServerAt, servers: readonly ServerAt[], clientPort: number, root: string) {
    const { id, address } = self;
    this.id = id;
    this.#client = { host: address.split(":")[0] ?? "", port: clientPort };
    this.#argument = JSON.stringify({ id, servers, clientPort, directory: join(root, id) });
  }

  start(): void {
    this.#program = new Program([process.execPath, PROGRAM, this.#argument]);
  }

  /** Whether the process is there that was started last. */
  get isRunning(): boolean {
    return this.#program?.child.exitCode === null && this.#program.child.signalCode === null;
  }

  async kill(): Promise<void> {
    await this.#program?.end("SIGKILL");
    this.output += this.#program?.output ?? "";
    this.#program = undefined;
  }

  /** Nobody answering is an answer too: `refusal` says so then, and it is not known what became of it. */
  async ask(kind: string, body: object = {}): Promise<Answer> {
    const stream = this.#connection();
    this.#calls += 1;
    const call = this.#calls;
    return new Promise((resolve) => {
      this.#waiting.set(call, resolve);
      stream.write(`${JSON.stringify({ call, kind, ...body })}\n`);
    });
  }

  #connection(): Socket {
    if (this.#stream !== undefined) return this.#stream;
    const stream = createConnection(this.#client);
    this.#stream = stream;
    createInterface({ input: stream })
      .on("line", (line) => {
        const answer = JSON.parse(line) as Answer;
        this.#waiting.get(answer.call)?.(answer);
        this.#waiting.delete(answer.call);
      })
      .on("error", () => {});
    stream.on("error", () => {});
    stream.on("close", () => {
      this.#stream = undefined;
      for (const [call, resolve] of this.#waiting) resolve({ call, refusal: "connection lost" });
      this.#waiting.clear();
    });
    return stream;
  }
}

class Cluster implements AsyncDisposable {
  readonly nodes: readonly Node[];
  readonly #root: string;

  private constructor(root: string, nodes: readonly Node[]) {
    this.#root = root;
    this.nodes = nodes;
  }

  static async start(): Promise<Cluster> {
    const root = await mkdtemp(join(tmpdir(), "rollcall-raft-"));
    const places = await Promise.all(
      HOSTS.map(async (host, at) => {
        const [raftPort = 0, clientPort = 0] = await freePorts(host);
        const id = `node-${at + 1}`;
        return {
          server: { id, address: `${host}:${raftPort}`, suffrage: "voter" } as const,
          clientPort,
        };
      }),
    );
    const servers = places.map(({ server }) => server);
    const nodes = places.map(
      ({ server, clientPort }) => new Node(server, servers, clientPort, root),
    );
    for (const node of nodes) node.start();
    return new Cluster(root, nodes);
  }

  node(id: string | undefined): Node | undefined {
    return this.nodes.find((node) => node.id === id);
  }

  async statuses(): Promise<readonly (Status | undefined)[]> {
    const answers = await Promise.all(this.nodes.map((node) => node.ask("status")));
    return answers.map(({ result }) => result as Status | undefined);
  }

  /** The one with the highest term of those who say so. */
  async leader(): Promise<Node> {
    const leaderOf = (statuses: readonly (Status | undefined)[]): number => {
      const terms = statuses.map((status) => (status?.role === "leader" ? status.term : 0));
      return Math.max(...terms) > 0 ? terms.indexOf(Math.max(...terms)) : -1;
    };
    const statuses = await eventually(
      "a leader",
      () => this.statuses(),
      (found) => leaderOf(found) >= 0,
    );
    return this.nodes[leaderOf(statuses)] as Node;
  }

  /** Once all have applied the same, and nothing is under way. */
  async settled(): Promise<readonly Status[]> {
    const statuses = await eventually(
      "all servers applied the same",
      () => this.statuses(),
      (found) => {
        const [first] = found;
        const isSame = (status: Status | undefined): boolean =>
          status?.applied === first?.applied && status?.applied === status?.lastIndex;
        return first !== undefined && found.every(isSame);
      },
    );
    return statuses as readonly Status[];
  }

  get output(): string {
    return this.nodes.map(({ output }) => output).join("");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
    await rm(this.#root, { recursive: true, force: true });
  }
}

/** Clients that write one number after the other, each only once, to whom they take for the leader. */
class Clients {
  readonly acknowledged = new Set<number>();
  readonly #cluster: Cluster;
  readonly #running: readonly Promise<void>[];
  #believed: string;
  #next = 1;
  #isOver = false;
  #onAcknowledged: ((number: number) => void) | undefined;

  constructor(cluster: Cluster, leader: Node) {
    this.#cluster = cluster;
    this.#believed = leader.id;
    this.#running = Array.from({ length: CLIENTS }, () => this.#write());
  }

  /** Resolves when one is acknowledged that had not been begun yet. */
  async acknowledgedAnew(limitMs: number): Promise<void> {
    const from = this.#next;
    const given = new AbortController();
    const seen = new Promise<"seen">((resolve) => {
      this.#onAcknowledged = (number) => {
        if (number >= from) resolve("seen");
      };
    });
    const late = pause(limitMs, "late" as const, { signal: given.signal }).catch(() => "late");
    expect(await Promise.race([seen, late])).toBe("seen");
    given.abort();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#running);
  }

  async #write(): Promise<void> {
    while (!this.#isOver) {
      const number = this.#next;
      this.#next += 1;
      const asked = this.#believed;
      const value = `value of ${number} `.padEnd(100, "x");
      const answer = await this.#cluster.node(asked)?.ask("write", { number, value });
      if (answer?.result !== undefined) {
        this.acknowledged.add(number);
        this.#onAcknowledged?.(number);
        continue;
      }
      // Who was asked may not know better; then the next one is.
      const { nodes } = this.#cluster;
      const at = nodes.findIndex(({ id }) => id === asked);
      const isNews = answer?.leader !== undefined && answer.leader !== asked;
      if (this.#believed === asked) {
        this.#believed = (isNews ? answer.leader : nodes[(at + 1) % nodes.length]?.id) ?? asked;
      }
      await pause(5);
    }
  }
}

test(
  `${KILLS} kills of the leader under load lose nothing that was acknowledged`,
  { timeout: 60_000 + KILLS * 10_000 },
  async () => {
    const random = new SimRandom(process.env["SEED"] ?? "1");
    await using cluster = await Cluster.start();
    const clients = new Clients(cluster, await cluster.leader());
    await clients.acknowledgedAnew(PAUSE_MAX_MS);

    const pausesMs: number[] = [];
    const began = performance.now();
    for (let kill = 0; kill < KILLS; kill += 1) {
      await pause(random.between(0, 400));
      const leader = await cluster.leader();
      const killedAt = performance.now();
      await leader.kill();
      await clients.acknowledgedAnew(PAUSE_MAX_MS);
      pausesMs.push(performance.now() - killedAt);
      // Long enough, at times, for the others to drop what it lacks.
      await pause(random.between(0, 3) === 0 ? random.between(300, 1000) : random.between(0, 100));
      leader.start();
      expect(cluster.nodes.map(({ isRunning }) => isRunning)).toEqual([true, true, true]);
    }
    const elapsedMs = performance.now() - began;
    await clients.stop();
    await expectAll(cluster, clients.acknowledged);

    // Nor does it lose anything when all of them are killed at once.
    await Promise.all(cluster.nodes.map((node) => node.kill()));
    for (const node of cluster.nodes) node.start();
    await cluster.leader();
    await expectAll(cluster, clients.acknowledged);

    await Promise.all(cluster.nodes.map((node) => node.kill()));
    const [taken, installed] = ["snapshot taken", "snapshot installed"].map(
      (line) => cluster.output.split(`${line}\n`).length - 1,
    );
    expect(taken).toBeGreaterThan(0);
    const longest = Math.round(Math.max(...pausesMs));
    const median = Math.round([...pausesMs].sort((a, b) => a - b)[KILLS >> 1] ?? 0);
    console.log(
      `${KILLS} kills in ${Math.round(elapsedMs / 1000)} s: ${clients.acknowledged.size} writes acknowledged, ` +
        `pauses of ${median} ms (median) to ${longest} ms, ${taken} snapshots taken, ${installed} installed`,
    );
    if (KILLS >= 50) expect(installed).toBeGreaterThan(0);
  },
);

async function expectAll(cluster: Cluster, acknowledged: ReadonlySet<number>): Promise<void> {
  const statuses = await cluster.settled();
  const from = Math.max(...statuses.map(({ firstIndex }) => firstIndex));
  const ask = (kind: string, body?: object): Promise<unknown[]> =>
    Promise.all(cluster.nodes.map(async (node) => (await node.ask(kind, body)).result));
  const states = (await ask("state")) as State[];
  expect(acknowledged.size).toBeGreaterThan(0);
  for (const { twice, fingerprint, written } of states) {
    expect(twice).toBe(0);
    expect(fingerprint).toBe(states[0]?.fingerprint);
    const bits = Buffer.from(written, "base64");
    const isThere = (number: number): boolean =>
      ((bits[number >> 3] ?? 0) & (1 << (number % 8))) !== 0;
    expect([...acknowledged].filter((number) => !isThere(number))).toEqual([]);
  }
  const logs = await ask("log", { from });
  expect(logs).toEqual(logs.map(() => logs[0]));
}

/** Two that nobody listened on a moment ago. */
async function freePorts(host: string): Promise<number[]> {
  const servers = await Promise.all(
    [1, 2].map(async () => {
      const server = createServer().listen(0, host);
      await once(server, "listening");
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}
