import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  clientTags,
  decodeTags,
  openPacket,
  serverOf,
  serverTags,
  type AgentTags,
  type ServerTags,
} from "./index.ts";
import { fixturesOf } from "./testkit.ts";

const testdata = (file: string) => readFileSync(new URL(`testdata/${file}`, import.meta.url));
const AGENT: AgentTags = {
  Datacenter: "dc1",
  Segment: "",
  NodeID: "5c8e1c27-2f6b-0e6d-44b5-70a6b6a3f3a7",
  Build: "1.8.7:",
  Acls: "disabled",
};
const SERVER: ServerTags = {
  ...AGENT,
  Port: 8300,
  WanJoinPort: 8302,
  RaftVersion: 3,
  Bootstrap: false,
  Expect: 3,
  NonVoter: false,
  UseTLS: false,
  Features: { fs: 1 },
};

/** Tags that real agents announced, by what they are. */
const RECORDED = fixturesOf(testdata("index.json").toString())
  .filter(({ file, key }) => /^consul-gossip\/[lw]an-udp-.*alive/.test(file) && key === undefined)
  .flatMap(({ file }) => {
    const { messages } = openPacket(testdata(file), { keys: [], verifyIncoming: true });
    const pool = file.includes("/wan-") ? ("wan" as const) : ("lan" as const);
    return messages.flatMap((message) =>
      message.kind === "alive"
        ? [{ pool, node: message.body.Node, tags: decodeTags(message.body.Meta) }]
        : [],
    );
  });

test.each(RECORDED)("$node in the $pool is described as it described itself", ({ pool, tags }) => {
  const server = serverOf(tags);
  if (server === undefined) {
    const client = clientTags({
      Datacenter: "dc1",
      Segment: "",
      NodeID: tags["id"] ?? "",
      Build: tags["build"] ?? "",
      Acls: "disabled",
    });
    expect(client).toEqual({ ...tags });
    expect(tags["role"]).toBe("node");
    return;
  }
  expect(server).toMatchObject({ Port: 8300, RaftVersion: 3, Version: "1.8.7" });
  expect(serverTags(server, pool)).toEqual({ ...tags });
});

test("the recordings have servers of both pools and a client", () => {
  const kinds = RECORDED.map(({ pool, tags }) => `${pool} ${tags["role"] ?? ""}`);
  expect(new Set(kinds)).toEqual(new Set(["lan consul", "wan consul", "lan node"]));
});

describe("whoever has such a tag is no server:", () => {
  const tags = serverTags(SERVER, "lan");
  test.each([
    ["role", "node"],
    ["port", undefined],
    ["port", "http"],
    ["vsn", undefined],
    ["vsn", "2.0"],
    ["build", undefined],
    ["build", "1.8"],
    ["expect", "three"],
    ["raft_vsn", ""],
    ["wan_join_port", "x"],
    ["ft_si", "yes"],
    ["sl_alpha", "10.0.0.1"],
    ["sl_alpha", "10.0.0.1:rpc"],
  ])("%s = %j", (tag, value) => {
    expect(serverOf(tags)).toBeDefined();
    const { [tag]: _left, ...others } = tags;
    expect(serverOf(value === undefined ? others : { ...others, [tag]: value })).toBeUndefined();
  });
});

test.each([
  [{ bootstrap: "" }, { Bootstrap: true }],
  [{ use_tls: "0" }, { UseTLS: true }],
  [{ nonvoter: "1" }, { NonVoter: true }],
  [{ read_replica: "1" }, { NonVoter: true }],
  [{ build: "v1.17.0+ent:4e3f428b" }, { Version: "1.17.0" }],
  [{ acls: "2" }, { Acls: "legacy" }],
  [{ acls: "9" }, { Acls: "unknown" }],
  [{ ft_si: "1" }, { Features: { fs: 1, si: 1 } }],
  [{ sl_alpha: "[::1]:8303" }, { Port: 8300 }],
])("with %j a server is %j", (added, expected) => {
  expect(serverOf({ ...serverTags(SERVER, "lan"), ...added })).toMatchObject(expected);
});

test("missing optional tags have their defaults", () => {
  const tags = { role: "consul", port: "8300", vsn: "2", build: "1.8.7:" };
  expect(serverOf(tags)).toEqual({
    Datacenter: "",
    Segment: "",
    NodeID: "",
    Build: "1.8.7:",
    Version: "1.8.7",
    Acls: "unknown",
    Port: 8300,
    WanJoinPort: 0,
    RaftVersion: 0,
    Expect: 0,
    Bootstrap: false,
    NonVoter: false,
    UseTLS: false,
    Features: {},
  });
});
