/** `rollcall members`: the cluster as the agent sees it through gossip. */
import { jsonDecoder, int, list, map, struct, text, type Static } from "../model/index.ts";
import { openApi } from "./api-client.ts";
import { clientFlags } from "./client-flags.ts";
import { during, type Command } from "./command.ts";
import { compileStatusPattern } from "./status-pattern.ts";
import { table } from "./table.ts";

const Member = struct("AgentMember", {
  Name: text(),
  Addr: text(),
  Port: int(),
  Tags: map(text()),
  Status: int(),
});
type Member = Static<typeof Member>;
const decodeMembers = jsonDecoder(list(Member), { unknown: "ignore" });

const ALL_SEGMENTS = "_all";
const NO_MATCH = 2;
/** By the number that the API gives. */
const STATUSES = ["none", "alive", "leaving", "left", "failed"] as const;

export const members: Command = {
  name: "members",
  usage: `
Usage: rollcall members [options]

  Lists the members of the cluster as this agent sees them. The exit code is 2
  if there is none to list.

      $ rollcall members -status='failed|left'`,
  flags: [
    ...clientFlags,
    { name: "detailed", kind: "bool", help: "Show all tags instead of the chosen few." },
    { name: "segment", kind: "text", help: "Only this network segment (Consul Enterprise)." },
    {
      name: "status",
      kind: "text",
      help: "Only members whose status this regular expression matches.",
    },
    {
      name: "wan",
      kind: "bool",
      help: "The servers of all datacenters, as a server agent knows them.",
    },
  ],
  async run(context) {
    const { flags, stdout } = context;
    const matches = compileStatusPattern(flags.given("status") ? flags.text("status") : ".*");
    using api = await openApi(context);
    const known = await during(
      "Error retrieving members",
      api
        .ok({
          method: "GET",
          path: "/v1/agent/members",
          query: [
            ["segment", flags.given("segment") ? flags.text("segment") : ALL_SEGMENTS],
            ...(flags.on("wan") ? ([["wan", "1"]] as const) : []),
          ],
        })
        .then(decodeMembers),
    );
    const listed = (known ?? [])
      .filter((member) => matches(statusOf(member)))
      .map(withSegment)
      .toSorted((a, b) => compare(a.Name, b.Name) || compare(tag(a, "segment"), tag(b, "segment")));
    if (listed.length === 0) return NO_MATCH;
    stdout(`${table(flags.on("detailed") ? detailedRows(listed) : rows(listed))}\n`);
    return 0;
  },
};

/** Servers are in every segment. */
function withSegment(member: Member): Member {
  if (tag(member, "role") !== "consul") return member;
  return { ...member, Tags: { ...member.Tags, segment: "<all>" } };
}

const KINDS: Readonly<Record<string, string>> = { consul: "server", node: "client" };

function rows(listed: readonly Member[]): string[][] {
  const head = ["Node", "Address", "Status", "Type", "Build", "Protocol", "DC", "Segment"];
  return [
    head,
    ...listed.map((member) => {
      const start = [member.Name, addressOf(member), statusOf(member)];
      const kind = KINDS[tag(member, "role")];
      if (kind === undefined) return [...start, "unknown", "", "", "", ""];
      const build = tag(member, "build").split(":")[0] ?? "";
      const segment = tag(member, "segment") || "<default>";
      return [...start, kind, build, tag(member, "vsn"), tag(member, "dc"), segment];
    }),
  ];
}

function detailedRows(listed: readonly Member[]): string[][] {
  return [
    ["Node", "Address", "Status", "Tags"],
    ...listed.map((member) => {
      const tags = Object.entries(member.Tags ?? {}).map(([key, value]) => `${key}=${value}`);
      return [member.Name, addressOf(member), statusOf(member), tags.toSorted(compare).join(",")];
    }),
  ];
}

const tag = ({ Tags }: Member, name: string): string => Tags?.[name] ?? "";
const statusOf = ({ Status }: Member): string => STATUSES[Status] ?? "unknown";
const addressOf = ({ Addr, Port }: Member): string =>
  Addr.includes(":") ? `[${Addr}]:${Port}` : `${Addr}:${Port}`;
const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);
