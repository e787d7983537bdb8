/**
 * The bytes of log commands: a type byte, and the body in msgpack (wire/fsm.md section 1).
 *
 *     0           1
 *     +-+---------+----------------------
 *     |i| type    | body
 *     +-+---------+----------------------
 *
 * `i`, 0x80, lets servers that do not know the type skip the command; without it, one that does not know it must
 * stop, for its state would not be that of the others.
 */
import { RollcallError } from "../errors/index.ts";
import {
  AutopilotRequest,
  CoordinateBatch,
  DeregisterRequest,
  KvsRequest,
  messageOf,
  PreparedQueryRequest,
  RegisterRequest,
  SessionRequest,
  TombstoneRequest,
  TxnRequest,
  type Codec,
  type Command,
} from "../model/index.ts";
import { MsgpackReader, MsgpackWriter } from "../wire/index.ts";
import { CONFIG_ENTRY_REQUEST, KEPT } from "./kept-message.ts";

interface Kind {
  readonly code: number;
  readonly codec: Codec<unknown>;
  /** Whether others may skip it. */
  readonly skippable: boolean;
}

function kind(
  code: number,
  codec: Codec<unknown>,
  rule: "known to all" | "skippable" = "known to all",
): Kind {
  return { code, codec, skippable: rule === "skippable" };
}

const KINDS: { readonly [T in Command["type"]]: Kind } = {
  Register: kind(0, messageOf(RegisterRequest)),
  Deregister: kind(1, messageOf(DeregisterRequest)),
  KVS: kind(2, messageOf(KvsRequest)),
  Session: kind(3, messageOf(SessionRequest)),
  ACL: kind(4, KEPT),
  Tombstone: kind(5, messageOf(TombstoneRequest)),
  CoordinateBatchUpdate: kind(6, messageOf(CoordinateBatch), "skippable"),
  PreparedQuery: kind(7, messageOf(PreparedQueryRequest)),
  Txn: kind(8, messageOf(TxnRequest)),
  Autopilot: kind(9, messageOf(AutopilotRequest)),
  ACLBootstrap: kind(11, KEPT),
  Intention: kind(12, KEPT),
  ConnectCA: kind(13, KEPT),
  ACLTokenSet: kind(17, KEPT),
  ACLTokenDelete: kind(18, KEPT),
  ACLPolicySet: kind(19, KEPT),
  ACLPolicyDelete: kind(20, KEPT),
  ConnectCALeaf: kind(21, KEPT, "skippable"),
  ConfigEntry: kind(22, CONFIG_ENTRY_REQUEST),
  ACLRoleSet: kind(23, KEPT),
  ACLRoleDelete: kind(24, KEPT),
  ACLBindingRuleSet: kind(25, KEPT),
  ACLBindingRuleDelete: kind(26, KEPT),
  ACLAuthMethodSet: kind(27, KEPT),
  ACLAuthMethodDelete: kind(28, KEPT),
  FederationState: kind(30, KEPT),
};

const SKIPPABLE = 0x80;
const TYPE_BY_CODE: ReadonlyMap<number, Command["type"]> = new Map(
  (Object.keys(KINDS) as Command["type"][]).map((type) => [KINDS[type].code, type]),
);

export function encodeCommand(command: Command): Uint8Array {
  const { code, codec, skippable } = KINDS[command.type];
  const into = new MsgpackWriter();
  into.byte(skippable ? code | SKIPPABLE : code);
  codec.write(into, command.body);
  return into.finish();
}

/**
 * @returns undefined for a command that is to be skipped: one that this version does not know, and need not
 * @throws {RollcallError} `wire/malformed`, also for one that it does not know but would have to
 */
export function decodeCommand(encoded: Uint8Array): Command | undefined {
  const [lead] = encoded;
  if (lead === undefined) throw new RollcallError("wire/malformed", "an empty log command");
  const code = lead & ~SKIPPABLE;
  const type = TYPE_BY_CODE.get(code);
  if (type === undefined) {
    if ((lead & SKIPPABLE) !== 0) return undefined;
    throw new RollcallError(
      "wire/malformed",
      `unknown log command type ${code}: a newer server wrote it`,
    );
  }
  return { type, body: KINDS[type].codec.read(new MsgpackReader(encoded, 1)) } as Command;
}
