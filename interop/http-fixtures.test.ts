/**
 * Every recorded HTTP answer of Consul that we have the endpoint for, against whole agents of ours: status, headers
 * and body to the letter, but for what the recording says varies. Cases run in the order of the recording, since a
 * few see what those before them left. What is left out, and why, is in fixture-left-out.ts.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LEFT_OUT, LEFT_OUT_PARTS, leftOut, leftOutParts } from "./fixture-left-out.ts";
import {
  compared,
  FIXTURE_CASES,
  Replay,
  standInFor,
  type Fixture,
  type Replayed,
  type StandIn,
} from "./fixture-replay.ts";
import { OpenApiConformance } from "./openapi-conformance.ts";
import { http } from "./testkit.ts";

/**
 * Agents of ours by the recorded agent that they stand in for. Of c, a client agent, only cases are held that a
 * server of the same configuration answers alike.
 */
const STAND_INS: Readonly<Record<string, { readonly host: string; readonly config?: object }>> = {
  a: { host: "127.0.0.71" },
  e: { host: "127.0.0.72" },
  // Without its ACLs, which is why it stands in only where nobody is denied anything.
  d: { host: "127.0.0.75" },
  c: { host: "127.0.0.73", config: { server: true, bootstrap: true, retry_join: [] } },
};

/** What the catalog of the recorded cluster held besides the agent itself. */
const OTHER_NODE = {
  ID: "33333333-3333-4333-8333-333333333333",
  Node: "node-c",
  Address: "127.0.0.23",
  TaggedAddresses: {
    lan: "127.0.0.23",
    lan_ipv4: "127.0.0.23",
    wan: "127.0.0.23",
    wan_ipv4: "127.0.0.23",
  },
  NodeMeta: { "consul-network-segment": "" },
  Check: {
    CheckID: "serfHealth",
    Name: "Serf Health Status",
    Status: "passing",
    Output: "Agent alive and reachable",
  },
};

const nameOf = ({ group, id, title }: Fixture): string => `${group}/${id}: ${title}`;
const named = (fixtures: readonly Fixture[]): Array<readonly [string, Fixture]> =>
  fixtures.map((fixture) => [nameOf(fixture), fixture] as const);
const hasStandIn = ({ agent }: Fixture): boolean => STAND_INS[agent] !== undefined;

const held = FIXTURE_CASES.filter((fixture) => leftOut(fixture) === undefined);
const notHeld = FIXTURE_CASES.filter((fixture) => leftOut(fixture) !== undefined);

const agents: StandIn[] = [];
const replays = new Map<string, Replay>();

beforeAll(async () => {
  for (const [name, { host, config }] of Object.entries(STAND_INS)) {
    const agent = await standInFor(name, host, config);
    agents.push(agent);
    replays.set(name, new Replay(agent));
  }
  const body = JSON.stringify(OTHER_NODE);
  const known = await http("127.0.0.71", "/v1/catalog/register", { method: "PUT", body });
  expect(known.status).toBe(200);
  await placeNode("127.0.0.71", OTHER_NODE.Node);
});
afterAll(async () => {
  for (const replay of replays.values()) replay[Symbol.dispose]();
  for (const agent of agents) await agent[Symbol.asyncDispose]();
});

/** Coordinates are written some seconds after they were told. */
async function placeNode(address: string, Node: string): Promise<void> {
  const Coord = { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 0.00001 };
  const body = JSON.stringify({ Node, Coord });
  await http(address, "/v1/coordinate/update", { method: "PUT", body });
  let status = 0;
  for (let index = "0"; status !== 200;) {
    const held = await http(address, `/v1/coordinate/nodes?index=${index}&wait=10s`);
    index = String(held.headers["x-consul-index"]);
    ({ status } = await http(address, `/v1/coordinate/node/${Node}`));
  }
}

function replay(fixture: Fixture): Promise<Replayed> {
  const on = replays.get(fixture.agent);
  if (on === undefined) throw new Error(`nothing stands in for agent ${fixture.agent}`);
  return on.run(fixture);
}

function isSame(replayed: Replayed): boolean {
  const { ours, recorded } = compared(replayed);
  return JSON.stringify(ours) === JSON.stringify(recorded);
}

describe("held", () => {
  test.each(named(held))("%s", async (_, fixture) => {
    const replayed = await replay(fixture);
    const parts = leftOutParts(fixture);
    const { ours, recorded } = compared(replayed, parts);
    expect(ours).toEqual(recorded);
    if (parts.length > 0) expect(isSame(replayed)).toBe(false);
  });
});

/** What no recorded case asks of one datacenter, or not with success. */
const ALSO_ASKED: ReadonlyArray<readonly [method: string, path: string, body?: unknown]> = [
  ["GET", "/v1/session/list"],
  ["GET", "/v1/query"],
  ["GET", "/v1/coordinate/datacenters"],
  ["GET", "/v1/agent/host"],
  ["GET", "/v1/internal/ui/nodes"],
  ["GET", "/v1/internal/ui/services"],
  ["GET", "/v1/internal/ui/gateway-services-nodes/fx"],
  ["GET", "/v1/connect/intentions"],
  ["GET", "/v1/connect/intentions/match?by=source&name=fx"],
  ["GET", "/v1/connect/intentions/check?source=a&destination=b"],
  ["GET", "/v1/config/service-defaults"],
  ["DELETE", "/v1/config/service-defaults/fx"],
  ["GET", "/v1/internal/federation-states"],
  ["GET", "/v1/internal/federation-states/mesh-gateways"],
  [
    "PUT",
    "/v1/agent/service/register",
    { Name: "fx-well", Check: { TTL: "1m", Status: "passing" } },
  ],
  ["GET", "/v1/agent/health/service/name/fx-well"],
  ["GET", "/v1/health/service/fx-well?explain"],
  ["GET", "/v1/health/service/fx-well?explain=dns"],
  ["PUT", "/v1/agent/service/deregister/fx-well"],
];

/** No lone server can do this; interop/operator.test.ts asks it of three. */
const NEED_OTHERS: ReadonlySet<string> = new Set([
  "PUT /v1/operator/raft/transfer-leader",
  "POST /v1/operator/raft/transfer-leader",
]);

describe("against /v1/openapi.json", () => {
  let openApi: OpenApiConformance;
  beforeAll(async () => {
    openApi = new OpenApiConformance((await http("127.0.0.71", "/v1/openapi.json")).json());
    for (const [method, path, body] of ALSO_ASKED) await replays.get("a")?.ask(method, path, body);
  });

  test("every answer of the replay is as the document says", () => {
    const faults = [...replays.values()]
      .flatMap(({ exchanges }) => exchanges)
      .flatMap(({ method, path, answer }) =>
        openApi.faults(method, path, answer).map((fault) => `${method} ${path}: ${fault}`),
      );
    expect(faults).toEqual([]);
  });

  test("every operation that answers with JSON was seen to", () => {
    const unseen = openApi.operations.filter(
      (operation) => !openApi.seen.has(`${operation} 200`) && !NEED_OTHERS.has(operation),
    );
    expect(unseen).toEqual([]);
  });
});

describe("left out", () => {
  test("every entry matches a case, and no case is named twice", () => {
    const patterns = [
      ...LEFT_OUT.flatMap(({ cases }) => cases),
      ...LEFT_OUT_PARTS.map(({ of }) => of),
    ];
    const known = new Set(
      FIXTURE_CASES.flatMap(({ group, id }) => [`${group}/*`, `${group}/${id}`]),
    );
    expect(patterns.filter((pattern) => !known.has(pattern))).toEqual([]);
    expect(patterns).toHaveLength(new Set(patterns).size);
  });

  test.each(named(notHeld.filter(hasStandIn)))("%s does not pass", async (_, fixture) => {
    const passes = await replay(fixture).then(
      isSame,
      // A setup step whose answer has not what a later step needs.
      () => false,
    );
    const isChance = leftOut(fixture)?.byGroup === true && fixture.response.status >= 400;
    if (!isChance) expect(passes).toBe(false);
  });
});
