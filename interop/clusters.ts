/** Clusters of server processes on loopback, ours and real ones in any mixture, and clients that write to them. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually, http, Program, ROLLCALL } from "./testkit.ts";

export type Make = "ours" | "real";

export interface ServerSpec {
  readonly name: string;
  readonly address: string;
  readonly make: Make;
}

/** Servers by name; each keeps its data directory over restarts, also where another make follows. */
export class ServerFleet implements AsyncDisposable {
  readonly #directory = mkdtempSync(join(tmpdir(), "rollcall-cluster-"));
  readonly #running = new Map<string, { readonly spec: ServerSpec; readonly program: Program }>();
  readonly #flags: readonly string[];

  /** @param flags of every server, besides those that make it one */
  constructor(flags: readonly string[]) {
    this.#flags = flags;
  }

  get specs(): readonly ServerSpec[] {
    return [...this.#running.values()].map(({ spec }) => spec);
  }

  start(spec: ServerSpec, flags: readonly string[] = []): Program {
    const quick = "-hcl=performance { raft_multiplier = 1 }";
    return this.#start(spec, ["-server", quick, ...this.#flags, ...flags]);
  }

  startClient(spec: ServerSpec, flags: readonly string[]): Program {
    return this.#start(spec, flags);
  }

  #start(spec: ServerSpec, flags: readonly string[]): Program {
    const data = this.dataOf(spec);
    mkdirSync(data, { recursive: true });
    const program = new Program([
      ...(spec.make === "ours" ? [ROLLCALL] : ["consul"]),
      "agent",
      `-node=${spec.name}`,
      `-bind=${spec.address}`,
      `-client=${spec.address}`,
      `-data-dir=${data}`,
      "-retry-interval=1s",
      ...flags,
    ]);
    this.#running.set(spec.name, { spec, program });
    return program;
  }

  dataOf({ name, make }: ServerSpec): string {
    return join(this.#directory, `${name}-${make}`);
  }

  program(name: string): Program {
    const running = this.#running.get(name);
    if (running === undefined) throw new Error(`${name} does not run`);
    return running.program;
  }

  async end(name: string, signal: NodeJS.Signals): Promise<void> {
    await this.program(name).end(signal);
    this.#running.delete(name);
  }

  /** What the servers have logged, for the error of a test that fails. */
  logs(lines = 40): string {
    return [...this.#running.values()]
      .map(({ spec, program }) => {
        return `== ${spec.name}\n${program.output.split("\n").slice(-lines).join("\n")}`;
      })
      .join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running.keys()].map((name) => this.end(name, "SIGKILL")));
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Address of the leader as that server knows it, without its port; "" without one. */
export async function leaderAt(address: string): Promise<string> {
  const { status, body } = await http(address, "/v1/status/leader");
  return status === 200 ? (JSON.parse(body) as string).replace(/:\d+$/, "") : "";
}

/** Resolves with the leader's address once all of these know the same one. */
export async function oneLeader(addresses: readonly string[], limitMs = 30_000): Promise<string> {
  const seen = await eventually(
    `one leader of ${addresses.join(", ")}`,
    () => Promise.all(addresses.map(leaderAt)),
    (leaders) => leaders[0] !== "" && leaders.every((leader) => leader === leaders[0]),
    limitMs,
  );
  return seen[0] as string;
}

interface RaftServer {
  readonly ID: string;
  readonly Node: string;
  readonly Address: string;
  readonly Leader: boolean;
  readonly Voter: boolean;
}

export async function raftServers(address: string): Promise<readonly RaftServer[]> {
  const { status, body } = await http(address, "/v1/operator/raft/configuration");
  if (status !== 200) throw new Error(body);
  return (JSON.parse(body) as { readonly Servers: readonly RaftServer[] }).Servers;
}

/** Resolves once these, and nobody else, vote. */
export async function votersAre(
  at: string,
  names: readonly string[],
  limitMs = 60_000,
): Promise<void> {
  const wanted = [...names].sort().join();
  await eventually(
    `${wanted} vote`,
    async () => (await raftServers(at)).map(({ Node, Voter }) => `${Node}${Voter ? "" : "?"}`),
    (servers) => [...servers].sort().join() === wanted,
    limitMs,
  );
}

/**
 * Clients that write numbered values one after the other, each to any of the servers, and remember what was
 * acknowledged. What is refused or not answered is tried no further: it may or may not be there.
 */
export class Writers {
  readonly acknowledged = new Map<string, string>();
  refusals: string[] = [];
  /** Between two acknowledged writes of anybody. */
  longestPauseMs = 0;
  readonly #addresses: () => readonly string[];
  readonly #prefix: string;
  readonly #running: Promise<void>[];
  #isStopped = false;
  #lastAt = performance.now();

  constructor(addresses: () => readonly string[], count: number, prefix = "w") {
    this.#addresses = addresses;
    this.#prefix = prefix;
    this.#running = Array.from({ length: count }, (_, i) => this.#write(i));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#running);
  }

  /** Resolves once so many more writes were acknowledged. */
  async more(count: number, limitMs = 30_000): Promise<void> {
    const wanted = this.acknowledged.size + count;
    await eventually(
      `${count} more writes; refused: ${this.refusals.slice(-3).join(" | ")}`,
      async () => this.acknowledged.size,
      (size) => size >= wanted,
      limitMs,
    );
  }

  async #write(writer: number): Promise<void> {
    for (let number = 0; !this.#isStopped; number += 1) {
      const addresses = this.#addresses();
      const address = addresses[(writer + number) % addresses.length] as string;
      const key = `${this.#prefix}/${writer}/${number}`;
      try {
        const { status, body } = await http(address, `/v1/kv/${key}`, { method: "PUT", body: key });
        if (status === 200 && body.trim() === "true") this.#acknowledge(key);
        else this.refusals.push(body);
      } catch (error) {
        this.refusals.push(String(error));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  }

  #acknowledge(key: string): void {
    const now = performance.now();
    this.longestPauseMs = Math.max(this.longestPauseMs, now - this.#lastAt);
    this.#lastAt = now;
    this.acknowledged.set(key, key);
  }

  /** Keys that were acknowledged and are not there. */
  async lostAt(address: string): Promise<readonly string[]> {
    const { status, body } = await http(address, `/v1/kv/${this.#prefix}/?keys&consistent`);
    if (status !== 200) throw new Error(body);
    const present = new Set(JSON.parse(body) as string[]);
    return [...this.acknowledged.keys()].filter((key) => !present.has(key));
  }
}
