/**
 * Nouns whose features are not built yet (ACLs, intentions, the mesh's CA, config entries, federation states), as
 * their messages have them. A server keeps them, so that it can follow the log of a cluster that uses them and hand
 * on its snapshots, whole.
 */
import type { AnyValue } from "../wire/index.ts";

/** Field for field as it came, integers as bigints. Text holds bytes too, such as hashes and times, without loss. */
export type KeptRecord = Readonly<Record<string, AnyValue>>;

/** A ConfigEntryRequest also has the kind in front of it, which is that of its `Entry`. */
export type KeptCommandType =
  | "ACL"
  | "ACLBootstrap"
  | "Intention"
  | "ConnectCA"
  | "ACLTokenSet"
  | "ACLTokenDelete"
  | "ACLPolicySet"
  | "ACLPolicyDelete"
  | "ConnectCALeaf"
  | "ConfigEntry"
  | "ACLRoleSet"
  | "ACLRoleDelete"
  | "ACLBindingRuleSet"
  | "ACLBindingRuleDelete"
  | "ACLAuthMethodSet"
  | "ACLAuthMethodDelete"
  | "FederationState";
