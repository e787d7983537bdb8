/** Log commands 13, ConnectCA, and 21, ConnectCALeaf: the mesh's certificate authority (rules: wire/fsm.md section 7). */
import type { KeptRecord } from "../model/index.ts";
import { file, recordOf, recordsOf, refuse, strike, tableOf } from "./kept-filing.ts";
import { CA_CONFIG_KEY, indexOf, textOf } from "./kept-tables.ts";
import type { WriteTx } from "./write-tx.ts";

const ROOTS = "connect-ca-roots";
const PROVIDER = "connect-ca-builtin";
/** Not an index: the last serial number that was given out. */
const SERIAL = "connect-ca-builtin-serial";
const LEAVES = "connect-ca-leaf-certs";

/** @returns whether it was carried out, where it has a condition; the serial number of `increment-provider-serial` */
export function applyConnectCa(tx: WriteTx, request: KeptRecord): boolean | number | null {
  const op = textOf(request, "Op");
  switch (op) {
    case "set-config":
      return setConfig(tx, recordOf(request, "Config"));
    case "set-roots":
      return setRoots(tx, request);
    case "set-provider-state":
      file(tx, "caProviderStates", recordOf(request, "ProviderState"));
      return true;
    case "delete-provider-state":
      strike(tx, "caProviderStates", textOf(recordOf(request, "ProviderState"), "ID"));
      return true;
    case "set-roots-config":
      return (
        setRoots(tx, request) && compareAndSetConfig(tx, recordOf(request, "Config"), tx.index + 1)
      );
    case "increment-provider-serial":
      return nextSerial(tx);
    default:
      throw refuse(`Invalid CA operation '${op}'`);
  }
}

/** @returns the index from which on agents ask for new leaf certificates */
export function applyConnectCaLeaf(tx: WriteTx, request: KeptRecord): number {
  const op = textOf(request, "Op");
  if (op !== "increment-index") throw refuse(`Invalid CA Leaf operation '${op}'`);
  tx.bump(LEAVES);
  return tx.index;
}

function setConfig(tx: WriteTx, config: KeptRecord): boolean | null {
  if (indexOf(config, "ModifyIndex") > 0) return compareAndSetConfig(tx, config, tx.index);
  putConfig(tx, config, tx.index);
  return null;
}

function compareAndSetConfig(tx: WriteTx, config: KeptRecord, index: number): boolean {
  const known = tableOf(tx, "caConfig").get(CA_CONFIG_KEY);
  const seen = known === undefined ? 0 : indexOf(known, "ModifyIndex");
  if (seen !== indexOf(config, "ModifyIndex")) return false;
  putConfig(tx, config, index);
  return true;
}

/** The cluster keeps its ID, unless it is given another. */
function putConfig(tx: WriteTx, config: KeptRecord, index: number): void {
  const known = tableOf(tx, "caConfig").get(CA_CONFIG_KEY);
  const ClusterID = textOf(config, "ClusterID") || (known?.["ClusterID"] ?? "");
  file(tx, "caConfig", { ...config, ClusterID }, index);
}

function setRoots(tx: WriteTx, request: KeptRecord): boolean {
  const roots = recordsOf(request, "Roots");
  if (roots.filter((root) => root["Active"] === true).length !== 1) {
    throw refuse("there must be exactly one active CA root");
  }
  if ((tx.tables.indexes.get(ROOTS) ?? 0) !== indexOf(request, "Index")) return false;
  const table = tableOf(tx, "caRoots");
  const keys = new Set(roots.map((root) => table.keyOf(root)));
  for (const old of table.rows.values()) {
    if (!keys.has(table.keyOf(old))) tx.remove(table, table.keyOf(old));
  }
  for (const root of roots) file(tx, "caRoots", root);
  return true;
}

function nextSerial(tx: WriteTx): number {
  const { indexes } = tx.tables;
  const serial = (indexes.get(SERIAL) ?? indexes.get(PROVIDER) ?? 0) + 1;
  tx.setRow(SERIAL, serial);
  return serial;
}
