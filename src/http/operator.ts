/** `/v1/operator` but for the keyring (Consul HTTP API, "Operator"). */
import { RollcallError } from "../errors/index.ts";
import {
  AutopilotConfig,
  bool,
  decodeKeyText,
  duration,
  failureTolerance,
  int,
  jsonDecoder,
  list,
  MILLISECOND,
  parseUint,
  struct,
  text,
} from "../model/index.ts";
import { secondsTimestamp } from "../platform/index.ts";
import { jsonBody } from "./body.ts";
import type { Call } from "./call.ts";
import { bad, DC_PARAMETERS, queryOptions, READ_PARAMETERS } from "./query-options.ts";
import { EMPTY_REPLY, reply, type Reply } from "./reply.ts";
import { DEFAULT_BODY_LIMIT } from "./request-body.ts";
import { defineRoute, type Operation } from "./route.ts";

const RaftConfiguration = struct("RaftConfiguration", {
  Servers: list(
    struct("RaftServer", {
      ID: text(),
      Node: text(),
      Address: text(),
      Leader: bool(),
      ProtocolVersion: text(),
      Voter: bool(),
    }),
  ),
  Index: int(),
});
const OperatorHealth = struct("OperatorHealthReply", {
  Healthy: bool(),
  FailureTolerance: int({ description: "How many servers may fail before there is no quorum" }),
  Servers: list(
    struct("ServerHealth", {
      ID: text(),
      Name: text(),
      Address: text(),
      SerfStatus: text(),
      Version: text(),
      Leader: bool(),
      LastContact: duration({ output: "string" }),
      LastTerm: int(),
      LastIndex: int(),
      Healthy: bool(),
      Voter: bool(),
      StableSince: text(),
    }),
  ),
});

const Transferred = struct("RaftTransferLeaderReply", { Success: bool() });

const raftBody = jsonBody(RaftConfiguration);
const transferredBody = jsonBody(Transferred);
const autopilotBody = jsonBody(AutopilotConfig);
const healthBody = jsonBody(OperatorHealth);
const doneBody = jsonBody(bool());
const decodeConfig = jsonDecoder(AutopilotConfig, { unknown: "refuse" });

async function raftConfiguration(call: Call): Promise<Reply> {
  const options = queryOptions(call);
  const raft = await call.needs.delegate.call("Operator.RaftGetConfiguration", options);
  const Servers = raft.Servers.map(({ ID, Name, Address, Leader, RaftProtocol, Voter }) => ({
    ID,
    Node: Name,
    Address,
    Leader,
    ProtocolVersion: RaftProtocol,
    Voter,
  }));
  return reply(raftBody({ Servers, Index: raft.Index }));
}

async function transferLeader(call: Call): Promise<Reply> {
  const args = { Datacenter: call.query.get("dc"), ID: call.query.get("id") };
  await call.needs.delegate.call("Operator.RaftTransferLeader", args);
  return reply(transferredBody({ Success: true }));
}

async function removePeer(call: Call): Promise<Reply> {
  const { query } = call;
  const [ID, Address] = [query.get("id"), query.get("address")];
  if (ID === "" && Address === "") {
    throw bad(
      "Bad request: Must specify either ?id with the server's ID or ?address with IP:port of peer to remove",
    );
  }
  if (ID !== "" && Address !== "") {
    throw bad("Bad request: Must specify only one of ?id or ?address");
  }
  const args = { Datacenter: query.get("dc"), ID, Address };
  await call.needs.delegate.call("Operator.RaftRemovePeer", args);
  return EMPTY_REPLY;
}

async function autopilotConfiguration(call: Call): Promise<Reply> {
  const { Datacenter } = queryOptions(call);
  const method = "Operator.AutopilotGetConfiguration";
  return reply(autopilotBody(await call.needs.delegate.call(method, { Datacenter })));
}

async function setAutopilotConfiguration(call: Call): Promise<Reply> {
  const given = await readConfig(call);
  const cas = casOf(call);
  const Config = { ...given, CreateIndex: 0, ModifyIndex: cas ?? 0 };
  const args = { Datacenter: call.query.get("dc"), Config, CAS: cas !== undefined };
  const method = "Operator.AutopilotSetConfiguration";
  return reply(doneBody(await call.needs.delegate.call(method, args)));
}

async function readConfig(call: Call): Promise<AutopilotConfig> {
  const bytes = await call.readBody(DEFAULT_BODY_LIMIT);
  try {
    return decodeConfig(decodeKeyText(bytes));
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    throw bad(`Bad request: Error parsing autopilot config: ${error.message}`);
  }
}

/** undefined: without a condition. */
function casOf({ query }: Call): number | undefined {
  if (!query.has("cas")) return undefined;
  const { value, error } = parseUint(query.get("cas"));
  if (value === undefined) throw bad(`Bad request: Error parsing cas value: ${error}`);
  return Number(value);
}

const UNHEALTHY = 429;

async function health(call: Call): Promise<Reply> {
  const Datacenter = call.query.get("dc");
  const servers = await call.needs.delegate.call("Operator.Servers", { Datacenter });
  const Healthy = servers.every((server) => server.Healthy);
  const body = healthBody({
    Healthy,
    FailureTolerance: failureTolerance(servers),
    Servers: servers.map((server) => ({
      ...server,
      LastContact: server.LastContactMs * MILLISECOND,
      StableSince: secondsTimestamp(server.StableSinceMs),
    })),
  });
  return reply(body, [], Healthy ? 200 : UNHEALTHY);
}

const TAG = "Operator";

/** As Consul has it since 1.14. */
const transfer: Operation = {
  summary: "Let another server lead",
  query: {
    ...DC_PARAMETERS,
    id: {
      description: "ID of that server; whoever has most of the log if not given",
      type: "text",
    },
  },
  answerHeaders: "none",
  answers: { 200: { description: "It leads, or is about to", schema: Transferred } },
  handle: transferLeader,
};

export const operatorRoutes = [
  defineRoute("/v1/operator/raft/configuration", TAG, {
    GET: {
      summary: "Servers that take part in Raft",
      query: READ_PARAMETERS,
      answerHeaders: "none",
      answers: { 200: { description: "The servers", schema: RaftConfiguration } },
      handle: raftConfiguration,
    },
  }),
  defineRoute("/v1/operator/raft/transfer-leader", TAG, {
    PUT: transfer,
    POST: transfer,
  }),
  defineRoute("/v1/operator/raft/peer", TAG, {
    DELETE: {
      summary: "Remove a server from Raft",
      query: {
        ...DC_PARAMETERS,
        id: { description: "ID of the server", type: "text" },
        address: { description: "Address of the server, instead of its ID", type: "text" },
      },
      answerHeaders: "none",
      answers: {
        200: { description: "Done; the body is empty" },
        400: { description: "Neither ID nor address, or both" },
      },
      handle: removePeer,
    },
  }),
  defineRoute("/v1/operator/autopilot/configuration", TAG, {
    GET: {
      summary: "How servers are looked after",
      query: READ_PARAMETERS,
      answerHeaders: "none",
      answers: { 200: { description: "The configuration", schema: AutopilotConfig } },
      handle: autopilotConfiguration,
    },
    PUT: {
      summary: "Set how servers are looked after; what is left out is zero",
      query: {
        ...DC_PARAMETERS,
        cas: { description: "Only if the ModifyIndex is this", type: "integer" },
      },
      requestBody: { description: "The configuration", schema: AutopilotConfig },
      answerHeaders: "none",
      answers: {
        200: { description: "Whether it was written", schema: bool() },
        400: { description: "The body or cas cannot be decoded" },
      },
      handle: setAutopilotConfiguration,
    },
  }),
  defineRoute("/v1/operator/autopilot/health", TAG, {
    GET: {
      summary: "Whether the servers are well",
      query: DC_PARAMETERS,
      answerHeaders: "none",
      answers: {
        200: { description: "All are", schema: OperatorHealth },
        429: { description: "Not all are", schema: OperatorHealth },
      },
      handle: health,
    },
  }),
];
