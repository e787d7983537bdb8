/** What the configuration says of HTTP, in the form in which each request needs it: made once per configuration. */
import type { RuntimeConfig } from "../config/index.ts";
import { holdsIp, parseCidr, parseIp, type Cidr } from "../model/index.ts";

export interface Policy {
  readonly config: RuntimeConfig;
  /** Headers of every API answer: `response_headers`, and that addresses are translated. */
  readonly extraHeaders: readonly string[];
  readonly alwaysPretty: boolean;
  /** Whether finished requests are logged at all: building the line would cost otherwise. */
  readonly logsRequests: boolean;
  isBlocked(path: string): boolean;
  mayWriteFrom(host: string): boolean;
}

const policies = new WeakMap<RuntimeConfig, Policy>();

export function policyOf(config: RuntimeConfig): Policy {
  const known = policies.get(config);
  if (known !== undefined) return known;
  const policy = makePolicy(config);
  policies.set(config, policy);
  return policy;
}

function makePolicy(config: RuntimeConfig): Policy {
  const { blockEndpoints, allowWriteHttpFrom, responseHeaders } = config.http;
  const networks = allowWriteHttpFrom
    .map(parseCidr)
    .filter((network): network is Cidr => network !== undefined);
  const extraHeaders = Object.entries(responseHeaders).flatMap(([name, value]) => [
    canonicalHeader(name),
    value,
  ]);
  if (config.translateWanAddrs) extraHeaders.push("X-Consul-Translate-Addresses", "true");
  return {
    config,
    extraHeaders,
    alwaysPretty: config.devMode,
    logsRequests: config.logLevel === "DEBUG" || config.logLevel === "TRACE",
    isBlocked:
      blockEndpoints.length === 0
        ? () => false
        : (path) => blockEndpoints.some((prefix) => path.startsWith(prefix)),
    mayWriteFrom(host) {
      if (allowWriteHttpFrom.length === 0) return true;
      const ip = parseIp(host);
      return ip !== undefined && networks.some((network) => holdsIp(network, ip));
    },
  };
}

/** Go's canonical form: `x-consul-index` is `X-Consul-Index`. */
export function canonicalHeader(name: string): string {
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/i.test(name)) return name;
  return name.toLowerCase().replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => {
    return dash + letter.toUpperCase();
  });
}
