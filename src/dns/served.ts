/** The zones that a configuration says are served. */
import type { RuntimeConfig } from "../config/index.ts";
import { RollcallError } from "../errors/index.ts";
import { encodeName, labelsOf, type Name } from "./names.ts";
import type { Zones } from "./question.ts";

/** What a configuration says about names, worked out once. */
export interface Served {
  readonly config: RuntimeConfig;
  readonly domain: Name;
  readonly altDomain: Name | undefined;
  readonly zones: Zones;
}

/** @throws {RollcallError} `config/invalid` */
export function servedBy(config: RuntimeConfig): Served {
  const domain = zoneName(config.dnsDomain);
  const altDomain = config.dnsAltDomain === "" ? undefined : zoneName(config.dnsAltDomain);
  return {
    config,
    domain,
    altDomain,
    zones: {
      domain: labelsOf(domain),
      altDomain: altDomain === undefined ? undefined : labelsOf(altDomain),
    },
  };
}

function zoneName(text: string): Uint8Array {
  const name = encodeName(text.toLowerCase());
  if (name !== undefined) return name;
  throw new RollcallError("config/invalid", `domain "${text}" is not a valid DNS name`);
}
