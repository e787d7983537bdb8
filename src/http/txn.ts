/** `/v1/txn` (Consul HTTP API, "Transactions"): several operations that happen together or not at all. */
import { RollcallError } from "../errors/index.ts";
import {
  ApiTxnOps,
  BLANK_CHECK,
  BLANK_DEFINITION,
  BLANK_SERVICE,
  bool,
  decodeKeyText,
  goQuote,
  int,
  jsonDecoder,
  struct,
  text,
  TxnResponse,
  type TxnOp,
} from "../model/index.ts";
import { jsonBody } from "./body.ts";
import type { Call } from "./call.ts";
import { bad, DC_PARAMETERS, queryOptions, READ_PARAMETERS, tokenOf } from "./query-options.ts";
import { reply, type Reply } from "./reply.ts";
import { defineRoute } from "./route.ts";

const MAX_OPS = 64;

const ReadResponse = struct("TxnReadResponse", {
  ...TxnResponse.properties,
  Index: int(),
  LastContact: int(),
  KnownLeader: bool(),
  ConsistencyLevel: text(),
});
const writtenBody = jsonBody(TxnResponse);
const readBody = jsonBody(ReadResponse);
const decodeOps = jsonDecoder(ApiTxnOps, { unknown: "refuse" });

type ApiTxnOp = NonNullable<NonNullable<ApiTxnOps>[number]>;

async function txn(call: Call): Promise<Reply> {
  const ops = (await readOps(call)).flatMap((op) => toTxnOp(call, op));
  if (ops.some(isWrite)) return write(call, ops);
  const options = queryOptions(call);
  const { value, meta } = await call.needs.delegate.call("Txn.Read", { ...options, Ops: ops });
  const body = readBody({
    ...value,
    Index: 0,
    LastContact: 0,
    KnownLeader: meta.KnownLeader,
    ConsistencyLevel: "",
  });
  const headers = [
    "X-Consul-Knownleader",
    String(meta.KnownLeader),
    "X-Consul-Lastcontact",
    String(Math.floor(meta.LastContactMs)),
  ];
  return reply(body, headers, statusOf(value));
}

async function write(call: Call, Ops: readonly TxnOp[]): Promise<Reply> {
  const args = { Datacenter: call.query.get("dc"), Token: tokenOf(call), Ops };
  const response = await call.needs.delegate.call("Txn.Apply", args);
  return reply(writtenBody(response), [], statusOf(response));
}

const statusOf = ({ Errors }: TxnResponse): number => ((Errors ?? []).length > 0 ? 409 : 200);

const KV_WRITES = new Set(["set", "cas", "lock", "unlock", "delete", "delete-tree", "delete-cas"]);

function isWrite({ KV, Node, Service, Check }: TxnOp): boolean {
  if (KV !== null) return KV_WRITES.has(KV.Verb);
  return (Node ?? Service ?? Check)?.Verb !== "get";
}

/** @throws {RollcallError} `request/too-large`, `request/bad` */
async function readOps(call: Call): Promise<readonly ApiTxnOp[]> {
  const { kvMaxValueSizeBytes, txnMaxReqLenBytes } = call.config.limits;
  const maxBytes = Math.max(kvMaxValueSizeBytes, txnMaxReqLenBytes);
  const { contentLength } = call;
  const tooLarge = (): string => {
    const size = contentLength === undefined ? "" : `(${contentLength} bytes)`;
    return (
      `Request body${size} too large, max size: ${maxBytes} bytes. ` +
      "See https://www.consul.io/docs/agent/options.html#txn_max_req_len."
    );
  };
  const ops = decode(await call.readBody({ maxBytes, tooLarge }));
  if (ops.length > MAX_OPS) {
    throw tooMuch(`Transaction contains too many operations (${ops.length} > ${MAX_OPS})`);
  }
  return ops.filter((op) => op !== null);
}

function decode(bytes: Uint8Array): NonNullable<ApiTxnOps> {
  try {
    return decodeOps(decodeKeyText(bytes)) ?? [];
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    throw bad(`Failed to parse body: ${error.message}`);
  }
}

const tooMuch = (text: string): RollcallError => new RollcallError("request/too-large", text);

const NO_OP: TxnOp = { KV: null, Node: null, Service: null, Check: null };

/** The operation as the log has it: of several kinds in one object the first counts, an empty object is dropped. */
function toTxnOp(call: Call, op: ApiTxnOp): readonly TxnOp[] {
  if (op.KV !== null) return [{ ...NO_OP, KV: kvOp(call, op.KV) }];
  if (op.Node !== null) {
    const { Verb, Node } = op.Node;
    const Datacenter = Node.Datacenter === "" ? call.config.datacenter : Node.Datacenter;
    return [{ ...NO_OP, Node: { Verb, Node: { ...Node, Datacenter, CreateIndex: 0 } } }];
  }
  if (op.Service !== null) return [{ ...NO_OP, Service: serviceOp(op.Service) }];
  if (op.Check !== null) return [{ ...NO_OP, Check: checkOp(op.Check) }];
  return [];
}

function kvOp(call: Call, op: NonNullable<ApiTxnOp["KV"]>): NonNullable<TxnOp["KV"]> {
  const { Verb, Key, Value, Flags, Session } = op;
  const maxBytes = call.config.limits.kvMaxValueSizeBytes;
  const sizeBytes = Value?.length ?? 0;
  if (sizeBytes > maxBytes) {
    throw tooMuch(`Value for key ${goQuote(Key)} is too large (${sizeBytes} > ${maxBytes} bytes)`);
  }
  const ModifyIndex = Number(op.Index);
  return {
    Verb,
    DirEnt: {
      LockIndex: 0,
      Key,
      Flags,
      Value: sizeBytes === 0 ? null : Value,
      Session,
      CreateIndex: 0,
      ModifyIndex,
    },
  };
}

/** As Consul 1.8: what is not named here is not taken over, however it was given. */
function serviceOp(op: NonNullable<ApiTxnOp["Service"]>): NonNullable<TxnOp["Service"]> {
  const { ID, Service, Tags, Address, Meta, Port, Weights, EnableTagOverride, ModifyIndex } =
    op.Service;
  const given = { ID, Service, Tags, Address, Meta, Port, Weights, EnableTagOverride, ModifyIndex };
  return { Verb: op.Verb, Node: op.Node, Service: { ...BLANK_SERVICE, ...given } };
}

function checkOp(op: NonNullable<ApiTxnOp["Check"]>): NonNullable<TxnOp["Check"]> {
  const { Check } = op;
  return {
    Verb: op.Verb,
    Check: {
      ...BLANK_CHECK,
      ...Check,
      Type: "",
      Definition: { ...BLANK_DEFINITION, ...Check.Definition },
      CreateIndex: 0,
    },
  };
}

export const txnRoutes = [
  defineRoute("/v1/txn", "Transactions", {
    PUT: {
      summary: "Read and write several keys, nodes, services and checks at once, or none of them",
      description: "Up to 64 operations, each an object with one of KV, Node, Service and Check.",
      query: { ...READ_PARAMETERS, ...DC_PARAMETERS },
      requestBody: { description: "The operations", schema: ApiTxnOps },
      answerHeaders: "none",
      answers: {
        200: {
          description: "What the operations found and wrote; more fields where none writes",
          alternatives: [TxnResponse, ReadResponse],
        },
        400: { description: "The body cannot be decoded" },
        409: {
          description: "Every operation that failed; nothing was changed",
          alternatives: [TxnResponse, ReadResponse],
        },
        413: { description: "Too many operations, or too many bytes" },
      },
      handle: txn,
    },
  }),
];
