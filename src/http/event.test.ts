import { describe, expect, test } from "vitest";
import type { UserEvent } from "../model/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { fakeAgent, headerOf, startTestServer } from "./testkit.ts";

function event(Name: string, half: string): UserEvent {
  const ID = `00000000-0000-0000-0000-${half.padStart(12, "0")}`;
  return {
    ID,
    Name,
    Payload: null,
    NodeFilter: "",
    ServiceFilter: "",
    TagFilter: "",
    Version: 1,
    LTime: 2,
  };
}

async function underTest() {
  const platform = simPlatform({ seed: 1 });
  let events: readonly UserEvent[] = [event("a", "7"), event("b", "9")];
  let wake: () => void = () => {};
  let onWait: () => void = () => {};
  const waiting = new Promise<void>((resolve) => (onWait = resolve));
  const agent = fakeAgent({
    events: () => events,
    eventsChanged: (_, waitMs, signal) =>
      new Promise((resolve) => {
        wake = resolve;
        platform.clock.after(waitMs, resolve);
        signal.addEventListener("abort", () => resolve());
        onWait();
      }),
  });
  const server = await startTestServer({
    platform,
    agent,
    handlers: { "Status.Leader": () => "127.0.0.1:8300" },
  });
  return {
    platform,
    server,
    waiting,
    add(next: UserEvent): void {
      events = [...events, next];
      wake();
    },
  };
}

describe("the list's index is made of the last event's ID", () => {
  test.each([
    ["/v1/event/list", "9", ["a", "b"]],
    ["/v1/event/list?name=a", "7", ["a"]],
    ["/v1/event/list?name=none", "1", []],
    ["/v1/event/list?index=7", "9", ["a", "b"]],
  ])("%s: %s", async (path, index, names) => {
    const { server } = await underTest();
    await using _closing = server;
    const answer = await server.send({ path });
    expect(headerOf(answer, "x-consul-index")).toBe(index);
    const shown = JSON.parse(answer.body) as { Name: string }[];
    expect(shown.map(({ Name }) => Name)).toEqual(names);
  });
});

test("while the index is the one given the answer is held, also one of 64 bits", async () => {
  const { server, waiting, add } = await underTest();
  await using _closing = server;
  const held = server.send({ path: "/v1/event/list?index=9" });
  await waiting;
  add({ ...event("c", "1"), ID: "ffffffff-ffff-ffff-0000-000000000001" });
  const answer = await held;
  expect(headerOf(answer, "x-consul-index")).toBe("18446744073709551614");
});

test("an event of another name does not end it, but the time does", async () => {
  const { server, platform, waiting, add } = await underTest();
  await using _closing = server;
  let isAnswered = false;
  const held = server
    .send({ path: "/v1/event/list?index=7&name=a&wait=10s" })
    .finally(() => (isAnswered = true));
  await waiting;
  add(event("other", "12"));
  await platform.clock.run(9000);
  expect(isAnswered).toBe(false);
  await platform.clock.run(2000);
  expect(headerOf(await held, "x-consul-index")).toBe("7");
});

test("what is fired is passed on, its payload only with a length", async () => {
  const { server } = await underTest();
  await using _closing = server;
  const path = "/v1/event/fire/a%2Fb?node=n&service=s&tag=t";
  const answer = await server.send({ method: "PUT", path, body: "hi" });
  expect(JSON.parse(answer.body)).toMatchObject({
    Name: "a/b",
    Payload: "aGk=",
    NodeFilter: "n",
    ServiceFilter: "s",
    TagFilter: "t",
  });
  const empty = await server.send({ method: "PUT", path: "/v1/event/fire/a" });
  expect(JSON.parse(empty.body)).toMatchObject({ Payload: null });
  const nowhere = await server.send({ method: "PUT", path: "/v1/event/fire/" });
  expect(nowhere).toMatchObject({ status: 400, body: "Missing name" });
});
