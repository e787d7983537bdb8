/** `/v1/snapshot`: neither taken nor restored yet. An answer that looks like a backup and is none would be worse. */
import { RollcallError } from "../errors/index.ts";
import { READ_PARAMETERS } from "./query-options.ts";
import { defineRoute, type Operation } from "./route.ts";

const UNSUPPORTED = "Snapshots are not supported in this version";

function refused(summary: string): Operation {
  return {
    summary: `${summary}: not in this version`,
    query: READ_PARAMETERS,
    answerHeaders: "none",
    answers: { 500: { description: UNSUPPORTED } },
    handle: () => {
      throw new RollcallError("request/refused", UNSUPPORTED);
    },
  };
}

export const snapshotRoutes = [
  defineRoute("/v1/snapshot", "Snapshot", {
    GET: refused("Take a snapshot of all state"),
    PUT: refused("Replace all state by that of a snapshot"),
  }),
];
