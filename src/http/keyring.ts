/** `/v1/operator/keyring`: the keys that gossip is encrypted with, of every member of every pool. */
import { RollcallError } from "../errors/index.ts";
import {
  atoi,
  bool,
  decodeBase64,
  int,
  jsonDecoder,
  list,
  map,
  omitEmpty,
  parseBool,
  struct,
  text,
} from "../model/index.ts";
import { jsonBody } from "./body.ts";
import type { Call } from "./call.ts";
import { bad, TOKEN_PARAMETERS } from "./query-options.ts";
import type { KeyringAnswer, KeyringRequest } from "./needs.ts";
import { EMPTY_REPLY, reply, type Reply } from "./reply.ts";
import { DEFAULT_BODY_LIMIT } from "./request-body.ts";
import { decodeRequest } from "./request-json.ts";
import { defineRoute, type Operation } from "./route.ts";

const MAX_RELAY_FACTOR = 5;
const KeyringArgs = struct("keyringArgs", { Key: text({ description: "16, 24 or 32 bytes" }) });
const decodeKeyring = jsonDecoder(KeyringArgs, { unknown: "refuse" });

const KeyringResponse = struct("KeyringResponse", {
  WAN: bool(),
  Datacenter: text(),
  Segment: text(),
  Messages: omitEmpty(map(text())),
  /** By key: how many members have it, or encrypt with it. */
  Keys: map(int()),
  PrimaryKeys: map(int()),
  NumNodes: int(),
});
const RESPONSES = list(KeyringResponse);
const responsesBody = jsonBody(RESPONSES);

async function listKeys(call: Call): Promise<Reply> {
  const relayFactor = requireRelayFactor(call);
  const localOnly = isLocalOnly(call);
  const request = { operation: "list", key: "", relayFactor, localOnly } as const;
  const answers = await call.needs.agent.keyring(request);
  requireNoFaults(answers);
  return reply(responsesBody(answers));
}

const modify =
  (operation: KeyringRequest["operation"]) =>
  async (call: Call): Promise<Reply> => {
    const { Key: key } = await keyringRequest(call);
    const relayFactor = requireRelayFactor(call);
    if (isLocalOnly(call)) {
      throw bad(
        "Bad request: Invalid use of local-only: local-only can only be set for list requests",
      );
    }
    requireBase64(call, key);
    const request = { operation, key, relayFactor, localOnly: false };
    requireNoFaults(await call.needs.agent.keyring(request));
    return EMPTY_REPLY;
  };

async function keyringRequest(call: Call) {
  try {
    return decodeRequest(await call.readBody(DEFAULT_BODY_LIMIT), decodeKeyring);
  } catch (error) {
    if (!(error instanceof RollcallError) || error.code !== "request/bad") throw error;
    throw bad(`Bad request: ${error.message}`);
  }
}

function requireRelayFactor({ query }: Call): number {
  const given = query.get("relay-factor");
  if (given === "") return 0;
  const { value, error } = atoi(given);
  if (value === undefined) throw bad(`Bad request: Error parsing relay factor: ${error}`);
  if (value < 0 || value > MAX_RELAY_FACTOR) {
    throw bad(
      "Bad request: Invalid relay-factor: Relay factor must be in range: " +
        `[0, ${MAX_RELAY_FACTOR}]`,
    );
  }
  return value;
}

function isLocalOnly({ query }: Call): boolean {
  const given = query.get("local-only");
  if (given === "") return false;
  const { value, error } = parseBool(given);
  if (value === undefined) throw bad(`Bad request: Error parsing local-only: ${error}`);
  return value;
}

/** Serf never sees what is no base64: each pool fails with that. */
function requireBase64({ config: { datacenter } }: Call, key: string): void {
  try {
    decodeBase64(key);
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    const Error = error.message;
    throw faults([
      { ...NO_ANSWER, Datacenter: datacenter, WAN: true, Error },
      { ...NO_ANSWER, Datacenter: datacenter, Error },
    ]);
  }
}

const NO_ANSWER: KeyringAnswer = {
  WAN: false,
  Datacenter: "",
  Segment: "",
  Messages: {},
  Keys: {},
  PrimaryKeys: {},
  NumNodes: 0,
  Error: "",
};

function requireNoFaults(answers: readonly KeyringAnswer[]): void {
  if (answers.some(({ Error }) => Error !== "")) throw faults(answers);
}

function faults(answers: readonly KeyringAnswer[]): RollcallError {
  const found = answers.flatMap(({ WAN, Datacenter, Messages, Error }) => {
    const pool = WAN ? "WAN" : `${Datacenter} (LAN)`;
    const said = Object.entries(Messages).map(([node, message]) => `${node}: ${message}`);
    return Error === "" ? said : [`${pool} error: ${Error}`, ...said];
  });
  const count = found.length === 1 ? "1 error" : `${found.length} errors`;
  const lines = found.map((fault) => `\t* ${fault}\n`).join("");
  return new RollcallError("request/refused", `${count} occurred:\n${lines}\n`);
}

const QUERY = {
  ...TOKEN_PARAMETERS,
  "relay-factor": {
    description: "Send each answer over so many other members too; 0 to 5",
    type: "integer",
  },
  "local-only": { description: "Only this datacenter; only when listing", type: "text" },
} as const;
const REFUSALS = {
  400: { description: "A bad parameter" },
  500: { description: "What went wrong in which pool, and on which member" },
};

function modifying(operation: KeyringRequest["operation"], summary: string): Operation {
  return {
    summary,
    query: QUERY,
    requestBody: { description: "The key", schema: KeyringArgs },
    answerHeaders: "none",
    answers: { 200: { description: "Done; the body is empty" }, ...REFUSALS },
    handle: modify(operation),
  };
}

export const keyringRoutes = [
  defineRoute("/v1/operator/keyring", "Keyring", {
    GET: {
      summary: "Keys that gossip is encrypted with",
      query: QUERY,
      answerHeaders: "none",
      answers: {
        200: { description: "One answer for each pool", schema: RESPONSES },
        ...REFUSALS,
      },
      handle: listKeys,
    },
    POST: modifying("install", "Add a key"),
    PUT: modifying("use", "Encrypt with this key from now on"),
    DELETE: modifying("remove", "Remove a key"),
  }),
];
