/** For tests: members as gossip knows them, and pools of simulated nodes in one virtual world. */
import { bytesOfHost, LAN_PROFILE, type GossipMember } from "../gossip/index.ts";
import { noLogger, type LogFields, type Logger } from "../platform/index.ts";
import { HostClock, simPlatform, type SimPlatform } from "../platform/sim/index.ts";
import { encodeTags, type Tags } from "../wire/index.ts";
import { startSerf, type Serf, type SerfEvent, type SerfOptions } from "./index.ts";

const PORT = 7946;
/** What a node of the Serf command says of its versions. */
export const VSN = Uint8Array.of(1, 5, 2, 2, 5, 5);
export const utf8 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
/** As the platform's own, but not in linear time. */
export const compilePattern = (expression: string): ((text: string) => boolean) => {
  const pattern = new RegExp(expression);
  return (text) => pattern.test(text);
};

export function gossipMember(name: string, fields: Partial<GossipMember> = {}): GossipMember {
  return {
    name,
    addr: Uint8Array.of(10, 0, 0, 1),
    port: PORT,
    meta: encodeTags({}),
    vsn: VSN,
    state: "alive",
    incarnation: 1,
    ...fields,
  };
}

/** Lines as `WARN text`. */
export function recordingLogger(lines: string[]): Logger {
  const at =
    (level: string) =>
    (message: string, _fields?: LogFields): void => {
      lines.push(`${level} ${message}`);
    };
  return {
    ...noLogger,
    debug: at("DEBUG"),
    info: at("INFO"),
    warn: at("WARN"),
    error: at("ERROR"),
    named: () => recordingLogger(lines),
  };
}

/** `join a`, `user deploy:v2@1`, `query uptime`. */
export function shownEvent(event: SerfEvent): string {
  if (event.kind === "user") {
    return `user ${event.name}:${Buffer.from(event.payload).toString()}@${event.ltime}`;
  }
  if (event.kind === "query") return `query ${event.query.name}`;
  return `${event.kind} ${event.members.map(({ name }) => name).join(",")}`;
}

export interface PoolNode extends AsyncDisposable {
  readonly name: string;
  readonly host: string;
  readonly platform: SimPlatform;
  readonly serf: Serf;
  /** Since it was started, as `shownEvent` has them. */
  readonly events: string[];
  readonly log: string[];
}

/** Simulated nodes, each on a host with a disk of its own, named n0, n1 and so on. */
export class Pool implements AsyncDisposable {
  readonly world: SimPlatform;
  readonly nodes: PoolNode[] = [];
  readonly #options: (name: string) => Partial<SerfOptions>;
  readonly #platforms = new Map<string, SimPlatform>();

  constructor(
    seed: number | string = 1,
    options: (name: string) => Partial<SerfOptions> = () => ({}),
  ) {
    this.world = simPlatform({ seed });
    this.#options = options;
  }

  node(name: string): PoolNode {
    const found = this.nodes.find((node) => node.name === name);
    if (found === undefined) throw new Error(`no node ${name}`);
    return found;
  }

  /** Starts it again with the same disk, if it was there before. */
  async start(name: string, host = hostOfName(name)): Promise<PoolNode> {
    const platform = this.#platformOf(name, host);
    const events: string[] = [];
    const log: string[] = [];
    const serf = await this.world.clock.until(
      startSerf({
        platform,
        logger: recordingLogger(log),
        name,
        bind: { host, port: PORT },
        protocol: 5,
        tags: {},
        profile: { ...LAN_PROFILE, compression: "none" },
        compilePattern,
        listener: (event) => events.push(shownEvent(event)),
        ...this.#options(name),
      }),
    );
    const node: PoolNode = {
      name,
      host,
      platform,
      serf,
      events,
      log,
      [Symbol.asyncDispose]: () => serf[Symbol.asyncDispose](),
    };
    this.nodes.push(node);
    return node;
  }

  /** Starts so many, which all join the first. */
  async startMany(count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const { serf } = await this.start(`n${index}`);
      if (index > 0) await this.world.clock.until(serf.join([this.node("n0").host]));
    }
    await this.until("all know all", () =>
      this.nodes.every(({ serf }) => serf.members().length === count),
    );
  }

  /** As kill -9. */
  async kill(name: string): Promise<void> {
    const node = this.node(name);
    this.nodes.splice(this.nodes.indexOf(node), 1);
    await this.world.clock.until(stopped(node));
  }

  /** Lets time pass until it is so. */
  async until(what: string, isSo: () => boolean, limitMs = 120_000, stepMs = 20): Promise<void> {
    const { clock } = this.world;
    const end = clock.now() + limitMs;
    while (!isSo()) {
      if (clock.now() >= end) throw new Error(`never: ${what}; ${this.views()}`);
      await clock.run(stepMs);
    }
  }

  /** What each node makes of the others: `n0: n1=alive n2=failed`. */
  views(): string {
    return this.nodes
      .map(({ name, serf }) => {
        const members = serf.members().filter((member) => member.name !== name);
        return `${name}: ${members.map((m) => `${m.name}=${m.status}`).join(" ")}`;
      })
      .join("\n");
  }

  statusesOf(name: string): readonly string[] {
    const others = this.nodes.filter((node) => node.name !== name);
    return others.map(({ serf }) => serf.member(name)?.status ?? "unknown");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world.clock.until(Promise.all(this.nodes.map((node) => stopped(node))));
  }

  #platformOf(name: string, host: string): SimPlatform {
    const known = this.#platforms.get(name);
    if (known !== undefined) return known;
    const { clock, network } = this.world;
    if (bytesOfHost(host) === undefined) throw new Error(`not an address: ${host}`);
    const platform = {
      ...simPlatform({ seed: name, hostname: name, beside: this.world }),
      network: network.at(host),
      clock: new HostClock(clock, network.links, host) as unknown as SimPlatform["clock"],
    };
    this.#platforms.set(name, platform);
    return platform;
  }
}

async function stopped(node: PoolNode): Promise<void> {
  await node[Symbol.asyncDispose]();
}

/** n7 has 10.0.0.8. */
function hostOfName(name: string): string {
  return `10.0.0.${Number(name.slice(1)) + 1}`;
}

export function tagsMember(name: string, tags: Tags): GossipMember {
  return gossipMember(name, { meta: encodeTags(tags) });
}
