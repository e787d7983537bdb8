import { expect, test } from "vitest";
import { unreachable } from "../errors/index.ts";
import { hexOf } from "./hex.ts";
import { parseLookup, type Lookup } from "./question.ts";
import { QUERY_TYPES, RECORD_TYPES } from "./records.ts";

const ZONES = { domain: ["consul"], altDomain: ["alt", "example"] };
const TYPES: Readonly<Record<string, number>> = {
  A: RECORD_TYPES.A.code,
  SRV: RECORD_TYPES.SRV.code,
  SOA: RECORD_TYPES.SOA.code,
  NS: RECORD_TYPES.NS.code,
  PTR: RECORD_TYPES.PTR.code,
  AXFR: QUERY_TYPES.AXFR,
};

function show(lookup: Lookup): string {
  switch (lookup.kind) {
    case "service": {
      const tag = lookup.tag === undefined ? "" : ` tag ${lookup.tag}`;
      return `service ${lookup.service}${tag}${inDc(lookup.datacenter)}`;
    }
    case "node":
      return `node ${lookup.node}${inDc(lookup.datacenter)}`;
    case "query":
      return `query ${lookup.query}${inDc(lookup.datacenter)}`;
    case "address":
      return `address ${hexOf(lookup.address)}`;
    case "reverse":
      return `reverse ${lookup.address === undefined ? "nothing" : hexOf(lookup.address)}`;
    case "absent":
    case "empty":
    case "foreign":
    case "transfer":
    case "name-servers":
    case "start-of-authority":
      return lookup.kind;
    default:
      return unreachable(lookup);
  }
}
const inDc = (datacenter: string): string => (datacenter === "" ? "" : ` in ${datacenter}`);

const rows = `
# name                             type  asks for
web.service.consul                 A     service web
web.service.dc2.consul             A     service web in dc2
web.service.a.b.consul             A     absent
v1.web.service.consul              A     service web tag v1
prod.x.web.service.consul          A     service web tag prod.x
web.service.alt.example            A     service web
service.service.consul             A     service service
service.consul                     A     absent
_web._tcp.service.consul           SRV   service web
_web._tcp.service.consul           A     service web
_web._v1.service.dc2.consul        SRV   service web tag v1 in dc2
_web._udp.service.consul           SRV   service web tag udp
_web._tcp.consul                   SRV   service web
_web._tcp.dc2.consul               SRV   service web in dc2
_web._tcp.a.b.consul               SRV   absent
_web._tcp.consul                   A     absent
_web.tcp.service.consul            SRV   service tcp tag _web
web._tcp.service.consul            SRV   service _tcp tag web
a._web._tcp.service.consul         SRV   service _tcp tag a._web
_._tcp.service.consul              SRV   absent
_web._.service.consul              SRV   service web
n1.node.consul                     A     node n1
n1.rack2.node.dc2.consul           A     node n1.rack2 in dc2
n1.node.a.b.consul                 A     absent
node.consul                        A     absent
node.node.consul                   A     node node
0a000001.addr.consul               A     address 0a000001
0a000001.addr.dc9.x.consul         A     address 0a000001
x.0a000001.addr.consul             A     absent
0a0000011.addr.consul              A     absent
0a00000g.addr.consul               A     absent
0a00.addr.consul                   A     empty
zz.addr.consul                     A     empty
addr.consul                        A     absent
web.query.consul                   A     query web
nearest.web.query.dc2.consul       A     query nearest.web in dc2
web.query.a.b.consul               A     absent
query.consul                       A     absent
web.connect.consul                 A     absent
web.ingress.consul                 A     absent
_web._tcp.query.consul             SRV   query _web._tcp
consul                             A     absent
consul                             SOA   start-of-authority
web.service.consul                 SOA   start-of-authority
ghost.consul                       NS    name-servers
alt.example                        NS    name-servers
web.service.consul                 AXFR  transfer
xconsul                            A     foreign
example.com                        SOA   foreign
consul.example.com                 A     foreign
1.0.0.10.in-addr.arpa              PTR   reverse 0a000001
1.0.0.10.in-addr.arpa              A     reverse 0a000001
0.0.10.in-addr.arpa                PTR   reverse nothing
1.00.0.10.in-addr.arpa             PTR   reverse nothing
256.0.0.10.in-addr.arpa            PTR   reverse nothing
in-addr.arpa                       PTR   reverse nothing
1.ip6.arpa                         PTR   reverse nothing
arpa                               PTR   foreign
`
  .trim()
  .split("\n")
  .slice(1)
  .map((row) => row.split(/ {2,}/) as [string, string, string]);

test.each(rows)("%s %s asks for %s", (name, type, expected) => {
  expect(show(parseLookup(name.split("."), TYPES[type] ?? -1, ZONES))).toBe(expected);
});

test("an IPv6 address in reverse", () => {
  const digits = "fe800000000000000000000000000006".split("");
  const labels = [...digits.toReversed(), "ip6", "arpa"];
  expect(show(parseLookup(labels, RECORD_TYPES.PTR.code, ZONES))).toBe(
    `reverse ${digits.join("")}`,
  );
});
