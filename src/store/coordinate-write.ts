/** Log command 6, CoordinateBatchUpdate: where nodes stand now (rules: wire/fsm.md section 6). */
import type { CoordinateBatch } from "../model/index.ts";
import { row } from "./index-rows.ts";
import { fold, join } from "./keys.ts";
import type { WriteTx } from "./write-tx.ts";

/** A node may have gone between its last update and this command: its coordinate is dropped. */
export function applyCoordinates(tx: WriteTx, batch: CoordinateBatch): void {
  const { coordinates, nodes } = tx.tables;
  for (const { Node, Segment, Coord } of batch) {
    const node = nodes.get(fold(Node));
    if (node !== undefined && Coord !== null) {
      tx.put(coordinates, { Node: node.Node, Segment, Coord });
    }
  }
  tx.bump(row.coordinates);
}

export function deleteCoordinatesOfNode(tx: WriteTx, node: string): void {
  const { coordinates } = tx.tables;
  const ofNode = coordinates.rows.values(join(fold(node), ""));
  for (const coordinate of ofNode) tx.remove(coordinates, coordinates.keyOf(coordinate));
  if (ofNode.length > 0) tx.bump(row.coordinates);
}
