/** Pools of real Serf agents and of our own nodes, with the same questions to both. */
import { LAN_PROFILE, Keyring } from "../src/gossip/index.ts";
import { regexMatcher } from "../src/filter/index.ts";
import { noLogger } from "../src/platform/index.ts";
import { nodePlatform } from "../src/platform/node/index.ts";
import { startSerf, type Serf, type SerfEvent, type SerfOptions } from "../src/serf/index.ts";
import { eventually, Program, run, type CommandResult } from "./programs.ts";

const PORT = 7946;
const RPC_PORT = 7373;

/** One member as its own side sees the pool. */
export interface Member extends AsyncDisposable {
  readonly name: string;
  readonly address: string;
  /** Name to `status key=value,…`. */
  view(): Promise<ReadonlyMap<string, string>>;
}

/** `serf agent` at debug level. */
export class SerfAgent implements Member {
  readonly name: string;
  readonly address: string;
  readonly program: Program;

  constructor(name: string, address: string, flags: readonly string[]) {
    this.name = name;
    this.address = address;
    this.program = new Program([
      "serf",
      "agent",
      `-node=${name}`,
      `-bind=${address}:${PORT}`,
      `-rpc-addr=${address}:${RPC_PORT}`,
      "-log-level=debug",
      "-retry-interval=1s",
      ...flags,
    ]);
  }

  /** Runs `serf <command>` against the agent; resolves whatever its exit code. */
  command(command: string, ...args: readonly string[]): Promise<CommandResult> {
    return run(["serf", command, `-rpc-addr=${this.address}:${RPC_PORT}`, ...args]);
  }

  async view(): Promise<ReadonlyMap<string, string>> {
    const { stdout } = await this.command("members", "-format=json");
    const { members } = JSON.parse(stdout) as {
      readonly members: readonly {
        readonly name: string;
        readonly status: string;
        readonly tags: Readonly<Record<string, string>>;
      }[];
    };
    return new Map(members.map(({ name, status, tags }) => [name, shown(status, tags)]));
  }

  /** Resolves once the agent has logged it. */
  logs(text: string): Promise<string> {
    return eventually(
      `${this.name} logs ${text}`,
      async () => this.program.output,
      (output) => output.includes(text),
    );
  }

  async ready(): Promise<this> {
    try {
      await eventually(
        `${this.name} answers`,
        () => this.view(),
        (view) => view.has(this.name),
      );
    } catch (error) {
      throw new Error(`${this.name} did not start: ${this.program.output}`, { cause: error });
    }
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.program[Symbol.asyncDispose]();
  }
}

/** A node of ours in this process, on real sockets. Disposing it is kill -9: nobody is told. */
export class OurNode implements Member {
  readonly name: string;
  readonly address: string;
  readonly serf: Serf;
  readonly events: SerfEvent[];

  static async start(
    name: string,
    address: string,
    options: Partial<SerfOptions> = {},
  ): Promise<OurNode> {
    const events: SerfEvent[] = [];
    const serf = await startSerf({
      platform: nodePlatform(),
      logger: noLogger,
      name,
      bind: { host: address, port: PORT },
      protocol: 5,
      tags: {},
      profile: LAN_PROFILE,
      compilePattern: regexMatcher,
      listener: (event) => events.push(event),
      ...options,
    });
    return new OurNode(name, address, serf, events);
  }

  private constructor(name: string, address: string, serf: Serf, events: SerfEvent[]) {
    this.name = name;
    this.address = address;
    this.serf = serf;
    this.events = events;
  }

  async view(): Promise<ReadonlyMap<string, string>> {
    return new Map(
      this.serf.members().map(({ name, status, tags }) => [name, shown(status, tags)]),
    );
  }

  /** User events that were delivered, as `name:payload`. */
  get heard(): readonly string[] {
    return this.events.flatMap((event) =>
      event.kind === "user" ? [`${event.name}:${Buffer.from(event.payload).toString()}`] : [],
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.serf[Symbol.asyncDispose]();
  }
}

/** Resolves once all of them see the pool like this. */
export async function allSee(
  members: readonly Member[],
  expected: Readonly<Record<string, string>>,
): Promise<void> {
  for (const member of members) {
    await eventually(
      `${member.name} sees ${JSON.stringify(expected)}`,
      async () => Object.fromEntries(await member.view()),
      (view) => Object.entries(expected).every(([name, wanted]) => view[name] === wanted),
      40_000,
    );
  }
}

export function keyringOf(key: Uint8Array | undefined): { readonly keyring?: Keyring } {
  return key === undefined ? {} : { keyring: new Keyring([key]) };
}

function shown(status: string, tags: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(tags)
    .map(([key, value]) => `${key}=${value}`)
    .toSorted();
  return [status, ...pairs].join(" ");
}
