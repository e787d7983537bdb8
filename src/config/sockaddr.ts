/**
 * Address templates: `{{ GetInterfaceIP "eth0" }}`, `{{ GetAllInterfaces | include "network" "10.0.0.0/8" |
 * attr "address" }}`. A part of go-sockaddr's language, evaluated over this machine's addresses.
 *
 * The routing table is not consulted: where go-sockaddr takes the interface of the default route, this takes
 * every interface that is not loopback, in the system's order. Functions known to go-sockaddr and missing
 * here are refused by name.
 */
import { RollcallError } from "../errors/index.ts";
import { goQuote } from "../model/index.ts";
import type { NetworkInterface } from "../platform/index.ts";
import { cidrContains, isForwarded, isIpv4, isIpv6, isRfc1918, isSpecial } from "./ip.ts";

type Addresses = readonly NetworkInterface[];
type Result = Addresses | string;
type Run = (args: readonly string[], input: Result, all: Addresses) => Result;

/**
 * Replaces every `{{ … }}` in the text.
 * @throws {RollcallError} `config/invalid`: `error parsing "{{ foo }}": …`
 */
export function expandTemplate(text: string, interfaces: Addresses): string {
  if (!text.includes("{{")) return text;
  try {
    let expanded = "";
    let rest = text;
    for (let open = rest.indexOf("{{"); open >= 0; open = rest.indexOf("{{")) {
      const close = rest.indexOf("}}", open);
      if (close < 0) throw problem("unclosed action");
      expanded += rest.slice(0, open) + evaluate(rest.slice(open + 2, close), interfaces);
      rest = rest.slice(close + 2);
    }
    return expanded + rest;
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    const quoted = goQuote(text);
    throw problem(
      `error parsing ${quoted}: unable to parse template ${quoted}: template: sockaddr.Parse:1: ${error.message}`,
    );
  }
}

const problem = (text: string): RollcallError => new RollcallError("config/invalid", text);

const WORD = /^\s*(?:"((?:[^"\\]|\\.)*)"|`([^`]*)`|([^\s|"`]+)|(\|))/;

function evaluate(pipeline: string, all: Addresses): string {
  const commands: string[][] = [[]];
  let rest = pipeline;
  while (rest.trim() !== "") {
    const match = WORD.exec(rest);
    if (match === null) throw problem("unterminated quoted string");
    const [whole, quoted, raw, bare, pipe] = match;
    if (pipe !== undefined) commands.push([]);
    else commands.at(-1)?.push(quoted?.replaceAll(/\\(.)/g, "$1") ?? raw ?? bare ?? "");
    rest = rest.slice(whole.length);
  }
  let value: Result = [];
  for (const [name, ...args] of commands) {
    if (name === undefined) throw problem("missing value for command");
    const run = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
    if (run === undefined) {
      throw problem(
        UNSUPPORTED.has(name)
          ? `function ${goQuote(name)} is not supported in this version`
          : `function ${goQuote(name)} not defined`,
      );
    }
    value = run(args, value, all);
  }
  return typeof value === "string" ? value : value.map(({ address }) => address).join(" ");
}

const UNSUPPORTED = new Set(["math", "Attr", "SourceFuncs", "SortFuncs", "FilterFuncs"]);

const outward = (all: Addresses): Addresses =>
  all.filter(({ internal, address }) => !internal && isForwarded(address));
const privates = (all: Addresses): Addresses =>
  largestFirst(outward(all).filter(({ address }) => isSpecial(address)));
const publics = (all: Addresses): Addresses =>
  largestFirst(outward(all).filter(({ address }) => !isSpecial(address)));
const prefixBits = (one: NetworkInterface): number => one.prefixBits ?? Number.MAX_SAFE_INTEGER;
/** IPv4 before IPv6, and large networks before small ones. */
const largestFirst = (addresses: Addresses): Addresses =>
  addresses.toSorted((a, b) => {
    const families = Number(isIpv6(a.address)) - Number(isIpv6(b.address));
    return families === 0 ? prefixBits(a) - prefixBits(b) : families;
  });
const first = (addresses: Addresses): string => addresses[0]?.address ?? "";
const joined = (addresses: Addresses): string => addresses.map(({ address }) => address).join(" ");
const named = (all: Addresses, name: string | undefined): Addresses =>
  all.filter((one) => one.name === name);

const FUNCTIONS: Readonly<Record<string, Run>> = {
  GetPrivateIP: (_, _input, all) => first(privates(all).filter(({ address }) => isIpv4(address))),
  GetPrivateIPs: (_, _input, all) => joined(privates(all)),
  GetPublicIP: (_, _input, all) => first(publics(all).filter(({ address }) => isIpv4(address))),
  GetPublicIPs: (_, _input, all) => joined(publics(all)),
  GetInterfaceIP: ([name], _input, all) => first(largestFirst(named(all, name))),
  GetInterfaceIPs: ([name], _input, all) => joined(largestFirst(named(all, name))),
  GetAllInterfaces: (_, _input, all) => all,
  GetDefaultInterfaces: (_, _input, all) => outward(all),
  GetPrivateInterfaces: (_, _input, all) => privates(all),
  GetPublicInterfaces: (_, _input, all) => publics(all),
  include: ([by, value], input) => asAddresses(input, "include").filter(matcher(by, value)),
  exclude: ([by, value], input) => {
    const matches = matcher(by, value);
    return asAddresses(input, "exclude").filter((one) => !matches(one));
  },
  sort: ([by = ""], input) => sorted(asAddresses(input, "sort"), by.split(",")),
  unique: ([by = "address"], input) => {
    const attribute = attributeOf(by);
    const seen = new Map<string, NetworkInterface>();
    for (const one of asAddresses(input, "unique")) {
      if (!seen.has(attribute(one))) seen.set(attribute(one), one);
    }
    return [...seen.values()];
  },
  limit: ([count], input) => asAddresses(input, "limit").slice(0, asCount(count, "limit")),
  offset: ([count], input) => asAddresses(input, "offset").slice(asCount(count, "offset")),
  attr: ([by], input) => {
    const [one] = asAddresses(input, "attr");
    return one === undefined ? "" : attributeOf(by)(one);
  },
  join: ([by, separator = " "], input) =>
    asAddresses(input, "join").map(attributeOf(by)).join(separator),
};

function asAddresses(input: Result, name: string): Addresses {
  if (typeof input === "string") throw problem(`${name} wants a list of addresses before it`);
  return input;
}

function asCount(text: string | undefined, name: string): number {
  if (text === undefined || !/^\d{1,9}$/.test(text)) throw problem(`${name} wants a number`);
  return Number(text);
}

function attributeOf(by = ""): (one: NetworkInterface) => string {
  switch (by) {
    case "address":
      return ({ address }) => address;
    case "name":
      return ({ name }) => name;
    case "type":
      return ({ address }) => (isIpv4(address) ? "IPv4" : "IPv6");
    default:
      throw problem(`attribute ${goQuote(by)} is not supported in this version`);
  }
}

function matcher(by = "", value?: string): (one: NetworkInterface) => boolean {
  if (value === undefined) throw problem(`filter ${goQuote(by)} wants a value`);
  switch (by) {
    case "name":
    case "address": {
      const attribute = attributeOf(by);
      const pattern = regularExpression(value);
      return (one) => pattern.test(attribute(one));
    }
    case "network":
      return ({ address }) => cidrContains(value, address);
    case "type":
      return ({ address }) =>
        value.toLowerCase() === "ip" ||
        (isIpv4(address) && value.toLowerCase() === "ipv4") ||
        (isIpv6(address) && value.toLowerCase() === "ipv6");
    case "flags":
      return ({ internal, address }) =>
        value.split("|").every((name) => {
          if (name === "up") return true;
          if (name === "loopback") return internal;
          if (name === "forwardable") return isForwarded(address);
          throw problem(`flag ${goQuote(name)} is not supported in this version`);
        });
    case "rfc":
      if (value === "1918") return ({ address }) => isRfc1918(address);
      if (value === "6890") return ({ address }) => isSpecial(address);
      throw problem(`rfc ${goQuote(value)} is not supported in this version`);
    default:
      throw problem(`filter ${goQuote(by)} is not supported in this version`);
  }
}

function regularExpression(source: string): RegExp {
  try {
    return new RegExp(source);
  } catch {
    throw problem(`invalid regular expression ${goQuote(source)}`);
  }
}

function sorted(addresses: Addresses, keys: readonly string[]): Addresses {
  const orders = keys.map((key) => {
    const descending = key.startsWith("-");
    return { attribute: attributeOf(key.replace(/^[+-]/, "")), sign: descending ? -1 : 1 };
  });
  return addresses.toSorted((a, b) => {
    for (const { attribute, sign } of orders) {
      const order = attribute(a).localeCompare(attribute(b), "en", { numeric: true });
      if (order !== 0) return sign * order;
    }
    return 0;
  });
}
