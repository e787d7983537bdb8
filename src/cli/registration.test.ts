import { expect, test } from "vitest";
import {
  jsonDecoder,
  CheckDefinition as CheckSchema,
  ServiceDefinition as ServiceSchema,
  type CheckDefinition,
  type ServiceDefinition,
} from "../model/index.ts";
import { encodeRegistration, registrationOf } from "./registration.ts";

const blankService = jsonDecoder(ServiceSchema, { unknown: "refuse" })("{}");
const blankCheck = jsonDecoder(CheckSchema, { unknown: "refuse" })("{}");
const decode = jsonDecoder(ServiceSchema, { unknown: "refuse" });

function whatTheAgentReads(definition: Partial<ServiceDefinition>): ServiceDefinition {
  return decode(
    encodeRegistration(registrationOf({ ...blankService, Name: "web", ...definition })),
  );
}

/** Each with a value of its own; those that are not passed on are the service's. */
const CHECK: CheckDefinition = {
  ...blankCheck,
  CheckID: "c",
  Name: "n",
  Notes: "o",
  Status: "passing",
  ScriptArgs: ["a", "b"],
  HTTP: "http://x",
  Header: { H: ["1", "2"] },
  Method: "PUT",
  Body: "{}",
  DisableRedirects: true,
  TCP: "x:1",
  TCPUseTLS: true,
  UDP: "x:2",
  Interval: 1_500_000_000,
  AliasNode: "an",
  AliasService: "as",
  DockerContainerID: "d",
  Shell: "/bin/sh",
  GRPC: "x:3",
  GRPCUseTLS: true,
  H2PING: "x:4",
  H2PingUseTLS: false,
  OSService: "os",
  TLSServerName: "t",
  TLSSkipVerify: true,
  Timeout: 2_000_000_000,
  TTL: 3_000_000_000,
  SuccessBeforePassing: 4,
  FailuresBeforeWarning: 5,
  FailuresBeforeCritical: 6,
  StartPeriod: 7_000_000_000,
  InitialDelay: 8_000_000_000,
  DeregisterCriticalServiceAfter: 9_000_000_000,
  OutputMaxSize: 10,
};

test("everything that a check can say reaches the agent", () => {
  const left = Object.entries(CHECK).filter(
    ([, value]) => value === "" || value === 0 || value === null,
  );
  expect(left.map(([name]) => name)).toEqual(["ServiceID", "Token"]);
  const given = { ...CHECK, ServiceID: "other", Token: "t" };
  expect(whatTheAgentReads({ Checks: [given] }).Checks).toEqual([CHECK]);
  expect(whatTheAgentReads({ Check: given }).Checks).toEqual([CHECK]);
});

test("what a check does not say is left out", () => {
  const text = encodeRegistration(
    registrationOf({ ...blankService, Name: "web", Check: blankCheck }),
  );
  expect(JSON.parse(text)).toMatchObject({ Checks: [{}] });
  expect(whatTheAgentReads({ Check: blankCheck }).Checks).toEqual([blankCheck]);
});

test("everything that a service can say reaches the agent, but its token", () => {
  const service: Partial<ServiceDefinition> = {
    Kind: "connect-proxy",
    ID: "web1",
    Tags: ["a"],
    Address: "10.0.0.1",
    TaggedAddresses: { lan: { Address: "10.0.0.2", Port: 5 } },
    Meta: { k: "v" },
    Port: 80,
    Weights: { Passing: 3, Warning: 2 },
    EnableTagOverride: true,
    Connect: { Native: true },
  };
  expect(whatTheAgentReads({ ...service, Token: "t" })).toEqual({
    ...blankService,
    Name: "web",
    ...service,
  });
});
