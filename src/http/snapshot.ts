/** `/v1/snapshot`: all state, out and in again (Consul HTTP API, "Snapshot"). */
import { indexHeaders } from "./answer-headers.ts";
import type { Call } from "./call.ts";
import { DC_PARAMETERS } from "./query-options.ts";
import { EMPTY_REPLY, type Reply } from "./reply.ts";
import { defineRoute, type Parameters } from "./route.ts";
import type { SnapshotOptions } from "../rpc/index.ts";

const ARCHIVE_TYPE = "application/x-gzip";

async function save(call: Call): Promise<Reply> {
  const saved = await call.needs.snapshots.save(optionsOf(call));
  const { index: Index, knownLeader: KnownLeader, lastContactMs: LastContactMs } = saved;
  const headers = indexHeaders({ Index, KnownLeader, LastContactMs });
  return {
    status: 200,
    headers: [...headers, "Content-Type", ARCHIVE_TYPE],
    body: undefined,
    chunks: saved.archive,
  };
}

async function restore(call: Call): Promise<Reply> {
  await call.needs.snapshots.restore(call.bodyChunks(), optionsOf(call));
  return EMPTY_REPLY;
}

function optionsOf({ query }: Call): SnapshotOptions {
  return { datacenter: query.get("dc"), consistency: query.has("stale") ? "stale" : "default" };
}

const PARAMETERS: Parameters = {
  ...DC_PARAMETERS,
  stale: { description: "Any server may answer, however old its data; only to save", type: "flag" },
};

export const snapshotRoutes = [
  defineRoute("/v1/snapshot", "Snapshot", {
    GET: {
      summary: "Take a snapshot of all state",
      query: PARAMETERS,
      answerHeaders: "index",
      answers: { 200: { description: "A tar archive, compressed", contentType: ARCHIVE_TYPE } },
      handle: save,
    },
    PUT: {
      summary: "Replace all state by that of a snapshot",
      query: PARAMETERS,
      requestBody: { description: "What GET has answered", contentType: ARCHIVE_TYPE },
      answerHeaders: "none",
      answers: {
        200: { description: "Done; the body is empty" },
        500: { description: "The archive cannot be used, and nothing was changed" },
      },
      handle: restore,
    },
  }),
];
