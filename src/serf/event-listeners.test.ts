import { expect, test } from "vitest";
import { EventListeners } from "./event-listeners.ts";
import { recordingLogger, shownEvent, utf8 } from "./testkit.ts";
import type { SerfUserEvent } from "./serf-event.ts";

const event = (name: string): SerfUserEvent => ({
  kind: "user",
  ltime: 1,
  name,
  payload: utf8(""),
  coalesce: false,
});

test("an event that a listener causes comes after the one before, for everybody", () => {
  const listeners = new EventListeners(recordingLogger([]));
  const heard: string[] = [];
  listeners.subscribe((told) => {
    heard.push(`first ${shownEvent(told)}`);
    if (told.kind === "user" && told.name === "a") listeners.tell(event("b"));
  });
  listeners.subscribe((told) => heard.push(`second ${shownEvent(told)}`));
  listeners.tell(event("a"));
  expect(heard).toEqual([
    "first user a:@1",
    "second user a:@1",
    "first user b:@1",
    "second user b:@1",
  ]);
});

test("one that throws does not keep the others from hearing, nor itself from the next", () => {
  const log: string[] = [];
  const listeners = new EventListeners(recordingLogger(log));
  const heard: string[] = [];
  listeners.subscribe(() => {
    throw new Error("broken");
  });
  listeners.subscribe((told) => heard.push(shownEvent(told)));
  listeners.tell(event("a"));
  listeners.tell(event("b"));
  expect(heard).toEqual(["user a:@1", "user b:@1"]);
  expect(log).toEqual([
    "ERROR serf: a listener failed on user: broken",
    "ERROR serf: a listener failed on user: broken",
  ]);
});

test("who has disposed of the subscription hears nothing more", () => {
  const listeners = new EventListeners(recordingLogger([]));
  const heard: string[] = [];
  const subscription = listeners.subscribe((told) => heard.push(shownEvent(told)));
  subscription[Symbol.dispose]();
  listeners.tell(event("a"));
  expect(heard).toEqual([]);
});
