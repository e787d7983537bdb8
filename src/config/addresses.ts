/** Where the agent listens and what it tells others: templates expanded, defaults chosen, texts as Consul's. */
import { RollcallError, messageOf } from "../errors/index.ts";
import type { NetworkInterface } from "../platform/index.ts";
import { isAnyAddress, isIpv4, isIpv6, isPrivateIpv4, isPublicIpv6, isIp } from "./ip.ts";
import { expandTemplate } from "./sockaddr.ts";
import type { PoolConfig, RuntimeConfig } from "./runtime.ts";
import type { Settings } from "./settings.ts";

export type AddressFields = Pick<
  RuntimeConfig,
  | "bindAddr"
  | "advertiseAddr"
  | "advertiseAddrWan"
  | "taggedAddresses"
  | "clientAddrs"
  | "httpAddrs"
  | "dnsAddrs"
> & { readonly pools: PoolAddresses };
type PoolAddresses = {
  readonly [K in "lan" | "wan"]: Pick<PoolConfig, "bindAddr" | "startJoin" | "retryJoin">;
};

/**
 * @param errors takes mistakes that can be told together
 * @throws {RollcallError} `config/invalid` where nothing sensible can follow: no bind address, none to advertise
 */
export function deriveAddresses(
  settings: Settings,
  interfaces: readonly NetworkInterface[],
  errors: string[],
): AddressFields {
  const expand = new Expander(settings, interfaces, errors);
  const bindAddr = bindAddress(settings, interfaces);
  const clientAddrs = expand.several("client_addr", "ip");
  const httpAddrs = settings.has("addresses.http")
    ? expand.several("addresses.http", "ip or socket")
    : clientAddrs;
  const dnsAddrs = settings.has("addresses.dns")
    ? expand.several("addresses.dns", "ip or socket")
    : clientAddrs;
  const pools: PoolAddresses = {
    lan: {
      bindAddr: expand.single("serf_lan") ?? bindAddr,
      startJoin: expand.each("start_join"),
      retryJoin: expand.each("retry_join"),
    },
    wan: {
      bindAddr: expand.single("serf_wan") ?? bindAddr,
      startJoin: expand.each("start_join_wan"),
      retryJoin: expand.each("retry_join_wan"),
    },
  };
  const advertised = expand.single("advertise_addr");
  const advertiseAddr = advertised ?? chosenFor(bindAddr, interfaces);
  const advertiseAddrWan = expand.single("advertise_addr_wan") ?? advertiseAddr;
  const family = (key: string, version: "ipv4" | "ipv6", otherwise: string): string | undefined => {
    const isOfFamily = version === "ipv4" ? isIpv4 : isIpv6;
    const given = expand.single(key);
    if (given === undefined) return isOfFamily(otherwise) ? otherwise : undefined;
    if (!isOfFamily(given)) {
      throw new RollcallError("config/invalid", `${key} must be an ${version} address`);
    }
    return given;
  };
  const tagged = Object.entries({
    lan: advertiseAddr,
    lan_ipv4: family("advertise_addr_ipv4", "ipv4", advertiseAddr),
    lan_ipv6: family("advertise_addr_ipv6", "ipv6", advertiseAddr),
    wan: advertiseAddrWan,
    wan_ipv4: family("advertise_addr_wan_ipv4", "ipv4", advertiseAddrWan),
    wan_ipv6: family("advertise_addr_wan_ipv6", "ipv6", advertiseAddrWan),
  }).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    bindAddr,
    advertiseAddr,
    advertiseAddrWan,
    taggedAddresses: { ...Object.fromEntries(tagged), ...settings.textMap("tagged_addresses") },
    clientAddrs,
    httpAddrs,
    dnsAddrs,
    pools,
  };
}

/** Servers for names outside the domain. What is no address among them is refused when DNS starts. */
export function recursorsOf(
  settings: Settings,
  interfaces: readonly NetworkInterface[],
  errors: string[],
): string[] {
  return new Expander(settings, interfaces, errors).each("recursors");
}

/** Whatever cannot be read counts as empty, as it does for Consul. */
function bindAddress(settings: Settings, interfaces: readonly NetworkInterface[]): string {
  const fail = (text: string): RollcallError => new RollcallError("config/invalid", text);
  let addresses: string[];
  try {
    addresses = words(expandTemplate(settings.text("bind_addr"), interfaces));
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    addresses = [];
  }
  const [address, ...more] = addresses;
  if (address === undefined) throw fail("bind_addr cannot be empty");
  if (more.length > 0) {
    throw fail(
      "bind_addr cannot contain multiple addresses. Use 'addresses.{dns,http,https}' instead.",
    );
  }
  if (isSocket(address)) throw fail("bind_addr cannot be a unix socket");
  if (address === "[::]") return "::";
  if (!isIp(address)) throw fail("bind_addr cannot be empty");
  return address;
}

/** The address to advertise when only the bind address is known. Loopback counts where there is nothing else. */
function chosenFor(bindAddr: string, interfaces: readonly NetworkInterface[]): string {
  if (!isAnyAddress(bindAddr)) return bindAddr;
  const [kind, fits] = isIpv4(bindAddr)
    ? (["private IPv4", isPrivateIpv4] as const)
    : (["public IPv6", isPublicIpv6] as const);
  const outward = interfaces.filter(({ internal }) => !internal);
  const [address, ...more] = (outward.length > 0 ? outward : interfaces)
    .map((one) => one.address)
    .filter(fits);
  if (address === undefined) {
    throw new RollcallError("config/invalid", `No ${kind} address found`);
  }
  if (more.length > 0) {
    throw new RollcallError(
      "config/invalid",
      `Multiple ${kind} addresses found. Please configure one with 'bind' and/or 'advertise'.`,
    );
  }
  return address;
}

class Expander {
  readonly #settings: Settings;
  readonly #interfaces: readonly NetworkInterface[];
  readonly #errors: string[];

  constructor(settings: Settings, interfaces: readonly NetworkInterface[], errors: string[]) {
    this.#settings = settings;
    this.#interfaces = interfaces;
    this.#errors = errors;
  }

  several(key: string, allowed: "ip" | "ip or socket"): string[] {
    let addresses: string[];
    try {
      addresses = words(expandTemplate(this.#settings.text(key), this.#interfaces));
    } catch (error) {
      this.#errors.push(`${key}: ${messageOf(error)}`);
      return [];
    }
    return addresses.filter((address) => {
      if (isSocket(address)) {
        if (allowed === "ip or socket") return true;
        this.#errors.push(`${key} cannot be a unix socket`);
      } else if (!isIp(address)) {
        this.#errors.push(`${key}: invalid ip address: ${address}`);
      } else return true;
      return false;
    });
  }

  /** The words of every template of a list, and what is none as it is, blanks included; each once. */
  each(key: string): string[] {
    const expanded = this.#settings.texts(key).flatMap((text) => {
      try {
        const result = expandTemplate(text, this.#interfaces);
        return result === text ? [text] : words(result);
      } catch (error) {
        this.#errors.push(`${key}: ${messageOf(error)}`);
        return [];
      }
    });
    return [...new Set(expanded)];
  }

  single(key: string): string | undefined {
    const addresses = this.several(key, "ip");
    if (addresses.length > 1) {
      this.#errors.push(`${key}: multiple addresses found: ${addresses.join(" ")}`);
    }
    return addresses[0];
  }
}

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== "");
export const isSocket = (address: string): boolean => address.startsWith("unix://");
