/** The zones that a configuration says are served, and who is asked about other names. */
import type { RuntimeConfig } from "../config/index.ts";
import { RollcallError } from "../errors/index.ts";
import { encodeName, labelsOf, type Name } from "./names.ts";
import type { IpAddress } from "../platform/index.ts";
import type { Zones } from "./question.ts";
import { parseRecursor } from "./recursor-address.ts";

/** Who is asked about names outside the zones, and how. */
export interface Recursion {
  readonly recursors: readonly IpAddress[];
  readonly timeoutMs: number;
  readonly isRandom: boolean;
}

/** What a configuration says about names, worked out once. */
export interface Served {
  readonly config: RuntimeConfig;
  readonly domain: Name;
  readonly altDomain: Name | undefined;
  readonly zones: Zones;
  readonly recursion: Recursion;
}

/** @throws {RollcallError} `config/invalid` */
export function servedBy(config: RuntimeConfig): Served {
  const domain = zoneName(config.dnsDomain);
  const altDomain = config.dnsAltDomain === "" ? undefined : zoneName(config.dnsAltDomain);
  return {
    config,
    domain,
    altDomain,
    recursion: recursionOf(config),
    zones: {
      domain: labelsOf(domain),
      altDomain: altDomain === undefined ? undefined : labelsOf(altDomain),
    },
  };
}

const RECURSOR_TIMEOUT_DEFAULT_MS = 2000;

function recursionOf({ dns: { recursion } }: RuntimeConfig): Recursion {
  const timeoutMs = recursion?.timeoutMs ?? 0;
  return {
    recursors: (recursion?.recursors ?? []).map(parseRecursor),
    timeoutMs: timeoutMs > 0 ? timeoutMs : RECURSOR_TIMEOUT_DEFAULT_MS,
    isRandom: recursion?.strategy === "random",
  };
}

function zoneName(text: string): Uint8Array {
  const name = encodeName(text.toLowerCase());
  if (name !== undefined) return name;
  throw new RollcallError("config/invalid", `domain "${text}" is not a valid DNS name`);
}
