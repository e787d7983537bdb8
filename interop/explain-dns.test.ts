/** What `?explain=dns` foretells is what DNS does. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { decode, encode } from "dns-packet";
import { expect, test } from "vitest";
import { agentAt, http } from "./testkit.ts";

const HOST = "127.0.0.77";
const DNS_PORT = 8600;

interface Explained {
  readonly Instances: readonly { readonly Node: { readonly Node: string } }[];
  readonly Excluded: readonly {
    readonly Node: string;
    readonly Reasons: readonly { readonly Kind: string }[];
  }[];
  readonly Limit: string;
}

async function addressCount(name: string): Promise<number> {
  const socket = createSocket("udp4");
  try {
    socket.send(
      encode({
        type: "query",
        id: 1,
        flags: 0,
        additionals: [],
        questions: [{ type: "A", class: "IN", name }],
      }),
      DNS_PORT,
      HOST,
    );
    const [answer] = (await once(socket, "message")) as [Buffer];
    return decode(answer).answers?.length ?? 0;
  } finally {
    socket.close();
  }
}

test("explain=dns tells which instances a plain answer has room for, and why not the others", async () => {
  await using _agent = await agentAt(HOST);
  for (const [i, status] of ["passing", "passing", "passing", "warning", "critical"].entries()) {
    const body = JSON.stringify({
      Node: `n${i}`,
      Address: `10.0.0.${i}`,
      Service: { Service: "web", Port: 80 },
      Check: { Name: "alive", Status: status, ServiceID: "web" },
    });
    await http(HOST, "/v1/catalog/register", { method: "PUT", body });
  }
  const explained = (await http(HOST, "/v1/health/service/web?explain=dns")).json() as Explained;
  expect(explained.Instances.map(({ Node }) => Node.Node)).toEqual(["n0", "n1", "n2"]);
  expect(
    explained.Excluded.map(({ Node, Reasons }) => [Node, ...Reasons.map(({ Kind }) => Kind)]),
  ).toEqual([
    ["n4", "check"],
    ["n3", "truncation"],
  ]);
  expect(explained.Limit).toContain("3 of 4 addresses");
  expect(await addressCount("web.service.consul")).toBe(explained.Instances.length);
});
