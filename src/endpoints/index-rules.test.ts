/**
 * The rules of indexes, held against random histories of commands and every read there is: what a client
 * that follows `X-Consul-Index` may rely on (Consul HTTP API, "Blocking queries").
 */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Command } from "../model/index.ts";
import type { Answer, Methods, MethodName } from "../rpc/index.ts";
import { endpointsUnderTest, kvs, query, registration, session } from "./testkit.ts";

const NODES = ["n1", "N2"];
const SERVICES = ["web", "db"];
const CHECKS = ["c1", "serfHealth"];
const KEYS = ["a", "a/b", "a/b/c", "ab", "z"];
const SESSIONS = [1, 2].map((n) => `${n}0000000-0000-4000-8000-000000000000`);
const TAGS = [null, [], ["v1"]];
const STATUSES = ["passing", "warning", "critical"];

const oneOf = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

const register = fc
  .record({
    node: oneOf(...NODES),
    address: oneOf("10.0.0.1", "10.0.0.2"),
    meta: oneOf(null, { rack: "r1" }),
    service: oneOf(null, ...SERVICES),
    id: oneOf("one", "two"),
    tags: oneOf(...TAGS),
    check: oneOf(null, ...CHECKS),
    isServiceCheck: fc.boolean(),
    status: oneOf(...STATUSES),
  })
  .map(({ node, address, meta, service, id, tags, check, isServiceCheck, status }): Command => {
    const checks =
      check === null
        ? null
        : [{ CheckID: check, Status: status, ServiceID: isServiceCheck ? id : "" }];
    return {
      type: "Register",
      body: registration(node, {
        address,
        meta,
        service: service === null ? null : { ID: id, Service: service, Tags: tags },
        checks,
      }),
    };
  });

const deregister = fc
  .record({
    Node: oneOf(...NODES),
    ServiceID: oneOf("", "", "one", "two"),
    CheckID: oneOf("", ...CHECKS),
  })
  .map((body): Command => ({ type: "Deregister", body: { Datacenter: "dc1", ...body } }));

const keyCommand = fc
  .record({
    op: oneOf("set", "set", "delete", "delete-tree", "cas", "lock", "unlock", "delete-cas"),
    key: oneOf(...KEYS),
    prefix: oneOf("", ...KEYS, "a/"),
    value: oneOf(null, new Uint8Array([1]), new Uint8Array([2])),
    session: oneOf(...SESSIONS),
    index: fc.nat(20),
  })
  .map(({ op, key, prefix, value, session: Session, index }) =>
    kvs(op as "set", op === "delete-tree" ? prefix : key, {
      Value: value,
      Session,
      ModifyIndex: index,
    }),
  );

const sessionCommand = fc
  .record({
    op: oneOf<"create" | "destroy">("create", "create", "destroy"),
    ID: oneOf(...SESSIONS),
    Node: oneOf(...NODES),
    NodeChecks: oneOf(null, ["c1"]),
    Behavior: oneOf("release", "delete"),
  })
  .map(({ op, ...of }) => session(op, of));

const history = fc.array(fc.oneof(register, register, deregister, keyCommand, sessionCommand), {
  minLength: 1,
  maxLength: 40,
});

type ReadName = {
  [M in MethodName]: Methods[M]["reply"] extends Answer<object> ? M : never;
}[MethodName];
type Read = { readonly method: ReadName; readonly args: object };

const read = <M extends ReadName>(method: M, args: Partial<Methods[M]["args"]>): Read => ({
  method,
  args: query({ NodeMetaFilters: {}, ServiceTags: [], Status: "any", ...args }),
});

const READS: readonly Read[] = [
  read("Catalog.ListNodes", {}),
  read("Catalog.ListNodes", { NodeMetaFilters: { rack: "r1" } }),
  read("Catalog.ListServices", {}),
  read("Catalog.ListServices", { NodeMetaFilters: { rack: "r1" } }),
  ...["n1", "ghost"].flatMap((Node) => [
    read("Catalog.NodeServices", { Node }),
    read("Catalog.NodeServiceList", { Node }),
    read("Health.NodeChecks", { Node }),
    read("Session.NodeSessions", { Node }),
  ]),
  ...["web", "ghost"].flatMap((ServiceName) => [
    read("Catalog.ServiceNodes", { ServiceName }),
    read("Health.ServiceNodes", { ServiceName }),
    read("Health.ServiceNodes", { ServiceName, Status: "passing" }),
    read("Health.ServiceNodes", { ServiceName, ServiceTags: ["v1"] }),
    read("Health.ServiceChecks", { ServiceName }),
  ]),
  ...["any", "critical"].map((State) => read("Health.ChecksInState", { State })),
  read("Health.ChecksInState", { State: "any", NodeMetaFilters: { rack: "r1" } }),
  ...KEYS.map((Key) => read("KVS.Get", { Key })),
  ...["", "a", "a/", "a/b", "q"].flatMap((prefix) => [
    read("KVS.List", { Key: prefix }),
    read("KVS.ListKeys", { Prefix: prefix, Seperator: "/" }),
  ]),
  read("Session.List", {}),
  ...SESSIONS.map((SessionID) => read("Session.Get", { SessionID })),
];

const shown = (value: object): string =>
  JSON.stringify(value, (key, field: unknown) => {
    if (key === "highestIndex") return undefined;
    return typeof field === "bigint" ? String(field) : field;
  });

function isOfMissingNode(method: string | undefined, text: string): boolean {
  if (method === "Catalog.NodeServices") return text === '{"NodeServices":null}';
  return (
    method === "Catalog.NodeServiceList" &&
    text === '{"NodeServices":{"Node":null,"Services":null}}'
  );
}

test("indexes rise with every change that a read shows, and never go back", async () => {
  let changesSeen = 0;
  await fc.assert(
    fc.asyncProperty(history, async (commands) => {
      const { delegate, apply, store } = endpointsUnderTest();
      const ask = async ({ method, args }: Read) => {
        const { value, meta } = (await delegate.call(method, args as never)) as Answer<object>;
        return { value, text: shown(value), index: meta.Index };
      };
      let before = await Promise.all(READS.map(ask));
      for (const command of commands) {
        const result = apply(command);
        const after = await Promise.all(READS.map(ask));
        for (const [i, now] of after.entries()) {
          const then = before[i];
          const name = `${JSON.stringify(READS[i])} after ${command.type} at ${store.lastIndex}`;
          expect(now.index, `${name}: index is never 0`).toBeGreaterThan(0);
          // As Consul has it, the services of a node that is gone start from 1 again.
          if (isOfMissingNode(READS[i]?.method, now.text)) {
            expect(now.index).toBe(1);
            continue;
          }
          expect(now.index, `${name}: index never goes back`).toBeGreaterThanOrEqual(
            then?.index ?? 0,
          );
          if (now.text === then?.text) continue;
          changesSeen += 1;
          expect(now.index, `${name}: a change shows in the index`).toBe(store.lastIndex);
          expect(result.kind, `${name}: a refused command changes nothing`).toBe("done");
        }
        before = after;
      }
    }),
    { numRuns: 150 },
  );
  expect(changesSeen).toBeGreaterThan(1000);
});

test("a write leaves alone the readings of cells that it does not touch", async () => {
  await fc.assert(
    fc.asyncProperty(history, keyCommand, async (commands, last) => {
      const { delegate, apply } = endpointsUnderTest();
      for (const command of commands) apply(command);
      const get = async (Key: string) => {
        const answer = await delegate.call("KVS.Get", query({ Key }));
        return { value: answer.value, text: shown(answer.value) };
      };
      const before = await Promise.all(KEYS.map(get));
      apply(last);
      const after = await Promise.all(KEYS.map(get));
      for (const [i, then] of before.entries()) {
        // The same object, not only the same content: it was not evaluated again.
        if (then.text === after[i]?.text) expect(after[i]?.value).toBe(then.value);
      }
    }),
    { numRuns: 150 },
  );
});
