import { expect, test } from "vitest";
import { BLANK_SERVICE } from "../model/index.ts";
import { endpointsUnderTest } from "./testkit.ts";

const FAULT =
  "1 error occurred:\n\t* Proxy.DestinationServiceName must be non-empty for Connect proxy services\n\n";
const PROXY = { ...BLANK_SERVICE, ID: "p", Service: "p", Kind: "connect-proxy", Port: 1 };

test("a proxy that stands for no service is not registered, as the agent would not", async () => {
  const { delegate, store } = endpointsUnderTest();
  const registering = delegate.call("Catalog.Register", {
    Datacenter: "dc1",
    ID: "",
    Node: "n",
    Address: "10.0.0.1",
    TaggedAddresses: null,
    NodeMeta: null,
    Service: PROXY,
    Check: null,
    Checks: null,
    SkipNodeUpdate: false,
  });
  await expect(registering).rejects.toThrow(FAULT);
  expect(store.lastIndex).toBe(0);
});

test("nor in a transaction", async () => {
  const { delegate, store } = endpointsUnderTest();
  const Ops = [
    {
      KV: null,
      Node: null,
      Check: null,
      Service: { Verb: "set", Node: "n", Service: PROXY },
    },
  ] as const;
  const { Results, Errors } = await delegate.call("Txn.Apply", { Datacenter: "dc1", Ops });
  expect([Results, Errors]).toEqual([null, [{ OpIndex: 0, What: FAULT }]]);
  expect(store.lastIndex).toBe(0);
});
