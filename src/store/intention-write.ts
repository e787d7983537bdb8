/** Log command 12, Intention: who may connect to whom; two ends have one intention (rules: wire/fsm.md section 7). */
import type { KeptRecord } from "../model/index.ts";
import { file, recordOf, refuse, strike, tableOf } from "./kept-filing.ts";
import { textOf } from "./kept-tables.ts";
import { fold } from "./keys.ts";
import type { WriteTx } from "./write-tx.ts";

export function applyIntention(tx: WriteTx, request: KeptRecord): null {
  const intention = recordOf(request, "Intention");
  const op = textOf(request, "Op");
  if (op === "create" || op === "update") put(tx, intention);
  else if (op === "delete") strike(tx, "intentions", fold(textOf(intention, "ID")));
  else throw refuse(`Invalid Intention operation '${op}'`);
  return null;
}

function put(tx: WriteTx, intention: KeptRecord): void {
  if (textOf(intention, "ID") === "") throw refuse("Missing Intention ID");
  const table = tableOf(tx, "intentions");
  const key = table.keyOf(intention);
  const known = table.get(key);
  const rival = table.order("other").get(table.keysIn("other", intention)[0] ?? "");
  if (rival !== undefined && table.keyOf(rival) !== key) {
    throw refuse(`duplicate intention found: ${shown(rival)}`);
  }
  file(tx, "intentions", {
    ...intention,
    ...(known === undefined ? {} : { CreatedAt: known["CreatedAt"] ?? null }),
    Meta: intention["Meta"] ?? {},
    Precedence: BigInt(precedence(intention)),
  });
}

/** The more exactly an intention names its ends, the sooner it counts: the destination first, then the source. */
function precedence(intention: KeptRecord): number {
  const destination = exactParts(intention, "DestinationNS", "DestinationName");
  const source = exactParts(intention, "SourceNS", "SourceName");
  return 3 + 3 * destination - (2 - source);
}

/** 0 of any namespace, 1 of any name, 2 of one name. */
function exactParts(intention: KeptRecord, namespace: string, name: string): number {
  if (textOf(intention, namespace) === "*") return 0;
  return textOf(intention, name) === "*" ? 1 : 2;
}

function shown(intention: KeptRecord): string {
  const [action, id, ...ends] = [
    "Action",
    "ID",
    "SourceNS",
    "SourceName",
    "DestinationNS",
    "DestinationName",
  ].map((field) => textOf(intention, field));
  const [sourceNs, source, destinationNs, destination] = ends;
  return (
    `${(action ?? "").toUpperCase()} ${sourceNs}/${source} => ${destinationNs}/${destination} ` +
    `(ID: ${id}, Precedence: ${precedence(intention)})`
  );
}
