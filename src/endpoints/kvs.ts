/** The KVS endpoint: keys, values and locks. */
import { RollcallError } from "../errors/index.ts";
import { uuidLookupFault, type DirEntry, type KvsRequest } from "../model/index.ts";
import type { KeyListQuery, KeyQuery } from "../rpc/index.ts";
import { row, type IndexView, type ReadView } from "../store/index.ts";
import type { EndpointContext } from "./context.ts";
import { questionOf, requireDatacenter, type Query } from "./query.ts";

const refuse = (text: string): RollcallError => new RollcallError("request/refused", text);

/** @returns false where the operation's condition did not hold */
export async function apply(context: EndpointContext, request: KvsRequest): Promise<boolean> {
  requireDatacenter(context, request.Datacenter);
  const { Op, DirEnt } = request;
  if (DirEnt.Key === "" && Op !== "delete-tree") throw refuse("Must provide key");
  if (Op === "lock") {
    if (DirEnt.Session === "") throw refuse("missing session");
    const fault = uuidLookupFault(DirEnt.Session);
    if (fault !== undefined) throw refuse(`failed session lookup: ${fault}`);
    // Not written to the log: the delay runs on the leader's clock, and it alone decides.
    if (context.lockDelayMs(DirEnt.Key) > 0) return false;
  }
  const body = { Datacenter: context.datacenter, Op, DirEnt };
  const result = await context.apply({ type: "KVS", body });
  if (result.kind === "refused") throw result.error;
  return result.value === true;
}

type Entries = { readonly Entries: readonly DirEntry[] };
const NO_ENTRIES: readonly DirEntry[] = [];

/** Kilobytes, roughly, of an entry with its value. */
const entryWeight = ({ Value }: DirEntry): number => 1 + (Value?.length ?? 0) / 512;
const entriesWeight = (entries: readonly DirEntry[]): number =>
  entries.reduce((sum, entry) => sum + entryWeight(entry), 0);

export function get({ Key }: KeyQuery): Query<Entries> {
  return {
    question: questionOf("KVS.Get", Key),
    evaluate: (view) => {
      const entry = view.key(Key);
      return { Entries: entry === undefined ? NO_ENTRIES : [entry] };
    },
    index: (indexes, { Entries }) =>
      Entries[0]?.ModifyIndex ?? indexes.index(row.kvs, row.tombstones),
    weight: ({ Entries }) => entriesWeight(Entries),
  };
}

/** What a prefix's index is made of is read together with the entries, so that both are of one moment. */
interface Listed {
  readonly highestIndex: number;
}

function listed(view: ReadView, prefix: string): { entries: DirEntry[]; highestIndex: number } {
  const entries = view.keysUnder(prefix);
  if (prefix === "") return { entries, highestIndex: 0 };
  let highestIndex = view.tombstoneIndex(prefix);
  for (const { ModifyIndex } of entries) if (ModifyIndex > highestIndex) highestIndex = ModifyIndex;
  return { entries, highestIndex };
}

const prefixIndex = (indexes: IndexView, { highestIndex }: Listed): number =>
  highestIndex === 0 ? indexes.index(row.kvs, row.tombstones) : highestIndex;

export function list({ Key }: KeyQuery): Query<Entries & Listed> {
  return {
    question: questionOf("KVS.List", Key),
    evaluate: (view) => {
      const { entries, highestIndex } = listed(view, Key);
      return { Entries: entries, highestIndex };
    },
    index: prefixIndex,
    weight: ({ Entries }) => entriesWeight(Entries),
  };
}

export function listKeys({
  Prefix,
  Seperator,
}: KeyListQuery): Query<{ readonly Keys: readonly string[] } & Listed> {
  return {
    question: questionOf("KVS.ListKeys", JSON.stringify(Seperator), Prefix),
    evaluate: (view) => {
      const { entries, highestIndex } = listed(view, Prefix);
      return { Keys: cutKeys(entries, Prefix, Seperator), highestIndex };
    },
    index: prefixIndex,
    weight: ({ Keys }) => Keys.length / 8,
  };
}

/** With a separator: keys cut after the first one that follows the prefix, each once. */
function cutKeys(entries: readonly DirEntry[], prefix: string, separator: string): string[] {
  if (separator === "") return entries.map(({ Key }) => Key);
  const keys: string[] = [];
  for (const { Key } of entries) {
    const at = Key.indexOf(separator, prefix.length);
    const cut = at === -1 ? Key : Key.slice(0, at + separator.length);
    if (keys.at(-1) !== cut) keys.push(cut);
  }
  return keys;
}
