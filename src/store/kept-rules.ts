/** Which rule applies each of the commands of nouns that are kept as they came (`model/kept.ts`). */
import type { Command, KeptCommandType, KeptRecord } from "../model/index.ts";
import * as acl from "./acl-write.ts";
import { applyConfigEntry, applyFederationState } from "./config-entry-write.ts";
import { applyConnectCa, applyConnectCaLeaf } from "./connect-ca-write.ts";
import { applyIntention } from "./intention-write.ts";
import type { WriteTx } from "./write-tx.ts";

type KeptRule = (tx: WriteTx, request: KeptRecord) => null | boolean | number | string;

const RULES: Readonly<Record<KeptCommandType, KeptRule>> = {
  ACL: acl.applyLegacyAcl,
  ACLBootstrap: acl.applyAclBootstrap,
  ACLTokenSet: acl.applyTokenSet,
  ACLTokenDelete: acl.applyTokenDelete,
  ACLPolicySet: acl.applyPolicySet,
  ACLPolicyDelete: acl.applyPolicyDelete,
  ACLRoleSet: acl.applyRoleSet,
  ACLRoleDelete: acl.applyRoleDelete,
  ACLBindingRuleSet: acl.applyBindingRuleSet,
  ACLBindingRuleDelete: acl.applyBindingRuleDelete,
  ACLAuthMethodSet: acl.applyAuthMethodSet,
  ACLAuthMethodDelete: acl.applyAuthMethodDelete,
  Intention: applyIntention,
  ConnectCA: applyConnectCa,
  ConnectCALeaf: applyConnectCaLeaf,
  ConfigEntry: applyConfigEntry,
  FederationState: applyFederationState,
};

type KeptCommand = Extract<Command, { type: KeptCommandType }>;

export function isKept(command: Command): command is KeptCommand {
  return Object.hasOwn(RULES, command.type);
}

export function applyKept(tx: WriteTx, { type, body }: KeptCommand): ReturnType<KeptRule> {
  return RULES[type](tx, body);
}
