/** An agent's local half over a server's endpoints, and whole agents: in virtual time and without sockets. */
import { loadConfig } from "../config/index.ts";
import { endpointsUnderTest, query } from "../endpoints/testkit.ts";
import {
  parseResponse,
  readStream,
  requestText,
  type WireRequest,
  type WireResponse,
} from "../http/testkit.ts";
import {
  jsonDecoder,
  CheckDefinition as CheckSchema,
  ServiceDefinition as ServiceSchema,
  type CheckDefinition,
  type HealthCheck,
  type ServiceDefinition,
  type ServiceNode,
} from "../model/index.ts";
import { lineLogger, noLogger, parseLogLevel } from "../platform/index.ts";
import { simPlatform, type SimPlatform } from "../platform/sim/index.ts";
import type { Delegate } from "../rpc/index.ts";
import { startAgent, type Agent } from "./agent.ts";
import { AntiEntropy, type NodeInfo } from "./anti-entropy.ts";
import { CheckRunners } from "./check-runners.ts";
import { LocalServices } from "./local-services.ts";
import { LocalState } from "./local-state.ts";
import { NOTHING_PERSISTED, type Persisted } from "./persisted.ts";

const blankService = jsonDecoder(ServiceSchema, { unknown: "refuse" })("{}");
const blankCheck = jsonDecoder(CheckSchema, { unknown: "refuse" })("{}");

export const service = (of: Partial<ServiceDefinition>): ServiceDefinition => ({
  ...blankService,
  ...of,
});
export const check = (of: Partial<CheckDefinition>): CheckDefinition => ({
  ...blankCheck,
  ...of,
});

export const CHECK_UPDATE_INTERVAL_MS = 300_000;

export interface LocalAgentOptions {
  readonly scripts?: boolean;
  /** `persisted` reads `state`: give both or neither. */
  readonly state?: LocalState;
  readonly persisted?: Persisted;
}
export function localAgentUnderTest(options: LocalAgentOptions = {}) {
  const { scripts = false, persisted = NOTHING_PERSISTED } = options;
  const server = endpointsUnderTest();
  const { platform } = server;
  const state = options.state ?? new LocalState(platform.clock);
  /** What the catalog was told, in order; a test can make it fail. */
  const calls: string[] = [];
  const faults: { next: Error | undefined } = { next: undefined };
  const delegate: Delegate = {
    async call(method, args, options) {
      calls.push(method);
      if (faults.next !== undefined) throw faults.next;
      return server.delegate.call(method, args, options);
    },
  };
  const node: NodeInfo = {
    id: "11111111-1111-4111-8111-111111111111",
    name: "n1",
    address: "127.0.0.1",
    datacenter: "dc1",
    taggedAddresses: { lan: "127.0.0.1" },
    meta: { rack: "r1" },
  };
  const antiEntropy = new AntiEntropy({
    clock: platform.clock,
    random: platform.random,
    logger: noLogger,
    delegate,
    state,
    node: () => node,
    memberCount: () => 1,
    checkUpdateIntervalMs: CHECK_UPDATE_INTERVAL_MS,
  });
  const runners = new CheckRunners({
    platform,
    logger: noLogger,
    state,
    delegate,
    outputMaxBytes: 4096,
    discardOutput: () => false,
    onStatus: () => void antiEntropy.syncChanges(),
    onOutput: (id) => antiEntropy.outputChanged(id),
    onOverdue: (id) => void services.deregisterService(id),
  });
  const services = new LocalServices({
    nodeName: node.name,
    logger: noLogger,
    state,
    runners,
    persisted,
    policy: () => ({ enableLocalScriptChecks: scripts, enableRemoteScriptChecks: scripts }),
    sync: () => antiEntropy.syncChanges(),
  });
  return {
    server,
    platform,
    state,
    services,
    runners,
    antiEntropy,
    calls,
    faults,
    /** What the catalog has of a service. */
    async catalog(ServiceName: string): Promise<readonly ServiceNode[]> {
      const args = query({ ServiceName, ServiceTags: [], NodeMetaFilters: {} });
      return (await server.delegate.call("Catalog.ServiceNodes", args)).value.ServiceNodes;
    },
    async catalogChecks(): Promise<readonly HealthCheck[]> {
      const args = query({ Node: node.name });
      return (await server.delegate.call("Health.NodeChecks", args)).value.HealthChecks;
    },
    close(): void {
      runners[Symbol.dispose]();
      antiEntropy[Symbol.dispose]();
    },
  };
}

/** A whole agent, from its configuration in HCL, with clients on the network of its simulated world. */
export interface WholeAgent extends AsyncDisposable {
  readonly agent: Agent;
  readonly platform: SimPlatform;
  /** Of the log, at its own level. */
  readonly lines: readonly string[];
  send(request: WireRequest, host?: string): Promise<WireResponse>;
  /** The body of an answer that is 200. */
  get(path: string): Promise<unknown>;
  put(path: string, body?: unknown): Promise<void>;
}

export async function wholeAgent(
  hcl: string,
  {
    platform = simPlatform({ seed: "agent", hostname: "n1" }),
    argv = ["-dev", "-bind=127.0.0.1"],
  }: { readonly platform?: SimPlatform; readonly argv?: readonly string[] } = {},
): Promise<WholeAgent> {
  const readConfig = () => loadConfig({ argv: [...argv, `-hcl=${hcl}`], platform });
  const loaded = await readConfig();
  const lines: string[] = [];
  const logger = lineLogger({
    level: parseLogLevel(loaded.config.logLevel) ?? "info",
    json: loaded.config.logJson,
    write: (line) => lines.push(line),
    clock: platform.clock,
  });
  const agent = await startAgent({
    platform,
    logger,
    loaded,
    readConfig,
    onLeave: () => {},
    onFailure: () => {},
  });
  const send = async (request: WireRequest, host = "127.0.0.1"): Promise<WireResponse> => {
    const address = { host, port: agent.config.ports.http };
    const stream = await platform.network.connect(address, {
      signal: new AbortController().signal,
    });
    stream.write(Buffer.from(requestText(request), "latin1"));
    return parseResponse(await readStream(stream));
  };
  const expectOk = ({ status, body }: WireResponse): string => {
    if (status !== 200) throw new Error(`${status}: ${body}`);
    return body;
  };
  return {
    agent,
    platform,
    lines,
    send,
    get: async (path) => JSON.parse(expectOk(await send({ path }))) as unknown,
    put: async (path, body) => {
      const text = typeof body === "string" ? body : JSON.stringify(body ?? {});
      expectOk(await send({ method: "PUT", path, body: text }));
    },
    [Symbol.asyncDispose]: () => agent[Symbol.asyncDispose](),
  };
}

/** Servers `s1`, `s2`, … at 10.0.0.1, 10.0.0.2, …, which expect one another. */
export interface AgentCluster extends AsyncDisposable {
  readonly world: SimPlatform;
  readonly agents: readonly ClusterAgent[];
  /** Lets time pass until all of these know the same leader. */
  leader(among?: readonly ClusterAgent[]): Promise<ClusterAgent>;
}
export interface ClusterAgent extends WholeAgent {
  readonly name: string;
  readonly host: string;
}

const LOOK_MS = 100;
const ELECTION_LIMIT_MS = 120_000;

export async function agentCluster(count: number, hcl: string): Promise<AgentCluster> {
  const world = simPlatform({ seed: "cluster" });
  const hosts = Array.from({ length: count }, (_, i) => `10.0.0.${i + 1}`);
  const agents: ClusterAgent[] = [];
  for (const [i, host] of hosts.entries()) {
    const name = `s${i + 1}`;
    const own = simPlatform({ seed: name, hostname: name, beside: world });
    const platform = { ...own, network: world.network.at(host) };
    const running = await wholeAgent(hcl, {
      platform,
      argv: [
        "-server",
        `-bootstrap-expect=${count}`,
        "-data-dir=/data",
        `-node=${name}`,
        `-bind=${host}`,
        `-client=${host}`,
        ...hosts.map((other) => `-retry-join=${other}`),
      ],
    });
    agents.push({ ...running, name, host });
  }
  const joined = agents.map(({ agent }) => agent.joinConfigured("lan"));
  await world.clock.until(Promise.all(joined));
  const { clock } = world;
  return {
    world,
    agents,
    leader: async (among = agents) => {
      const end = clock.now() + ELECTION_LIMIT_MS;
      while (clock.now() < end) {
        const told = among.map(async (agent) => {
          const { body } = await agent.send({ path: "/v1/status/leader" }, agent.host);
          return JSON.parse(body) as string;
        });
        const [first = "", ...others] = await clock.until(Promise.all(told));
        const leader = among.find(({ host }) => first === `${host}:8300`);
        if (leader !== undefined && others.every((other) => other === first)) return leader;
        await clock.run(LOOK_MS);
      }
      throw new Error("there is no leader");
    },
    async [Symbol.asyncDispose]() {
      const ended = agents.map((agent) => agent[Symbol.asyncDispose]());
      await clock.until(Promise.all(ended));
    },
  };
}
