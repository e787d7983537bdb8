/** What a service definition becomes: the record that the agent keeps, and the checks that go with it. */
import { RollcallError } from "../errors/index.ts";
import {
  BLANK_PROXY,
  BLANK_SERVICE,
  checksOfService,
  ipVersion,
  validateCheckDefinition,
  validateServiceDefinition,
  type CheckDefinition,
  type NodeService,
  type ServiceAddress,
  type ServiceDefinition,
} from "../model/index.ts";

const bad = (text: string): RollcallError => new RollcallError("request/bad", text);
const refuse = (text: string): RollcallError => new RollcallError("request/refused", text);

const ANY_ADDRESSES = new Set(["0.0.0.0", "::", "[::]"]);
const STATUSES = new Set(["", "passing", "warning", "critical"]);
const DNS_NAME = /^[a-zA-Z0-9-]{1,63}$/;

const PROBLEM_HEADS = {
  meta: "Invalid Service Meta: ",
  weights: "Invalid Weights: ",
  proxy: "",
} as const;

export interface PreparedService {
  readonly service: NodeService;
  readonly checks: readonly CheckDefinition[];
  /** For the log: what will not work although it is not refused. */
  readonly warnings: readonly string[];
}

/** @throws {RollcallError} with the text and status that Consul's API answers */
export function prepareService(definition: ServiceDefinition): PreparedService {
  if (definition.Name === "") throw bad("Missing service name");
  if (ANY_ADDRESSES.has(definition.Address)) throw bad("Invalid service address");
  const problem = validateServiceDefinition(definition);
  if (problem !== undefined) throw bad(`${PROBLEM_HEADS[problem.aspect]}${problem.text}`);
  const checks = checksOfService(definition);
  for (const check of checks) {
    const fault = validateCheckDefinition(check);
    if (fault !== undefined) throw bad(`Invalid check: ${fault}`);
  }
  if (checks.some(({ Status }) => !STATUSES.has(Status))) {
    throw bad("Status for checks must 'passing', 'warning', 'critical'");
  }
  return { service: toService(definition), checks, warnings: nameWarnings(definition) };
}

function toService(definition: ServiceDefinition): NodeService {
  const TaggedAddresses = withOwnAddress(definition);
  checkTaggedAddresses(TaggedAddresses);
  return {
    Kind: definition.Kind,
    ID: definition.ID === "" ? definition.Name : definition.ID,
    Service: definition.Name,
    Tags: definition.Tags,
    Address: definition.Address,
    TaggedAddresses,
    Meta: definition.Meta,
    Port: definition.Port,
    Weights: definition.Weights ?? BLANK_SERVICE.Weights,
    EnableTagOverride: definition.EnableTagOverride,
    Proxy: definition.Proxy ?? BLANK_PROXY,
    Connect: { Native: definition.Connect?.Native ?? false },
    CreateIndex: 0,
    ModifyIndex: 0,
  };
}

/** An IP address of the service stands for its LAN and WAN address of that family, where none is given. */
function withOwnAddress(definition: ServiceDefinition): NodeService["TaggedAddresses"] {
  const { Address, Port, TaggedAddresses } = definition;
  const version = Address === "" ? 0 : ipVersion(Address);
  if (version === 0) return TaggedAddresses;
  const own: ServiceAddress = { Address, Port };
  return { [`lan_ipv${version}`]: own, [`wan_ipv${version}`]: own, ...TaggedAddresses };
}

function checkTaggedAddresses(addresses: NodeService["TaggedAddresses"]): void {
  if (addresses === null) return;
  for (const [name, { Address }] of Object.entries(addresses)) {
    const version = /^(?:lan|wan)_ipv([46])$/.exec(name)?.[1];
    if (version === undefined || ipVersion(Address) === Number(version)) continue;
    throw refuse(`Service tagged address "${name}" must be a valid ipv${version} address`);
  }
}

function nameWarnings({ Name, Tags }: ServiceDefinition): string[] {
  const warnings: string[] = [];
  if (!DNS_NAME.test(Name)) {
    warnings.push(
      "Service name will not be discoverable via DNS due to invalid characters. Valid characters include " +
        "all alpha-numerics and dashes.",
    );
  }
  if ((Tags ?? []).some((tag) => !/^[a-zA-Z0-9-]+$/.test(tag))) {
    warnings.push(
      "Service tag will not be discoverable via DNS due to invalid characters. Valid characters include " +
        "all alpha-numerics and dashes.",
    );
  }
  return warnings;
}
