import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { KeptCommandType, KeptRecord } from "../model/index.ts";
import { decodeCommand } from "./log-command.ts";
import { decodeSnapshot } from "./snapshot-decode.ts";
import { Store } from "./store.ts";
import { recordedCommands } from "./testkit.ts";

const testdata = (name: string): Buffer =>
  readFileSync(new URL(`testdata/${name}`, import.meta.url));

const recorded = await decodeSnapshot([Uint8Array.from(testdata("snapshot/state.bin"))]);

/** Applies commands that were recorded of the server whose snapshot it is, each at its own index. */
function replay(store: Store, ...names: readonly string[]): void {
  for (const name of names) {
    const fixture = recordedCommands(testdata).find(({ file }) => file === `fsm/log-${name}.bin`);
    const command = fixture && decodeCommand(fixture.bytes);
    if (fixture === undefined || command === undefined) throw new Error(`no ${name}`);
    const result = store.apply(fixture.decoded.raft_index, command);
    expect([name, result.kind]).toEqual([name, "done"]);
  }
}

function run(store: Store, type: KeptCommandType, body: KeptRecord): unknown {
  const result = store.apply(store.lastIndex + 1, { type, body });
  return result.kind === "done" ? result.value : result.error.message;
}

test("what Consul made of its log is what the store makes of it", () => {
  const store = new Store();
  replay(store, "19-ACLPolicySet", "11-ACLBootstrap", "17-ACLTokenSet", "13-ConnectCA-set-config");
  replay(store, "13-ConnectCA-set-provider-state", "13-ConnectCA-increment-provider-serial");
  expect(store.indexes.index("connect-ca-builtin-serial")).toBe(10);
  replay(store, "13-ConnectCA-set-roots", "21-ConnectCALeaf-increment-index");
  const policies = recorded.tables.kept.aclPolicies.rows.values().slice(1);
  store.apply(24, { type: "ACLPolicySet", body: { Policies: policies } });
  replay(store, "23-ACLRoleSet", "27-ACLAuthMethodSet", "25-ACLBindingRuleSet");
  replay(store, "22-ConfigEntry-upsert-proxy-defaults");
  replay(store, "22-ConfigEntry-upsert-service-resolver", "22-ConfigEntry-upsert-service-splitter");
  replay(store, "22-ConfigEntry-upsert-service-router", "22-ConfigEntry-upsert-ingress-gateway");
  replay(store, "22-ConfigEntry-upsert-terminating-gateway", "12-Intention-create");

  const ours = store.snapshot().kept;
  const theirs = recorded.tables.kept;
  for (const name of [
    "aclPolicies",
    "aclRoles",
    "aclAuthMethods",
    "aclBindingRules",
    "caConfig",
    "caRoots",
    "intentions",
  ] as const) {
    expect([name, ours[name].rows.values()]).toEqual([name, theirs[name].rows.values()]);
  }
  const theirEntries = theirs.configEntries.rows.values();
  expect(ours.configEntries.rows.values()).toEqual(
    theirEntries.filter(({ Kind }) => Kind !== "service-defaults"),
  );
  // The anonymous token was recorded of another server, and a third one was made over HTTP.
  const [master] = ours.aclTokens.rows.values();
  expect(theirs.aclTokens.rows.values()).toContainEqual(master);

  const rows = ["acl-token-bootstrap", "acl-policies", "acl-roles", "acl-binding-rules"];
  for (const row of [...rows, "config-entries", "connect-ca-roots", "connect-intentions"]) {
    expect([row, store.indexes.index(row)]).toEqual([row, recorded.tables.indexes.get(row)]);
  }
});

describe("tokens and what they link to", () => {
  const policy = { ID: "p1", Name: "read", Rules: "" };
  const token = (more: KeptRecord = {}): KeptRecord => ({
    AccessorID: "a1",
    SecretID: "s1",
    Policies: [{ ID: "p1", Name: "" }],
    Roles: null,
    ...more,
  });
  const withPolicy = (): Store => {
    const store = new Store();
    run(store, "ACLPolicySet", { Policies: [policy] });
    return store;
  };
  const tokensOf = (store: Store): readonly KeptRecord[] =>
    store.snapshot().kept.aclTokens.rows.values();

  test("a link must lead somewhere, unless it may be missing, and is stored with the name", () => {
    const store = withPolicy();
    expect(run(store, "ACLTokenSet", { Tokens: [token()] })).toBeNull();
    expect(tokensOf(store)[0]).toMatchObject({ Policies: [{ ID: "p1", Name: "read" }] });
    const astray = token({ Policies: [{ ID: "p2", Name: "" }] });
    expect(run(store, "ACLTokenSet", { Tokens: [astray] })).toBe("No such policy with ID: p2");
    const Tokens = [astray];
    expect(run(store, "ACLTokenSet", { Tokens, AllowMissingLinks: true })).toBeNull();
  });

  test("secret and accessor never change, and neither may be missing", () => {
    const store = withPolicy();
    run(store, "ACLTokenSet", { Tokens: [token()] });
    const set = (more: KeptRecord): unknown => run(store, "ACLTokenSet", { Tokens: [token(more)] });
    expect(set({ SecretID: "s2" })).toBe("The ACL Token SecretID field is immutable");
    expect(set({ AccessorID: "a2" })).toBe("The ACL Token AccessorID field is immutable");
    expect(set({ SecretID: "" })).toBe("Missing ACL Token SecretID");
    expect(set({ AccessorID: "" })).toBe("Missing ACL Token AccessorID");
  });

  test("a compare that does not match skips its token, and only that", () => {
    const store = withPolicy();
    run(store, "ACLTokenSet", { Tokens: [token()] });
    const others = [
      token({ ModifyIndex: 7n, Description: "new" }),
      token({ AccessorID: "a3", SecretID: "s3" }),
    ];
    expect(run(store, "ACLTokenSet", { Tokens: others, CAS: true })).toBeNull();
    expect(tokensOf(store).map(({ SecretID, Description }) => [SecretID, Description])).toEqual([
      ["s1", undefined],
      ["s3", undefined],
    ]);
    run(store, "ACLTokenDelete", { TokenIDs: ["a3", "unknown"] });
    expect(tokensOf(store)).toHaveLength(1);
  });

  test("the first token is made once, and again only by who knows when that was", () => {
    const store = withPolicy();
    const bootstrap = (ResetIndex: bigint): unknown =>
      run(store, "ACLBootstrap", { ResetIndex, Token: token() });
    expect(bootstrap(0n)).toBeNull();
    expect(bootstrap(0n)).toBe("ACL bootstrap no longer allowed");
    expect(bootstrap(1n)).toBe("Invalid ACL bootstrap reset index");
    expect(bootstrap(2n)).toBeNull();
  });

  test("a legacy token is one without an accessor, and cannot replace another", () => {
    const store = withPolicy();
    const ACL = { ID: "old", Name: "leg", Rules: "", Type: "client" };
    expect(run(store, "ACL", { ACL, Op: "set" })).toBe("old");
    expect(tokensOf(store)).toMatchObject([
      { SecretID: "old", Description: "leg", AccessorID: "" },
    ]);
    run(store, "ACLTokenSet", { Tokens: [token({ SecretID: "old" })] });
    expect(run(store, "ACL", { ACL, Op: "set" })).toMatch("cannot use legacy endpoint");
    expect(run(store, "ACL", { ACL, Op: "delete" })).toBeNull();
    expect(tokensOf(store)).toEqual([]);
  });

  test("with an auth method go its rules and the tokens of its logins", () => {
    const store = withPolicy();
    run(store, "ACLAuthMethodSet", { AuthMethods: [{ Name: "k8s", Type: "kubernetes" }] });
    run(store, "ACLBindingRuleSet", { BindingRules: [{ ID: "b1", AuthMethod: "k8s" }] });
    run(store, "ACLTokenSet", { Tokens: [token({ AuthMethod: "k8s" })] });
    run(store, "ACLAuthMethodDelete", { AuthMethodNames: ["K8s"] });
    const { aclTokens, aclBindingRules, aclAuthMethods } = store.snapshot().kept;
    expect([aclTokens.size, aclBindingRules.size, aclAuthMethods.size]).toEqual([0, 0, 0]);
  });
});

describe("compare and set", () => {
  test("of a config entry: 0 means that there must be none", () => {
    const store = new Store();
    const entry = (ModifyIndex: bigint): KeptRecord => ({
      Kind: "service-defaults",
      Name: "web",
      ModifyIndex,
    });
    const upsert = (index: bigint): unknown =>
      run(store, "ConfigEntry", { Op: "upsert-cas", Entry: entry(index) });
    expect([upsert(3n), upsert(0n), upsert(0n), upsert(2n), upsert(2n)]).toEqual([
      false,
      true,
      false,
      true,
      false,
    ]);
    expect(run(store, "ConfigEntry", { Op: "delete", Entry: entry(0n) })).toBeNull();
    expect(store.snapshot().kept.configEntries.size).toBe(0);
    expect(run(store, "ConfigEntry", { Op: "bogus", Entry: entry(0n) })).toBe(
      "invalid config entry operation type: bogus",
    );
  });

  test("of the CA's roots and configuration", () => {
    const store = new Store();
    const roots = (Index: bigint, ...active: readonly boolean[]): KeptRecord => ({
      Op: "set-roots",
      Index,
      Roots: active.map((Active, at) => ({ ID: `r${at}`, Active })),
    });
    expect(run(store, "ConnectCA", roots(0n, true, true))).toBe(
      "there must be exactly one active CA root",
    );
    expect(run(store, "ConnectCA", roots(0n, true))).toBe(true);
    expect(run(store, "ConnectCA", roots(0n, true))).toBe(false);
    expect(run(store, "ConnectCA", roots(2n, false, true))).toBe(true);
    const Config = { ClusterID: "c", Provider: "consul", ModifyIndex: 0n };
    expect(run(store, "ConnectCA", { Op: "set-config", Config })).toBeNull();
    const next = { ...Config, ClusterID: "", ModifyIndex: 4n };
    expect(run(store, "ConnectCA", { Op: "set-config", Config: next })).toBe(false);
    const right = { ...next, ModifyIndex: BigInt(store.lastIndex - 1) };
    expect(run(store, "ConnectCA", { Op: "set-config", Config: right })).toBe(true);
    expect(store.snapshot().kept.caConfig.rows.values()).toMatchObject([{ ClusterID: "c" }]);
  });
});

test("two intentions never have the same ends, and the more exact one counts first", () => {
  const store = new Store();
  const put = (ID: string, SourceName: string, DestinationName: string): unknown =>
    run(store, "Intention", {
      Op: "create",
      Intention: { ID, SourceNS: "default", SourceName, DestinationNS: "default", DestinationName },
    });
  expect(put("1", "web", "db")).toBeNull();
  expect(put("2", "*", "db")).toBeNull();
  expect(put("3", "web", "*")).toBeNull();
  expect(put("4", "*", "*")).toBeNull();
  expect(put("5", "web", "db")).toMatch("duplicate intention found");
  expect(put("", "a", "b")).toBe("Missing Intention ID");
  const { intentions } = store.snapshot().kept;
  expect(intentions.rows.values().map(({ Precedence, Meta }) => [Precedence, Meta])).toEqual([
    [9n, {}],
    [8n, {}],
    [6n, {}],
    [5n, {}],
  ]);
});

test("an operation that nobody knows is refused in Consul's words", () => {
  const store = new Store();
  for (const { bytes, file } of recordedCommands(testdata)) {
    if (file !== "fsm/log-02-KVS-bogus.bin") continue;
    const command = decodeCommand(bytes);
    if (command === undefined) throw new Error("skipped");
    expect(store.apply(1, command)).toMatchObject({
      error: { message: "Invalid KVS operation 'bogus'" },
    });
  }
  expect.assertions(1);
});
