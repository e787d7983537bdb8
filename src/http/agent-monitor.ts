/**
 * `/v1/agent/monitor`: the agent's log as it goes on, at a level of the caller's choice. A caller who reads slower
 * than the agent logs loses lines, and is told how many.
 */
import { parseLogLevel } from "../platform/index.ts";
import type { Call } from "./call.ts";
import { bad, TOKEN_PARAMETERS } from "./query-options.ts";
import type { Reply } from "./reply.ts";
import { defineRoute } from "./route.ts";

/** What may wait for a slow reader. */
const BACKLOG_MAX_BYTES = 256 * 1024;

function monitor(call: Call): Reply {
  const { query, needs } = call;
  const name = query.get("loglevel") || "info";
  const level = parseLogLevel(name);
  if (level === undefined) throw bad(`Bad request: Unknown log level: ${name}`);
  const json = query.has("logjson");
  return {
    status: 200,
    headers: [],
    body: undefined,
    stream: (sink) => {
      let lostCount = 0;
      return needs.logs.subscribe({
        level,
        json,
        write: (record) => {
          if (sink.backlogBytes > BACKLOG_MAX_BYTES) {
            lostCount += 1;
            return;
          }
          if (lostCount > 0)
            sink.write(`Monitor dropped ${lostCount} logs during monitor request\n`);
          lostCount = 0;
          sink.write(`${record}\n`);
        },
      });
    },
  };
}

export const agentMonitorRoutes = [
  defineRoute("/v1/agent/monitor", "Agent", {
    GET: {
      summary: "The agent's log from now on, until the caller hangs up",
      query: {
        ...TOKEN_PARAMETERS,
        loglevel: {
          description: "trace, debug, info, warn or error; info if not given",
          type: "text",
        },
        logjson: { description: "Each line as JSON", type: "flag" },
      },
      answerHeaders: "none",
      answers: {
        200: { description: "Lines as they occur", contentType: "text/plain" },
        400: { description: "No such level" },
      },
      handle: monitor,
    },
  }),
];
