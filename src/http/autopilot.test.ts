/** `/v1/operator/autopilot/configuration`: Go's unsigned numbers, in Consul 1.8.7's words. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { DEFAULT_AUTOPILOT, type AutopilotConfig } from "../model/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { startTestServer, type TestServer } from "./testkit.ts";

const PATH = "/v1/operator/autopilot/configuration";
let server: TestServer;
let stored: AutopilotConfig;
beforeEach(() => {
  stored = DEFAULT_AUTOPILOT;
});
beforeAll(async () => {
  server = await startTestServer({
    platform: simPlatform({ seed: 1 }),
    handlers: {
      "Operator.AutopilotGetConfiguration": () => stored,
      "Operator.AutopilotSetConfiguration": ({ Config }) => {
        stored = Config;
        return true;
      },
    },
  });
});
afterAll(() => server[Symbol.asyncDispose]());

test.each([
  '"MaxTrailingLogs":18446744073709551615,"MinQuorum":0',
  '"MaxTrailingLogs":9007199254740993,"MinQuorum":4294967296',
])("all 64 bits come back: %s", async (numbers) => {
  const put = await server.send({ method: "PUT", path: PATH, body: `{${numbers}}` });
  expect(put).toMatchObject({ status: 200, body: "true" });
  expect((await server.send({ path: PATH })).body).toContain(numbers);
});

const into = (what: string, field: string, type: string): string =>
  `cannot unmarshal ${what} into Go struct field AutopilotConfiguration.${field} of type ${type}`;
test.each([
  ['{"MaxTrailingLogs":-1}', into("number -1", "MaxTrailingLogs", "uint64")],
  ['{"MaxTrailingLogs":1.5}', into("number 1.5", "MaxTrailingLogs", "uint64")],
  ['{"MaxTrailingLogs":"5"}', into("string", "MaxTrailingLogs", "uint64")],
  [
    '{"MaxTrailingLogs":18446744073709551616}',
    into("number 18446744073709551616", "MaxTrailingLogs", "uint64"),
  ],
  ['{"MinQuorum":-1}', into("number -1", "MinQuorum", "uint")],
  ['{"MinQuorum":1e3}', into("number 1e3", "MinQuorum", "uint")],
  ["[]", "cannot unmarshal array into Go value of type api.AutopilotConfiguration"],
])("%s is refused, and nothing is stored", async (body, fault) => {
  const answer = await server.send({ method: "PUT", path: PATH, body });
  expect(answer.status).toBe(400);
  expect(answer.body).toBe(`Bad request: Error parsing autopilot config: json: ${fault}`);
  expect(stored).toBe(DEFAULT_AUTOPILOT);
});
