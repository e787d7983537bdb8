import { describe, expect, test } from "vitest";
import { clientFlags, serverFlags } from "./client-flags.ts";
import { COMMANDS, GROUPS } from "./registry.ts";
import { runScripted } from "./testkit.ts";

const client = clientFlags.map(({ name }) => name).join(" ");
const server = serverFlags.map(({ name }) => name).join(" ");

/** The flags that Consul 1.8.7 lists in the help of each command. */
const FLAGS: Readonly<Record<string, string>> = {
  "catalog datacenters": `${client} ${server}`,
  "catalog nodes": `${client} ${server} detailed filter near node-meta service`,
  "catalog services": `${client} ${server} namespace node node-meta tags`,
  event: `${client} name node service tag`,
  "force-leave": `${client} prune`,
  info: client,
  join: `${client} wan`,
  keygen: "",
  keyring: `${client} install list list-primary local-only relay-factor remove use`,
  "kv delete": `${client} ${server} cas modify-index namespace recurse`,
  "kv export": `${client} ${server} namespace`,
  "kv get": `${client} ${server} base64 detailed keys namespace recurse separator`,
  "kv import": `${client} ${server} namespace`,
  "kv put": `${client} ${server} acquire base64 cas flags modify-index namespace release session`,
  leave: client,
  lock: `${client} ${server} child-exit-code monitor-retry n name pass-stdin shell timeout try verbose`,
  maint: `${client} disable enable reason service`,
  members: `${client} detailed segment status wan`,
  monitor: `${client} log-json log-level`,
  "operator autopilot get-config": `${client} ${server}`,
  "operator autopilot set-config": `${client} ${server} cleanup-dead-servers disable-upgrade-migration last-contact-threshold max-trailing-logs min-quorum redundancy-zone-tag server-stabilization-time upgrade-version-tag`,
  "operator raft list-peers": `${client} ${server}`,
  "operator raft remove-peer": `${client} ${server} address id`,
  "operator raft transfer-leader": `${client} ${server} id`,
  reload: client,
  rtt: `${client} wan`,
  "services deregister": `${client} ${server} id namespace`,
  "services register": `${client} ${server} address id kind meta name namespace port tag tagged-address`,
  "snapshot inspect": "",
  "snapshot restore": `${client} ${server}`,
  "snapshot save": `${client} ${server}`,
  validate: "config-format quiet",
  version: "format",
  watch: `${client} ${server} key name passingonly prefix service shell state tag type`,
};
const namesIn = (flags: string): string[] => flags.split(" ").filter((flag) => flag !== "");

test("every command that talks to an agent has a row here", () => {
  const rows = new Set(Object.keys(FLAGS));
  const others = Object.keys(COMMANDS).filter((name) => !rows.has(name));
  expect(others).toEqual(["agent", "recover"]);
});

test("the shared flags are Consul's", () => {
  expect(client).toBe(
    "ca-file ca-path client-cert client-key http-addr tls-server-name token token-file",
  );
  expect(server).toBe("datacenter stale");
});

describe.each(Object.entries(FLAGS))("%s", (name, flags) => {
  test("has Consul's flags, each with a help text", async () => {
    const command = await COMMANDS[name]?.load();
    expect(command?.name).toBe(name);
    expect(command?.flags.map((flag) => flag.name).toSorted()).toEqual(namesIn(flags).toSorted());
    for (const { help } of command?.flags ?? []) expect(help).toMatch(/^[A-Z-].*\.$/);
  });

  test("explains itself within 80 columns, every flag included", async () => {
    const { exitCode, stdout } = await runScripted({ args: [...name.split(" "), "-h"] });
    expect(exitCode).toBe(0);
    expect(stdout.startsWith(`Usage: rollcall ${name}`)).toBe(true);
    for (const flag of namesIn(flags)) expect(stdout).toMatch(new RegExp(`^  -${flag}(=<|$)`, "m"));
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(81);
  });

  test("lists its flags after a mistake in them", async () => {
    const { exitCode, stdout, stderr } = await runScripted({
      args: [...name.split(" "), "-no-such"],
    });
    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr.split("\n").slice(0, 2)).toEqual([
      "flag provided but not defined: -no-such",
      "Usage:",
    ]);
    for (const flag of namesIn(flags)) expect(stderr).toMatch(new RegExp(`^  -${flag}( |$)`, "m"));
  });
});

const compare = (a = "", b = ""): number => (a < b ? -1 : 1);

test("the list of commands names every command or its group once, sorted", async () => {
  const { stdout } = await runScripted({ args: ["--help"] });
  const listed = [...stdout.matchAll(/^ {4}(\S+) +\S/gm)].map(([, name]) => name);
  const names = new Set(Object.keys(COMMANDS).map((name) => name.split(" ")[0]));
  expect(new Set(listed)).toEqual(names);
  expect(listed).toHaveLength(names.size);
  expect(listed.join()).toBe([...names].toSorted(compare).join());
  expect(stdout).toMatch(/^ {4}catalog {5,}Asks the catalog/m);
});

test("a group lists its subcommands", async () => {
  for (const group of Object.keys(GROUPS)) {
    const { stdout } = await runScripted({ args: [...group.split(" "), "-h"] });
    const listed = stdout.slice(stdout.indexOf("Subcommands:"));
    const names = [...listed.matchAll(/^ {4}(\S+) +\S/gm)].map(([, name]) => `${group} ${name}`);
    const below = Object.keys(COMMANDS).filter((name) => name.startsWith(`${group} `));
    const length = group.split(" ").length + 1;
    const expected = below.map((name) => name.split(" ").slice(0, length).join(" "));
    expect(names).toEqual([...new Set(expected)]);
  }
});
