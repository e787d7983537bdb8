/**
 * Replies before they are bytes: what a lookup found, with everything that could be said. The order of the
 * answers and how many of them fit are decided for each query anew (truncate.ts).
 */
import type { RuntimeConfig } from "../config/index.ts";
import type { Rcode } from "./message-decode.ts";
import { encodeName, isWithin, NAME_MAX_BYTES, type Name } from "./names.ts";
import type { RecordOf, ResourceRecord } from "./records.ts";
import type { Served } from "./served.ts";

/** An answer and the additional records that belong to it: they come and go together. */
export interface AnswerGroup {
  readonly record: ResourceRecord;
  readonly additional: readonly ResourceRecord[];
}

export interface Reply {
  readonly rcode: Rcode;
  readonly authoritative: boolean;
  /** Set where Consul would have asked its recursors. */
  readonly recursionAvailable: boolean;
  readonly answers: readonly AnswerGroup[];
  readonly authority: readonly ResourceRecord[];
  /** What belongs to no answer in particular. Left out from the end where there is no room. */
  readonly additional: readonly ResourceRecord[];
  /** "any": drawn anew for each query. */
  readonly order: "any" | "fixed";
  /** No more answers than this, however they are sent; not counted as truncation. */
  readonly answerMax: number;
  /** Does `udp_answer_limit` apply? */
  readonly countLimited: boolean;
}

const BLANK: Reply = {
  rcode: "NOERROR",
  authoritative: true,
  recursionAvailable: false,
  answers: [],
  authority: [],
  additional: [],
  order: "fixed",
  answerMax: Number.POSITIVE_INFINITY,
  countLimited: false,
};

export function reply(parts: Partial<Reply>): Reply {
  return { ...BLANK, ...parts };
}

/** No recursor had an answer, or there is none where Consul would have asked one. */
export const UNANSWERED: Reply = reply({
  rcode: "SERVFAIL",
  authoritative: false,
  recursionAvailable: true,
});

export const alone = (record: ResourceRecord): AnswerGroup => ({ record, additional: [] });

/** What replies are made from besides the catalog. */
export interface Zone {
  readonly config: RuntimeConfig;
  /** The main domain: names in answers are always in it, whichever domain was asked. */
  readonly domain: Name;
  readonly altDomain: Name | undefined;
  readonly soa: RecordOf<"SOA">;
  /** Are there recursors to ask about other names? */
  readonly recurses: boolean;
}

/** @param serial seconds since 1970 */
export function zoneAt({ config, domain, altDomain, recursion }: Served, serial: number): Zone {
  const recurses = recursion.recursors.length > 0;
  return { config, domain, altDomain, recurses, soa: startOfAuthority(config, domain, serial) };
}

export function isOurs(name: Name, { domain, altDomain }: Zone): boolean {
  return isWithin(name, domain) || (altDomain !== undefined && isWithin(name, altDomain));
}

/** The name does not exist, or has no record of the type asked for: both are said with the SOA beside it. */
export function negative(rcode: "NXDOMAIN" | "NOERROR", zone: Zone): Reply {
  return reply({ rcode, authority: [zone.soa] });
}

export function isNegative({ answers, authority, additional }: Reply, { soa }: Zone): boolean {
  return answers.length + additional.length === 0 && authority.length === 1 && authority[0] === soa;
}

function startOfAuthority(config: RuntimeConfig, domain: Name, serial: number): RecordOf<"SOA"> {
  const { refreshS, retryS, expireS, minTtlS } = config.dns.soa;
  return {
    name: domain,
    type: "SOA",
    ttlS: minTtlS,
    data: {
      primary: below(domain, "ns"),
      mailbox: below(domain, "hostmaster"),
      serial: serial >>> 0,
      refreshS,
      retryS,
      expireS,
      minTtlS,
    },
  };
}

/** A short, known label in front of the domain; the domain's length is checked when the zone is made. */
function below(domain: Name, label: string): Name {
  return nameBelow(domain, label) ?? domain;
}

/**
 * `labels` joined in front of the domain.
 * @returns undefined when that is no valid name: too long, or an empty label in it
 */
export function nameBelow(domain: Name, ...labels: readonly string[]): Name | undefined {
  const front = encodeName(labels.join("."));
  if (front === undefined || front.length - 1 + domain.length > NAME_MAX_BYTES) return undefined;
  const name = new Uint8Array(front.length - 1 + domain.length);
  name.set(front.subarray(0, -1));
  name.set(domain, front.length - 1);
  return name;
}
