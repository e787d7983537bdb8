/**
 * Log commands 4, 11, 17 to 20 and 23 to 28: tokens, policies, roles, and how logins are bound to them (rules:
 * wire/fsm.md section 7).
 *
 * Links to policies and roles are stored with the names that these have now. A legacy token (command 4) has no
 * accessor, and no hash until a leader has upgraded it.
 */
import { goQuote, type KeptRecord } from "../model/index.ts";
import type { AnyValue } from "../wire/index.ts";
import { row } from "./index-rows.ts";
import { file, recordOf, recordsOf, refuse, strike, tableOf, textsOf } from "./kept-filing.ts";
import { indexOf, textOf } from "./kept-tables.ts";
import { fold, join } from "./keys.ts";
import type { WriteTx } from "./write-tx.ts";

const GLOBAL_MANAGEMENT = "00000000-0000-0000-0000-000000000001";
const BOOTSTRAP_OVER = "ACL bootstrap no longer allowed";

/** Command 4. @returns the token's secret of a set or a bootstrap, whether there may be one of a bootstrap-init */
export function applyLegacyAcl(tx: WriteTx, request: KeptRecord): string | boolean | null {
  const acl = recordOf(request, "ACL");
  const op = textOf(request, "Op");
  switch (op) {
    case "set":
    case "force-set":
      putToken(tx, tokenOfLegacy(acl), LEGACY);
      return textOf(acl, "ID");
    case "delete":
      strike(tx, "aclTokens", textOf(acl, "ID"));
      return null;
    case "bootstrap-init":
      return tx.tables.indexes.get(row.aclBootstrap) === undefined;
    case "bootstrap-now":
      bootstrap(tx, tokenOfLegacy(acl), 0);
      return textOf(acl, "ID");
    default:
      throw refuse(`Invalid ACL operation '${op}'`);
  }
}

/** The token that a legacy one, of the time before accessors and policies, amounts to. */
export function tokenOfLegacy(acl: KeptRecord): KeptRecord {
  return {
    AccessorID: "",
    AuthMethod: "",
    CreateIndex: acl["CreateIndex"] ?? 0n,
    CreateTime: ZERO_TIME_TEXT,
    Description: acl["Name"] ?? "",
    ExpirationTTL: 0n,
    ExpirationTime: null,
    Hash: null,
    Local: false,
    ModifyIndex: acl["ModifyIndex"] ?? 0n,
    NodeIdentities: null,
    Policies: null,
    Roles: null,
    Rules: acl["Rules"] ?? "",
    SecretID: acl["ID"] ?? "",
    ServiceIdentities: null,
    Type: acl["Type"] ?? "",
  };
}
/** The zero time.Time in bytes; ff is no UTF-8 and so is held as U+DC00 + ff. */
const ZERO_TIME_TEXT = `\x01${"\0".repeat(12)}\udcff\udcff`;

/** Command 11. */
export function applyAclBootstrap(tx: WriteTx, request: KeptRecord): null {
  const reset = request["ResetIndex"];
  bootstrap(tx, recordOf(request, "Token"), typeof reset === "bigint" ? Number(reset) : 0);
  return null;
}

function bootstrap(tx: WriteTx, token: KeptRecord, resetIndex: number): void {
  const done = tx.tables.indexes.get(row.aclBootstrap);
  if (done !== undefined) {
    if (resetIndex === 0) throw refuse(BOOTSTRAP_OVER);
    if (resetIndex !== done) throw refuse("Invalid ACL bootstrap reset index");
  }
  putToken(tx, token, { ...ANY_TOKEN, isLegacy: textOf(token, "AccessorID") === "" });
  tx.bump(row.aclBootstrap);
}

interface TokenRules {
  readonly isLegacy: boolean;
  readonly compares: boolean;
  readonly fromReplication: boolean;
  readonly mustBePrivileged: boolean;
  readonly linksMayMiss: boolean;
}
const ANY_TOKEN: TokenRules = {
  isLegacy: false,
  compares: false,
  fromReplication: false,
  mustBePrivileged: false,
  linksMayMiss: false,
};
const LEGACY: TokenRules = { ...ANY_TOKEN, isLegacy: true };

/** Command 17. */
export function applyTokenSet(tx: WriteTx, request: KeptRecord): null {
  const rules: TokenRules = {
    isLegacy: false,
    compares: request["CAS"] === true,
    fromReplication: request["FromReplication"] === true,
    mustBePrivileged: request["ProhibitUnprivileged"] === true,
    linksMayMiss: request["AllowMissingLinks"] === true,
  };
  for (const token of recordsOf(request, "Tokens")) putToken(tx, token, rules);
  return null;
}

function putToken(tx: WriteTx, token: KeptRecord, rules: TokenRules): void {
  const table = tableOf(tx, "aclTokens");
  const [accessor, secret] = [textOf(token, "AccessorID"), textOf(token, "SecretID")];
  if (secret === "") throw refuse("Missing ACL Token SecretID");
  if (accessor === "" && !rules.isLegacy) throw refuse("Missing ACL Token AccessorID");
  if (rules.fromReplication && token["Local"] === true)
    throw refuse("Cannot replicate local tokens");
  const known =
    table.get(secret) ?? (accessor === "" ? undefined : table.order("other").get(fold(accessor)));
  if (rules.compares) {
    const seen = known === undefined ? 0 : indexOf(known, "ModifyIndex");
    if (seen !== indexOf(token, "ModifyIndex")) return;
  }
  if (rules.isLegacy && known !== undefined && isModern(known)) {
    throw refuse(
      "failed inserting acl token: cannot use legacy endpoint to modify a non-legacy token",
    );
  }
  const Policies = linked(tx, token, "Policies", rules);
  const Roles = linked(tx, token, "Roles", rules);
  requireAuthMethod(tx, textOf(token, "AuthMethod"));
  const grants = [Policies, Roles, token["ServiceIdentities"], token["NodeIdentities"]];
  if (rules.mustBePrivileged && !grants.some((list) => Array.isArray(list) && list.length > 0)) {
    throw refuse("Token has no privileges");
  }
  if (known !== undefined) {
    const before = textOf(known, "AccessorID");
    if (before !== "" && before !== accessor) {
      throw refuse("The ACL Token AccessorID field is immutable");
    }
    if (textOf(known, "SecretID") !== secret) {
      throw refuse("The ACL Token SecretID field is immutable");
    }
  }
  file(tx, "aclTokens", { ...token, Policies, Roles });
}

/** Whether the token says what legacy ones could not. */
function isModern(token: KeptRecord): boolean {
  const lists = ["Policies", "Roles", "ServiceIdentities", "NodeIdentities"];
  return (
    textOf(token, "AccessorID") !== "" && lists.some((field) => recordsOf(token, field).length > 0)
  );
}

const LINKED = { Policies: ["aclPolicies", "policy"], Roles: ["aclRoles", "role"] } as const;

/** Links of a token or a role, with the names of what they lead to. */
function linked(
  tx: WriteTx,
  record: KeptRecord,
  field: keyof typeof LINKED,
  { linksMayMiss }: Pick<TokenRules, "linksMayMiss">,
): AnyValue {
  const [name, noun] = LINKED[field];
  const given = record[field] ?? null;
  if (given === null) return null;
  return recordsOf(record, field).map((link) => {
    const to = tableOf(tx, name).get(fold(textOf(link, "ID")));
    if (to !== undefined) return { ...link, Name: textOf(to, "Name") };
    if (linksMayMiss) return link;
    throw refuse(`No such ${noun} with ID: ${textOf(link, "ID")}`);
  });
}

function requireAuthMethod(tx: WriteTx, name: string): void {
  if (name !== "" && tableOf(tx, "aclAuthMethods").get(fold(name)) === undefined) {
    throw refuse(`No such auth method with Name: ${name}`);
  }
}

/** Command 18. Tokens go by their accessors. */
export function applyTokenDelete(tx: WriteTx, request: KeptRecord): null {
  const table = tableOf(tx, "aclTokens");
  for (const accessor of textsOf(request, "TokenIDs")) {
    const token = table.order("other").get(fold(accessor));
    if (token !== undefined) strike(tx, "aclTokens", table.keyOf(token));
  }
  return null;
}

/** Command 19. */
export function applyPolicySet(tx: WriteTx, request: KeptRecord): null {
  for (const policy of recordsOf(request, "Policies")) {
    requireIdAndName(tx, "aclPolicies", policy, "Policy");
    file(tx, "aclPolicies", policy);
  }
  return null;
}

/** Command 23. */
export function applyRoleSet(tx: WriteTx, request: KeptRecord): null {
  const linksMayMiss = request["AllowMissingLinks"] === true;
  for (const role of recordsOf(request, "Roles")) {
    requireIdAndName(tx, "aclRoles", role, "Role");
    file(tx, "aclRoles", { ...role, Policies: linked(tx, role, "Policies", { linksMayMiss }) });
  }
  return null;
}

function requireIdAndName(
  tx: WriteTx,
  name: "aclPolicies" | "aclRoles",
  record: KeptRecord,
  noun: "Policy" | "Role",
): void {
  if (textOf(record, "ID") === "") throw refuse(`Missing ACL ${noun} ID`);
  if (textOf(record, "Name") === "") throw refuse(`Missing ACL ${noun} Name`);
  const table = tableOf(tx, name);
  const namesake = table.order("other").get(fold(textOf(record, "Name")));
  if (namesake !== undefined && table.keyOf(namesake) !== table.keyOf(record)) {
    const quoted = goQuote(textOf(record, "Name"));
    throw refuse(`A ${noun.toLowerCase()} with name ${quoted} already exists`);
  }
}

/** Command 20. */
export function applyPolicyDelete(tx: WriteTx, request: KeptRecord): null {
  const ids = textsOf(request, "PolicyIDs");
  if (ids.includes(GLOBAL_MANAGEMENT)) {
    throw refuse("Deletion of the builtin global-management policy is not permitted");
  }
  for (const id of ids) strike(tx, "aclPolicies", fold(id));
  return null;
}

/** Command 24. */
export function applyRoleDelete(tx: WriteTx, request: KeptRecord): null {
  for (const id of textsOf(request, "RoleIDs")) strike(tx, "aclRoles", fold(id));
  return null;
}

/** Command 25. */
export function applyBindingRuleSet(tx: WriteTx, request: KeptRecord): null {
  for (const rule of recordsOf(request, "BindingRules")) {
    if (textOf(rule, "ID") === "") throw refuse("Missing ACL Binding Rule ID");
    if (textOf(rule, "AuthMethod") === "") throw refuse("Missing ACL Binding Rule Auth Method");
    requireAuthMethod(tx, textOf(rule, "AuthMethod"));
    file(tx, "aclBindingRules", rule);
  }
  return null;
}

/** Command 26. */
export function applyBindingRuleDelete(tx: WriteTx, request: KeptRecord): null {
  for (const id of textsOf(request, "BindingRuleIDs")) strike(tx, "aclBindingRules", fold(id));
  return null;
}

/** Command 27. */
export function applyAuthMethodSet(tx: WriteTx, request: KeptRecord): null {
  for (const method of recordsOf(request, "AuthMethods")) {
    if (textOf(method, "Name") === "") throw refuse("Missing ACL Auth Method Name");
    if (textOf(method, "Type") === "") throw refuse("Missing ACL Auth Method Type");
    file(tx, "aclAuthMethods", method);
  }
  return null;
}

/** Command 28. With a method go the rules that bind its logins, and the tokens that they were given. */
export function applyAuthMethodDelete(tx: WriteTx, request: KeptRecord): null {
  for (const name of textsOf(request, "AuthMethodNames")) {
    const method = fold(name);
    if (tableOf(tx, "aclAuthMethods").get(method) === undefined) continue;
    const rules = tableOf(tx, "aclBindingRules");
    for (const rule of rules.order("other").values(join(method, ""))) {
      strike(tx, "aclBindingRules", rules.keyOf(rule));
    }
    const tokens = tableOf(tx, "aclTokens");
    for (const token of tokens.rows.values()) {
      if (fold(textOf(token, "AuthMethod")) === method)
        strike(tx, "aclTokens", tokens.keyOf(token));
    }
    strike(tx, "aclAuthMethods", method);
  }
  return null;
}
