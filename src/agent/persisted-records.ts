/**
 * What is kept of a registration in the data directory, as JSON that Consul 1.8 reads and writes:
 *
 *     services/<md5 of the ID>      {"Token", "Service", "Source"}
 *     checks/<md5 of the ID>        {"Check", "ChkType", "Token", "Source"}; ChkType is null for maintenance
 *     checks/state/<md5 of the ID>  {"CheckID", "Output", "Status", "Expires"}; of TTL checks, in Unix seconds
 *
 * Consul 1.8 skips a check when ChkType holds a field that it does not know, and its service then counts as
 * healthy. So what only refines a check of a type that it has stands beside ChkType, in "Refined", which it
 * ignores. The types that it does not have are left in ChkType: there it skips the file and keeps it.
 */
import { createHash } from "node:crypto";
import {
  bool,
  BLANK_SERVICE,
  type CheckDefinition,
  duration,
  HealthCheck,
  int,
  jsonDecoder,
  jsonEncoder,
  list,
  map,
  NodeService,
  nullableBool,
  omitEmpty,
  pointer,
  sameRecord,
  struct,
  text,
  validateCheckDefinition,
  type CheckStatus,
  type Static,
} from "../model/index.ts";
import type { CheckEntry, ServiceEntry } from "./local-state.ts";

/** In ChkType where later releases of Consul write it. */
const refinements = {
  DisableRedirects: omitEmpty(bool()),
  TCPUseTLS: omitEmpty(bool()),
  TLSServerName: omitEmpty(text()),
  FailuresBeforeWarning: omitEmpty(int()),
  StartPeriod: omitEmpty(duration()),
  InitialDelay: omitEmpty(duration()),
};
const Refined = struct("RefinedCheckType", refinements);

const ChkType = struct("CheckType", {
  CheckID: text(),
  Name: text(),
  Status: text(),
  Notes: text(),
  ScriptArgs: list(text()),
  HTTP: text(),
  Header: map(list(text())),
  Method: text(),
  Body: text(),
  TCP: text(),
  Interval: duration(),
  AliasNode: text(),
  AliasService: text(),
  DockerContainerID: text(),
  Shell: text(),
  GRPC: text(),
  GRPCUseTLS: bool(),
  TLSSkipVerify: bool(),
  Timeout: duration(),
  TTL: duration(),
  SuccessBeforePassing: int(),
  FailuresBeforeCritical: int(),
  ProxyHTTP: text(),
  ProxyGRPC: text(),
  DeregisterCriticalServiceAfter: duration(),
  OutputMaxSize: int(),
  UDP: omitEmpty(text()),
  H2PING: omitEmpty(text()),
  H2PingUseTLS: omitEmpty(nullableBool()),
  OSService: omitEmpty(text()),
  ...refinements,
});

const ServiceFile = struct("persistedService", {
  Token: text(),
  Service: NodeService,
  Source: text(),
});
const CheckFile = struct("persistedCheck", {
  Check: HealthCheck,
  ChkType: pointer(ChkType),
  Refined: omitEmpty(pointer(Refined)),
  Token: text(),
  Source: text(),
});
const StateFile = struct("persistedCheckState", {
  CheckID: text(),
  Output: text(),
  Status: text(),
  Expires: int(),
});

const encodeServiceFile = jsonEncoder(ServiceFile);
const encodeCheckFile = jsonEncoder(CheckFile);
export const encodeTtlState = jsonEncoder(StateFile);
const readServiceFile = jsonDecoder(ServiceFile, { unknown: "ignore" });
const readCheckFile = jsonDecoder(CheckFile, { unknown: "ignore" });
const readStateFile = jsonDecoder(StateFile, { unknown: "ignore" });

/** Later releases of Consul name files by SHA-256; their names are read, and replaced by ours. */
export function fileNameOf(id: string): string {
  return createHash("md5").update(id).digest("hex");
}

export interface KeptService {
  readonly service: NodeService;
  readonly token: string;
}
export interface KeptCheck {
  readonly check: HealthCheck;
  /** Undefined for maintenance mode. */
  readonly definition: CheckDefinition | undefined;
  readonly token: string;
}
export interface KeptTtlState {
  readonly checkId: string;
  readonly status: CheckStatus;
  readonly output: string;
  /** Unix seconds. */
  readonly expiresS: number;
}

const SOURCE = "remote";

export function encodeService({ service, token }: ServiceEntry): string {
  return encodeServiceFile({ Token: token, Service: service, Source: SOURCE });
}

const UNREFINED: Static<typeof Refined> = {
  DisableRedirects: false,
  TCPUseTLS: false,
  TLSServerName: "",
  FailuresBeforeWarning: 0,
  StartPeriod: 0,
  InitialDelay: 0,
};

function refinedOf(definition: Static<typeof Refined>): Static<typeof Refined> | null {
  const { DisableRedirects, TCPUseTLS, TLSServerName } = definition;
  const { FailuresBeforeWarning, StartPeriod, InitialDelay } = definition;
  const refined = {
    DisableRedirects,
    TCPUseTLS,
    TLSServerName,
    FailuresBeforeWarning,
    StartPeriod,
    InitialDelay,
  };
  return sameRecord(refined, UNREFINED) ? null : refined;
}

/** Without a result: no restart believes one, unless it is a TTL check's. */
export function encodeCheck({ check, definition, token }: CheckEntry): string {
  return encodeCheckFile({
    Check: { ...check, Status: "critical", Output: "" },
    ChkType:
      definition === undefined
        ? null
        : { ...definition, ...UNREFINED, ProxyHTTP: "", ProxyGRPC: "" },
    Refined: definition === undefined ? null : refinedOf(definition),
    Token: token,
    Source: definition === undefined ? "local" : SOURCE,
  });
}

/** @throws {Error} saying what is wrong with the text */
export function decodeService(json: string): KeptService {
  const { Service, Token } = readServiceFile(json);
  if (Service.ID === "" || Service.Service === "") throw new Error("the service has no ID or name");
  const { Passing, Warning } = Service.Weights;
  const Weights = Passing === 0 && Warning === 0 ? BLANK_SERVICE.Weights : Service.Weights;
  return { service: { ...Service, Weights, CreateIndex: 0, ModifyIndex: 0 }, token: Token };
}

/** @throws {Error} saying what is wrong with the text */
export function decodeCheck(json: string): KeptCheck {
  const { Check, ChkType: type, Refined: refined, Token } = readCheckFile(json);
  if (Check.CheckID === "") throw new Error("the check has no ID");
  if (type === null) {
    if (Check.Type !== "maintenance") throw new Error("the check has no type");
    return { check: Check, definition: undefined, token: Token };
  }
  const definition = definitionOf({ ...type, ...refined }, Check, Token);
  const fault = validateCheckDefinition(definition);
  if (fault !== undefined) throw new Error(fault);
  return { check: Check, definition, token: Token };
}

function definitionOf(
  { ProxyHTTP: _http, ProxyGRPC: _grpc, ...type }: Static<typeof ChkType>,
  { CheckID, Name, Notes, ServiceID }: HealthCheck,
  Token: string,
): CheckDefinition {
  return { ...type, CheckID, Name, Notes, ServiceID, Token };
}

const STATUSES: ReadonlySet<string> = new Set(["passing", "warning", "critical"]);
const isStatus = (status: string): status is CheckStatus => STATUSES.has(status);

/** @throws {Error} saying what is wrong with the text */
export function decodeTtlState(json: string): KeptTtlState {
  const { CheckID, Output, Status, Expires } = readStateFile(json);
  if (CheckID === "") throw new Error("the check has no ID");
  if (!isStatus(Status)) throw new Error(`"${Status}" is no status`);
  return { checkId: CheckID, status: Status, output: Output, expiresS: Expires };
}
