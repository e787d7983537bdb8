/** Requests that no server carries out, and what each says of them, wherever they are asked and whoever leads. */
import { http } from "./testkit.ts";

interface Refusable {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: string | object;
}

const NOBODY = "00000000-0000-0000-0000-000000000000";
const Node = { Node: "x", Address: "10.0.0.1" };

const REFUSED: readonly Refusable[] = [
  { method: "PUT", path: "/v1/kv/a?acquire=no-such-session", body: "x" },
  { method: "PUT", path: `/v1/kv/a?acquire=${NOBODY}`, body: "x" },
  { method: "PUT", path: `/v1/kv/a?release=${NOBODY}`, body: "x" },
  { method: "PUT", path: "/v1/session/create", body: { Node: "no-such-node" } },
  { method: "PUT", path: "/v1/session/create", body: { TTL: "1s" } },
  { method: "PUT", path: "/v1/session/create", body: { NodeChecks: ["no-such-check"] } },
  { method: "PUT", path: "/v1/session/create", body: { Behavior: "explode" } },
  { method: "PUT", path: `/v1/session/renew/${NOBODY}` },
  { method: "PUT", path: `/v1/session/destroy/${NOBODY}` },
  { method: "PUT", path: "/v1/catalog/register", body: { Node: "x" } },
  { method: "PUT", path: "/v1/catalog/register", body: { ...Node, Service: { ID: "a" } } },
  {
    method: "PUT",
    path: "/v1/catalog/register",
    body: { ...Node, Service: { Service: "p", Kind: "connect-proxy", Port: 1 } },
  },
  {
    method: "PUT",
    path: "/v1/catalog/register",
    body: { ...Node, Check: { CheckID: "c", ServiceID: "no-such-service", Status: "passing" } },
  },
  { method: "PUT", path: "/v1/catalog/deregister", body: {} },
  { method: "POST", path: "/v1/query", body: { Name: "q" } },
  { method: "POST", path: "/v1/query", body: { Service: { Service: "" } } },
  {
    method: "POST",
    path: "/v1/query",
    body: { Name: "q", Session: NOBODY, Service: { Service: "a" } },
  },
  {
    method: "POST",
    path: "/v1/query",
    body: { Name: "q", Service: { Service: "a" }, DNS: { TTL: "-1s" } },
  },
  {
    method: "POST",
    path: "/v1/query",
    body: { Template: { Type: "no-such-type" }, Service: { Service: "a" } },
  },
  { method: "PUT", path: `/v1/query/${NOBODY}`, body: { Name: "q", Service: { Service: "a" } } },
  { method: "GET", path: `/v1/query/${NOBODY}` },
  { method: "GET", path: "/v1/query/no-such-query/execute" },
  { method: "GET", path: "/v1/query/no-such-query/explain" },
  {
    method: "PUT",
    path: "/v1/txn",
    body: [{ KV: { Verb: "check-index", Key: "none", Index: 1 } }],
  },
  { method: "PUT", path: "/v1/txn", body: [{ KV: { Verb: "no-such-verb", Key: "none" } }] },
  { method: "PUT", path: "/v1/txn", body: [{ KV: { Verb: "get", Key: "no-such-key" } }] },
  {
    method: "PUT",
    path: "/v1/txn",
    body: [{ Service: { Verb: "delete", Node: "x", Service: { ID: "a" } } }],
  },
  { method: "PUT", path: "/v1/txn", body: [{ Node: { Verb: "set", Node: { Node: "" } } }] },
  {
    method: "PUT",
    path: "/v1/coordinate/update",
    body: { Node: "no-such-node", Coord: { Vec: [1], Error: 1, Adjustment: 0, Height: 0 } },
  },
  { method: "DELETE", path: `/v1/operator/raft/peer?id=${NOBODY}` },
  { method: "DELETE", path: "/v1/operator/raft/peer?address=10.9.9.9:8300" },
  { method: "GET", path: "/v1/health/service/a?near=no-such-node&dc=no-such-dc" },
  { method: "GET", path: "/v1/catalog/nodes?filter=no+such+filter" },
  { method: "GET", path: "/v1/catalog/services?dc=no-such-dc" },
  { method: "PUT", path: "/v1/kv/a?dc=no-such-dc", body: "x" },
  { method: "PUT", path: "/v1/event/fire/x?dc=no-such-dc" },
];

const HOP = "rpc error making call: ";

interface Refusal {
  readonly text: string;
  /** Servers that it came through. */
  readonly hops: number;
}

/** By request. */
export async function refusalsOf(address: string): Promise<ReadonlyMap<string, Refusal>> {
  const answers = new Map<string, Refusal>();
  for (const { method, path, body } of REFUSED) {
    const text = typeof body === "object" ? JSON.stringify(body) : body;
    const answer = await http(address, path, { method, ...(text !== undefined && { body: text }) });
    const said = `${answer.status} ${answer.body}`;
    answers.set(`${method} ${path} ${text ?? ""}`, {
      text: said.replaceAll(HOP, ""),
      hops: said.split(HOP).length - 1,
    });
  }
  return answers;
}
