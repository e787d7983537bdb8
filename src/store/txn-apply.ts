/**
 * Log command 8, Txn: operations on keys, nodes, services and checks, in order, each seeing what those before it did;
 * all of them, or none (rules: wire/fsm.md section 7; texts: Consul HTTP API, "Transactions").
 *
 * A failing operation does not end the transaction: the others still run, so that the caller learns of every failure
 * at once. Then everything is undone.
 */
import { RollcallError } from "../errors/index.ts";
import {
  goQuote,
  uuidLookupFault,
  type DirEntry,
  type KeptRecord,
  type KvsOp,
  type TxnError,
  type TxnOp,
  type TxnResponse,
  type TxnResult,
} from "../model/index.ts";
import { applyIntention } from "./intention-write.ts";
import { applyKvs } from "./kv-write.ts";
import { forgetSession } from "./session-write.ts";
import { applyCheckOp, applyNodeOp, applyServiceOp } from "./txn-catalog.ts";
import type { WriteTx } from "./write-tx.ts";

const refuse = (text: string): RollcallError => new RollcallError("request/refused", text);

export function applyTxn(tx: WriteTx, ops: readonly TxnOp[]): TxnResponse {
  const Results: TxnResult[] = [];
  const Errors: TxnError[] = [];
  let OpIndex = -1;
  for (const op of ops) {
    OpIndex++;
    try {
      for (const result of applyOp(tx, op)) Results.push(result);
    } catch (error) {
      if (!(error instanceof RollcallError)) throw error;
      Errors.push({ OpIndex, What: error.message });
    }
  }
  if (Errors.length === 0) return { Results, Errors: null };
  tx.rollback();
  return { Results: null, Errors };
}

function applyOp(tx: WriteTx, op: TxnOp): readonly TxnResult[] {
  if (op.KV !== null) {
    const found = applyKvOp(tx, op.KV.Verb, op.KV.DirEnt);
    return found.map((KV) => ({ KV, Node: null, Service: null, Check: null }));
  }
  if (op.Node !== null) {
    const found = applyNodeOp(tx, op.Node);
    return found.map((Node) => ({ KV: null, Node, Service: null, Check: null }));
  }
  if (op.Service !== null) {
    const found = applyServiceOp(tx, op.Service);
    return found.map((Service) => ({ KV: null, Node: null, Service, Check: null }));
  }
  if (op.Check !== null) {
    const found = applyCheckOp(tx, op.Check);
    return found.map((Check) => ({ KV: null, Node: null, Service: null, Check }));
  }
  applyServersOp(tx, op);
  return [];
}

/** What only servers ask for. It has no result. */
function applyServersOp(tx: WriteTx, { Intention, Session }: TxnOp): void {
  const intention: unknown = Intention ?? null;
  if (intention !== null) applyIntention(tx, intention as KeptRecord);
  else if (Session === undefined || Session === null) throw refuse("no operation specified");
  else if (Session.Verb === "delete") forgetSession(tx, Session.Session.ID);
  else throw refuse(`unknown Session verb ${goQuote(Session.Verb)}`);
}

type KvRule = (tx: WriteTx, wanted: DirEntry) => readonly DirEntry[];

/** Makes a rule of an operation of the KVS command; what it leaves in the store is the result, without its value. */
function writes(op: KvsOp, refusal: (key: string) => string = () => ""): KvRule {
  const leavesKey = !op.startsWith("delete");
  return (tx, wanted) => {
    if (!applyKvs(tx, { Datacenter: "", Op: op, DirEnt: wanted })) {
      throw refuse(refusal(goQuote(wanted.Key)));
    }
    return leavesKey ? [withoutValue(requireKey(tx, wanted))] : [];
  };
}

function withoutValue(entry: DirEntry): DirEntry {
  const { LockIndex, Key, Flags, Session, CreateIndex, ModifyIndex } = entry;
  return { LockIndex, Key, Flags, Value: null, Session, CreateIndex, ModifyIndex };
}

function requireKey(tx: WriteTx, { Key }: DirEntry, what = ""): DirEntry {
  const entry = tx.tables.kv.get(Key);
  if (entry !== undefined) return entry;
  throw refuse(`${what}key ${goQuote(Key)} doesn't exist`);
}

const lock = writes("lock", (key) => `failed to lock key ${key}, lock is already held`);

const KV_RULES: Readonly<Record<string, KvRule>> = {
  set: writes("set"),
  cas: writes("cas", (key) => `failed to set key ${key}, index is stale`),
  lock: (tx, wanted) => {
    const fault = wanted.Session === "" ? undefined : uuidLookupFault(wanted.Session);
    if (fault !== undefined) throw refuse(`failed session lookup: ${fault}`);
    return lock(tx, wanted);
  },
  unlock: writes(
    "unlock",
    (key) => `failed to unlock key ${key}, lock isn't held, or is held by another session`,
  ),
  delete: writes("delete"),
  "delete-tree": writes("delete-tree"),
  "delete-cas": writes("delete-cas", (key) => `failed to delete key ${key}, index is stale`),
  get: (tx, wanted) => [requireKey(tx, wanted)],
  "get-tree": (tx, { Key }) => tx.tables.kv.rows.values(Key),
  "check-index": (tx, wanted) => {
    const entry = requireKey(tx, wanted, "failed to check index, ");
    if (entry.ModifyIndex === wanted.ModifyIndex) return [withoutValue(entry)];
    throw refuse(
      `failed index check for key ${goQuote(wanted.Key)}, ` +
        `current modify index ${entry.ModifyIndex} != ${wanted.ModifyIndex}`,
    );
  },
  "check-session": (tx, wanted) => {
    const entry = requireKey(tx, wanted, "failed to check session, ");
    if (entry.Session === wanted.Session) return [withoutValue(entry)];
    throw refuse(
      `failed session check for key ${goQuote(wanted.Key)}, ` +
        `current session ${goQuote(entry.Session)} != ${goQuote(wanted.Session)}`,
    );
  },
  "check-not-exists": (tx, { Key }) => {
    if (tx.tables.kv.get(Key) === undefined) return [];
    throw refuse(`key ${goQuote(Key)} exists`);
  },
};

function applyKvOp(tx: WriteTx, verb: string, wanted: DirEntry): readonly DirEntry[] {
  const rule = Object.hasOwn(KV_RULES, verb) ? KV_RULES[verb] : undefined;
  if (rule === undefined) throw refuse(`unknown KV verb ${goQuote(verb)}`);
  return rule(tx, wanted);
}
