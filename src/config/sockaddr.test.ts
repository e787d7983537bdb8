import { expect, test } from "vitest";
import * as fc from "fast-check";
import { RollcallError } from "../errors/index.ts";
import { expandTemplate } from "./sockaddr.ts";

const INTERFACES = [
  { name: "lo", address: "127.0.0.1", internal: true },
  { name: "lo", address: "::1", internal: true },
  { name: "eth0", address: "fe80::1", internal: false },
  { name: "eth0", address: "10.0.0.5", internal: false },
  { name: "eth1", address: "9.9.9.7", internal: false },
  { name: "eth1", address: "2600::7", internal: false },
  { name: "eth2", address: "192.168.1.9", internal: false },
  { name: "eth3", address: "192.0.2.2", internal: false },
];

test.each([
  ["10.0.0.1", "10.0.0.1"],
  ["{{ GetPrivateIP }}", "10.0.0.5"],
  ["{{GetPrivateIPs}}", "10.0.0.5 192.168.1.9"],
  ["{{ GetPublicIP }}", "9.9.9.7"],
  ["{{ GetPublicIPs }}", "9.9.9.7 2600::7"],
  ['{{ GetInterfaceIP "eth0" }}', "10.0.0.5"],
  ["{{ GetInterfaceIP `eth1` }}", "9.9.9.7"],
  ['{{ GetInterfaceIP "nope" }}', ""],
  ['{{ GetInterfaceIPs "lo" }} 1.2.3.4', "127.0.0.1 ::1 1.2.3.4"],
  ['{{ GetAllInterfaces | include "network" "192.168.0.0/16" | attr "address" }}', "192.168.1.9"],
  [
    '{{ GetAllInterfaces | include "name" "^eth" | include "type" "ipv4" | join "address" "," }}',
    "10.0.0.5,9.9.9.7,192.168.1.9,192.0.2.2",
  ],
  [
    '{{ GetAllInterfaces | exclude "flags" "loopback" | include "type" "IPv6" | limit 1 | attr "name" }}',
    "eth0",
  ],
  [
    '{{ GetAllInterfaces | include "rfc" "1918" | sort "-address" | join "address" " " }}',
    "192.168.1.9 10.0.0.5",
  ],
  ['{{ GetAllInterfaces | unique "name" | offset 1 | join "name" " " }}', "eth0 eth1 eth2 eth3"],
  ['{{ GetPrivateInterfaces | attr "name" }}', "eth0"],
  ['{{ GetPublicInterfaces | attr "name" }}', "eth1"],
])("%s is %s", (template, expanded) => {
  expect(expandTemplate(template, INTERFACES)).toBe(expanded);
});

// As consul 1.8.7 orders the addresses of one interface.
test("of several addresses those of large networks come first, IPv6 last", () => {
  const addresses = [
    ["2600::1", 64],
    ["192.168.1.1", 16],
    ["8.8.8.8", 24],
    ["172.16.0.3", 12],
    ["10.1.1.1", 8],
    ["9.9.9.9", 16],
    ["64:ff9b::1", 96],
    ["fd00::2", 64],
  ] as const;
  const all = addresses.map(([address, prefixBits]) => ({
    name: "eth0",
    address,
    prefixBits,
    internal: false,
  }));
  const expanded = ["GetPrivateIP", "GetPrivateIPs", "GetPublicIPs"].map((name) =>
    expandTemplate(`{{ ${name} }}`, all),
  );
  expect(expanded).toEqual([
    "10.1.1.1",
    "10.1.1.1 172.16.0.3 192.168.1.1 fd00::2 64:ff9b::1",
    "9.9.9.9 8.8.8.8 2600::1",
  ]);
  expect(expandTemplate('{{ GetInterfaceIP "eth0" }}', all)).toBe("10.1.1.1");
});

test.each([
  ["{{ foo }}", 'function "foo" not defined'],
  ["{{ GetPrivateIP", "unclosed action"],
  [
    '{{ GetAllInterfaces | math "address" "+1" }}',
    'function "math" is not supported in this version',
  ],
  [
    '{{ GetAllInterfaces | include "size" "24" }}',
    'filter "size" is not supported in this version',
  ],
  [
    '{{ GetAllInterfaces | attr "network" }}',
    'attribute "network" is not supported in this version',
  ],
  ['{{ GetAllInterfaces | limit "x" }}', "limit wants a number"],
  ['{{ GetPrivateIP | attr "address" }}', "attr wants a list of addresses before it"],
  ['{{ GetAllInterfaces | include "name" "(" }}', 'invalid regular expression "("'],
  ["{{ }}", "missing value for command"],
  ['{{ GetInterfaceIP "eth0 }}', "unterminated quoted string"],
])("%s is refused: %s", (template, reason) => {
  const quoted = JSON.stringify(template);
  expect(() => expandTemplate(template, INTERFACES)).toThrow(
    `error parsing ${quoted}: unable to parse template ${quoted}: template: sockaddr.Parse:1: ${reason}`,
  );
});

test("no template crashes", () => {
  const word = fc.oneof(
    fc.constantFrom("GetAllInterfaces", "include", "sort", "attr", '"name"', "|", "{{", "}}", "1"),
    fc.string({ maxLength: 4 }),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), (words) => {
      try {
        expandTemplate(`{{ ${words.join(" ")} }}`, INTERFACES);
      } catch (error) {
        expect(error).toBeInstanceOf(RollcallError);
      }
    }),
    { numRuns: 5000 },
  );
});
