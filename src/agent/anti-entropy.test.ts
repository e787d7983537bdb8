/** Telling the catalog of many things at once. */
import { expect, test } from "vitest";
import { RollcallError } from "../errors/index.ts";
import { noLogger } from "../platform/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import type { Delegate } from "../rpc/index.ts";
import { AntiEntropy } from "./anti-entropy.ts";
import { LocalState } from "./local-state.ts";

// Nobody listening to a failure ends the process.
test("what fails while an earlier registration still waits is heard, and tried again", async () => {
  const { clock, random } = simPlatform({ seed: "anti-entropy" });
  const state = new LocalState(clock);
  let isHealthy = false;
  const told: string[] = [];
  const answer = async (args: unknown): Promise<void> => {
    const { ServiceID } = args as { readonly ServiceID: string };
    const delayMs = ServiceID === "slow" ? 5000 : 10;
    await new Promise<void>((resolve) => clock.after(delayMs, resolve));
    if (!isHealthy) throw new RollcallError("raft/no-leader");
    told.push(ServiceID);
  };
  const delegate = { call: (_method: string, args: unknown) => answer(args) } as Delegate;
  const antiEntropy = new AntiEntropy({
    clock,
    random,
    logger: noLogger,
    delegate,
    state,
    node: () => ({
      id: "11111111-1111-4111-8111-111111111111",
      name: "n1",
      address: "127.0.0.1",
      datacenter: "dc1",
      taggedAddresses: {},
      meta: {},
    }),
    memberCount: () => 1,
    checkUpdateIntervalMs: 0,
  });
  const unheard: unknown[] = [];
  const note = (error: unknown): void => void unheard.push(error);
  process.on("unhandledRejection", note);
  try {
    for (const id of ["slow", "quick"]) state.removedServices.add(id);
    await clock.until(antiEntropy.syncChanges());
    expect(state.removedServices.size).toBe(2);
    isHealthy = true;
    await clock.until(antiEntropy.syncChanges());
  } finally {
    process.off("unhandledRejection", note);
    antiEntropy[Symbol.dispose]();
  }
  expect(unheard).toEqual([]);
  expect(told.filter((id) => id !== undefined)).toEqual(expect.arrayContaining(["quick", "slow"]));
});
