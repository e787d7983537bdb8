import { expect, test } from "vitest";
import type { CheckDefinition, ServiceDefinition } from "./definitions.ts";
import {
  checksOfService,
  checkTypeOf,
  validateCheckDefinition,
  validateServiceDefinition,
} from "./validate-definitions.ts";

const S = 1e9;
const check = (given: Partial<CheckDefinition>): CheckDefinition => ({
  CheckID: "",
  Name: "",
  Notes: "",
  ServiceID: "",
  Token: "",
  Status: "",
  ScriptArgs: null,
  HTTP: "",
  Header: null,
  Method: "",
  Body: "",
  TCP: "",
  DisableRedirects: false,
  TCPUseTLS: false,
  UDP: "",
  H2PING: "",
  H2PingUseTLS: null,
  OSService: "",
  TLSServerName: "",
  FailuresBeforeWarning: 0,
  StartPeriod: 0,
  InitialDelay: 0,
  Interval: 0,
  AliasNode: "",
  AliasService: "",
  DockerContainerID: "",
  Shell: "",
  GRPC: "",
  GRPCUseTLS: false,
  TLSSkipVerify: false,
  Timeout: 0,
  TTL: 0,
  SuccessBeforePassing: 0,
  FailuresBeforeCritical: 0,
  DeregisterCriticalServiceAfter: 0,
  OutputMaxSize: 0,
  ...given,
});
const service = (given: Partial<ServiceDefinition>): ServiceDefinition => ({
  Kind: "",
  ID: "",
  Name: "web",
  Tags: null,
  Address: "",
  TaggedAddresses: null,
  Meta: null,
  Port: 0,
  Check: null,
  Checks: null,
  Weights: null,
  Token: "",
  EnableTagOverride: false,
  Proxy: null,
  Connect: null,
  ...given,
});

// As Consul 1.8.7 answered the same registrations. An alias with nothing but an interval is accepted there.
test.each<[given: Partial<CheckDefinition>, text: string | undefined]>([
  [{ AliasService: "x", Interval: 10 * S }, undefined],
  [{ AliasService: "x", TTL: 10 * S }, "TTL must be not be set for Alias checks"],
  [{ AliasService: "x", HTTP: "a" }, "Interval must be > 0 for Script, HTTP, or TCP checks"],
  [{ AliasService: "x", HTTP: "a", Interval: S }, "Interval cannot be set for Alias checks"],
  [{ HTTP: "a" }, "Interval must be > 0 for Script, HTTP, or TCP checks"],
  [{ UDP: "a" }, "Interval must be > 0 for Script, HTTP, H2PING, TCP, UDP or OSService checks"],
  [{ H2PING: "a" }, "Interval must be > 0 for Script, HTTP, H2PING, TCP, UDP or OSService checks"],
  [{ OSService: "a", Interval: S }, undefined],
  [
    { HTTP: "a", Interval: S, FailuresBeforeWarning: 3, FailuresBeforeCritical: 2 },
    "FailuresBeforeWarning can't be higher than FailuresBeforeCritical",
  ],
  [{ HTTP: "a", Interval: S, FailuresBeforeWarning: 2, FailuresBeforeCritical: 2 }, undefined],
  [{ TTL: S, StartPeriod: S }, undefined],
  [{ TTL: S, StartPeriod: -S }, "StartPeriod must be positive"],
  [{ AliasService: "x", StartPeriod: S }, "StartPeriod cannot be set for Alias checks"],
  [{ HTTP: "a", Interval: S, InitialDelay: S }, undefined],
  [{ HTTP: "a", Interval: S, InitialDelay: -S }, "InitialDelay must be positive"],
  [{ TTL: S, InitialDelay: S }, "InitialDelay can only be set for checks with an Interval"],
  [{ ScriptArgs: ["a"] }, "Interval must be > 0 for Script, HTTP, or TCP checks"],
  [{ Interval: S }, "TTL must be > 0 for TTL checks"],
  [{}, "TTL must be > 0 for TTL checks"],
  [{ TTL: -S }, "TTL must be > 0 for TTL checks"],
  [{ Interval: S, TTL: S }, "Interval and TTL cannot both be specified"],
  [{ DockerContainerID: "x", Interval: S }, "TTL must be > 0 for TTL checks"],
  [{ TTL: S, OutputMaxSize: -1 }, "MaxOutputMaxSize must be positive"],
  [{ HTTP: "a", TTL: S }, "Interval must be > 0 for Script, HTTP, or TCP checks"],
  [{ TCP: "a", Interval: S }, undefined],
  [{ TTL: S }, undefined],
])("%j: %s", (given, text) => {
  expect(validateCheckDefinition(check(given))).toBe(text);
});

test.each<[given: Partial<CheckDefinition>, type: string | undefined]>([
  [{ HTTP: "a", TCP: "b", GRPC: "c", Interval: S }, "grpc"],
  [{ HTTP: "a", TCP: "b", Interval: S }, "http"],
  [{ TCP: "b", ScriptArgs: ["a"], Interval: S }, "tcp"],
  [{ TTL: S }, "ttl"],
  [{ AliasNode: "n" }, "alias"],
  [{ ScriptArgs: ["a"], DockerContainerID: "c", Interval: S }, "docker"],
  [{ ScriptArgs: ["a"], Interval: S }, "script"],
  [{ ScriptArgs: ["a"] }, undefined],
  [{}, undefined],
])("%j is of type %s", (given, type) => {
  expect(checkTypeOf(check(given))).toBe(type);
});

test("ids and names of a service's checks", () => {
  const checks = checksOfService(
    service({
      ID: "w1",
      Token: "t",
      Check: check({}),
      Checks: [
        check({ TTL: S }),
        check({ TTL: S, CheckID: "mine", Token: "own" }),
        check({ TTL: S, Name: "n" }),
      ],
    }),
  );
  expect(
    checks.map(({ CheckID, Name, ServiceID, Token }) => [CheckID, Name, ServiceID, Token]),
  ).toEqual([
    ["service:w1:1", "Service 'web' check", "w1", "t"],
    ["mine", "Service 'web' check", "w1", "own"],
    ["service:w1:3", "n", "w1", "t"],
  ]);
  const [single, ...more] = checksOfService(service({ Check: check({ TTL: S }) }));
  expect(single?.CheckID).toBe("service:web");
  expect(more).toEqual([]);
  expect(checksOfService(service({}))).toEqual([]);
});

test("`Check` is counted before `Checks`", () => {
  const def = service({ Check: check({ TTL: S, Notes: "first" }), Checks: [check({ TTL: S })] });
  expect(checksOfService(def).map(({ CheckID, Notes }) => [CheckID, Notes])).toEqual([
    ["service:web:1", "first"],
    ["service:web:2", ""],
  ]);
});

test.each<[given: Partial<ServiceDefinition>, aspect: string | undefined, text: string]>([
  [{}, undefined, ""],
  [{ Weights: { Passing: 0, Warning: 1 } }, "weights", "Passing must be greater than 0"],
  [{ Weights: { Passing: 1, Warning: -1 } }, "weights", "Warning must be greater or equal than 0"],
  [
    { Weights: { Passing: 1, Warning: 70000 } },
    "weights",
    "DNS Weight must be between 0 and 65535",
  ],
  [
    { Meta: { "a b": "c" } },
    "meta",
    "Couldn't load metadata pair ('a b', 'c'): Key contains invalid characters",
  ],
  [
    { Kind: "connect-proxy" },
    "proxy",
    "2 errors occurred:\n\t* Proxy.DestinationServiceName must be non-empty for Connect proxy services\n\t* Port must be set for a Connect proxy\n\n",
  ],
])("%j: %s", (given, aspect, text) => {
  const problem = validateServiceDefinition(service(given));
  expect(problem?.aspect).toBe(aspect);
  expect(problem?.text ?? "").toBe(text);
});
