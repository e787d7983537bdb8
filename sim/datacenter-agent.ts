/** One simulated agent: a whole one, server or client, started and crashed as a process on a machine. */
import { startAgent, type Agent } from "../src/agent/index.ts";
import { loadConfig } from "../src/config/index.ts";
import { messageOf } from "../src/errors/index.ts";
import { noLogger, type Logger } from "../src/platform/index.ts";
import { simPlatform, type SimPlatform } from "../src/platform/sim/index.ts";
import type { ServerRules } from "../src/server/index.ts";
import { AgentLife, platformOf } from "./datacenter-life.ts";

export interface SimAgentOptions {
  readonly name: string;
  readonly isServer: boolean;
  readonly seed: string;
  readonly world: SimPlatform;
  readonly clockRate: number;
  /** In HCL, the same at every start. */
  readonly settings: string;
  /** Of a server's next life. */
  readonly rulesOf: (agent: SimAgent, life: AgentLife) => Partial<ServerRules>;
  readonly onEvent: (agent: SimAgent, event: AgentEvent) => void;
}
/** `exited`: it cannot go on, by itself. */
export type AgentEvent = "leads" | "no longer leads" | "exited";

const MEMBER_EVENT = /^serf: EventMember(\w+): (\S+)/;

export class SimAgent {
  readonly #options: SimAgentOptions;
  readonly machine: SimPlatform;
  host: string;
  /** Whom it is told to join. */
  peers: readonly string[] = [];
  /** How many lives it has had. */
  lifeCount = 0;
  leads = false;
  /** When it was last anything but well, by the world's clock: down, cut off, paused, slow. */
  lastTroubledMs = 0;
  /** Left by itself, and not back yet. */
  hasLeft = false;
  exitMessage: string | undefined;
  /** By name: when this process last took a member for failed; Infinity while it does. */
  readonly failedUntilMs = new Map<string, number>();
  #life = new AgentLife();
  #agent: Agent | undefined;
  #isStarting = false;

  constructor(options: SimAgentOptions, host: string) {
    this.#options = options;
    this.host = host;
    const { name, seed, world } = options;
    this.machine = simPlatform({ seed: `${seed} ${name}`, hostname: name, beside: world });
  }

  get name(): string {
    return this.#options.name;
  }
  get isServer(): boolean {
    return this.#options.isServer;
  }
  get isUp(): boolean {
    return this.#agent !== undefined;
  }
  get agent(): Agent | undefined {
    return this.#agent;
  }
  get clockRate(): number {
    return this.#options.clockRate;
  }

  async start(): Promise<void> {
    if (this.#isStarting || this.#agent !== undefined) return;
    this.#isStarting = true;
    await this.#start();
    this.#isStarting = false;
  }

  async #start(): Promise<void> {
    const { name, isServer, settings, rulesOf, clockRate } = this.#options;
    const life = new AgentLife();
    this.#life = life;
    this.lifeCount += 1;
    this.leads = false;
    this.hasLeft = false;
    this.exitMessage = undefined;
    this.failedUntilMs.clear();
    const { host, machine } = this;
    const platform = platformOf({ life, machine, host, clockRate });
    const argv = [
      ...(isServer ? ["-server"] : []),
      "-data-dir=/data",
      `-node=${name}`,
      `-bind=${host}`,
      `-client=${host}`,
      ...this.peers.map((peer) => `-retry-join=${peer}`),
      `-hcl=${settings}`,
    ];
    const readConfig = () => loadConfig({ argv, platform });
    try {
      const agent = await startAgent({
        platform,
        logger: this.#logger(life),
        loaded: await readConfig(),
        readConfig,
        onLeave: () => {},
        onFailure: (message) => this.#exited(life, message),
        serverRules: isServer ? rulesOf(this, life) : undefined,
      });
      if (life.isOver) await agent[Symbol.asyncDispose]();
      else this.#agent = agent;
    } catch (error) {
      this.#exited(life, messageOf(error));
    }
  }

  /** Power is gone: what was not synced may be lost. */
  crash(): void {
    const agent = this.#agent;
    this.#agent = undefined;
    this.leads = false;
    this.#life.end();
    this.machine.disk.crash();
    // What is left of it is only taken apart: it can do nothing any more.
    if (agent !== undefined) void takenApart(agent);
  }

  /** Tells everybody, waits, and ends. */
  async leave(): Promise<void> {
    const agent = this.#agent;
    const life = this.#life;
    if (agent === undefined) return;
    await agent.leave();
    if (life.isOver) return;
    await agent[Symbol.asyncDispose]();
    this.hasLeft = true;
    this.#agent = undefined;
    this.leads = false;
    life.end();
  }

  #exited(life: AgentLife, message: string): void {
    if (life.isOver) return;
    this.crash();
    this.exitMessage = message;
    this.#options.onEvent(this, "exited");
  }

  #memberEvent(kind: string, name: string): void {
    if (kind === "Failed") this.failedUntilMs.set(name, Infinity);
    else if (this.failedUntilMs.get(name) === Infinity) {
      this.failedUntilMs.set(name, this.machine.clock.now());
    }
  }

  /** Who leads, and how it sees the pool, is told of in the log alone. */
  #logger(life: AgentLife): Logger {
    const heard = (leads: boolean): void => {
      if (life.isOver) return;
      this.leads = leads;
      this.#options.onEvent(this, leads ? "leads" : "no longer leads");
    };
    const logger: Logger = {
      ...noLogger,
      info: (message, fields) => {
        if (message === "cluster leadership acquired") heard(true);
        else if (message === "cluster leadership lost") heard(false);
        const [, kind, member] = MEMBER_EVENT.exec(message) ?? [];
        if (kind !== undefined && member !== undefined) this.#memberEvent(kind, member);
        this.log?.("info", message, fields);
      },
      warn: (message, fields) => this.log?.("warn", message, fields),
      error: (message, fields) => this.log?.("error", message, fields),
      named: () => logger,
    };
    return logger;
  }
  log: ((level: string, message: string, fields: unknown) => void) | undefined;
}

async function takenApart(agent: Agent): Promise<void> {
  try {
    await agent[Symbol.asyncDispose]();
  } catch {
    // The machine is as good as off: nothing that it wanted to write or say is there.
  }
}
