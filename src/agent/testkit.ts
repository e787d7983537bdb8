/** An agent's local half over a server's endpoints, in virtual time and without sockets. */
import { endpointsUnderTest, query } from "../endpoints/testkit.ts";
import {
  jsonDecoder,
  CheckDefinition as CheckSchema,
  ServiceDefinition as ServiceSchema,
  type CheckDefinition,
  type HealthCheck,
  type ServiceDefinition,
  type ServiceNode,
} from "../model/index.ts";
import { noLogger } from "../platform/index.ts";
import type { Delegate } from "../rpc/index.ts";
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
