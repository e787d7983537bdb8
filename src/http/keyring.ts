/**
 * `/v1/operator/keyring`: the keys that gossip is encrypted with. It is not encrypted, so every member of every pool
 * fails, and the answer is the list of these failures.
 */
import { RollcallError } from "../errors/index.ts";
import { atoi, decodeBase64, jsonDecoder, parseBool, struct, text } from "../model/index.ts";
import type { Call } from "./call.ts";
import { bad, TOKEN_PARAMETERS } from "./query-options.ts";
import type { Reply } from "./reply.ts";
import { DEFAULT_BODY_LIMIT } from "./request-body.ts";
import { decodeRequest } from "./request-json.ts";
import { defineRoute, type Operation } from "./route.ts";

const MAX_RELAY_FACTOR = 5;
const KeyringRequest = struct("keyringArgs", { Key: text({ description: "16, 24 or 32 bytes" }) });
const decodeKeyring = jsonDecoder(KeyringRequest, { unknown: "refuse" });

const EMPTY_KEYRING = "Keyring is empty (encryption not enabled)";
const NO_KEYRING = "No keyring to modify (encryption not enabled)";

function listKeys(call: Call): Reply {
  requireRelayFactor(call);
  return fail(isLocalOnly(call) ? ["lan"] : ["wan", "lan"], (pool) =>
    memberFaults(call, pool, EMPTY_KEYRING),
  );
}

async function modify(call: Call): Promise<Reply> {
  const { Key } = await keyringRequest(call);
  requireRelayFactor(call);
  if (isLocalOnly(call)) {
    throw bad(
      "Bad request: Invalid use of local-only: local-only can only be set for list requests",
    );
  }
  const fault = base64Fault(Key);
  return fail(["wan", "lan"], (pool) =>
    fault === undefined
      ? memberFaults(call, pool, NO_KEYRING)
      : [`${poolName(call, pool)} error: ${fault}`],
  );
}

async function keyringRequest(call: Call) {
  try {
    return decodeRequest(await call.readBody(DEFAULT_BODY_LIMIT), decodeKeyring);
  } catch (error) {
    if (!(error instanceof RollcallError) || error.code !== "request/bad") throw error;
    throw bad(`Bad request: ${error.message}`);
  }
}

function requireRelayFactor({ query }: Call): void {
  const given = query.get("relay-factor");
  if (given === "") return;
  const { value, error } = atoi(given);
  if (value === undefined) throw bad(`Bad request: Error parsing relay factor: ${error}`);
  if (value < 0 || value > MAX_RELAY_FACTOR) {
    throw bad(
      "Bad request: Invalid relay-factor: Relay factor must be in range: " +
        `[0, ${MAX_RELAY_FACTOR}]`,
    );
  }
}

function isLocalOnly({ query }: Call): boolean {
  const given = query.get("local-only");
  if (given === "") return false;
  const { value, error } = parseBool(given);
  if (value === undefined) throw bad(`Bad request: Error parsing local-only: ${error}`);
  return value;
}

function base64Fault(key: string): string | undefined {
  try {
    decodeBase64(key);
    return undefined;
  } catch (error) {
    if (error instanceof RollcallError) return error.message;
    throw error;
  }
}

type Pool = "wan" | "lan";
const poolName = ({ config }: Call, pool: Pool): string =>
  pool === "wan" ? "WAN" : `${config.datacenter} (LAN)`;

function memberFaults(call: Call, pool: Pool, fault: string): string[] {
  const members = call.needs.agent.members(pool);
  return [
    `${poolName(call, pool)} error: ${members.length}/${members.length} nodes reported failure`,
    ...members.map(({ Name }) => `${Name}: ${fault}`),
  ];
}

function fail(pools: readonly Pool[], faultsOf: (pool: Pool) => string[]): never {
  const faults = pools.flatMap(faultsOf);
  const count = faults.length === 1 ? "1 error" : `${faults.length} errors`;
  const lines = faults.map((fault) => `\t* ${fault}\n`).join("");
  throw new RollcallError("request/refused", `${count} occurred:\n${lines}\n`);
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
  500: { description: "Gossip is not encrypted" },
};

function modifying(summary: string): Operation {
  return {
    summary,
    query: QUERY,
    requestBody: { description: "The key", schema: KeyringRequest },
    answerHeaders: "none",
    answers: REFUSALS,
    handle: modify,
  };
}

export const keyringRoutes = [
  defineRoute("/v1/operator/keyring", "Keyring", {
    GET: {
      summary: "Keys that gossip is encrypted with",
      query: QUERY,
      answerHeaders: "none",
      answers: REFUSALS,
      handle: listKeys,
    },
    POST: modifying("Add a key"),
    PUT: modifying("Encrypt with this key from now on"),
    DELETE: modifying("Remove a key"),
  }),
];
