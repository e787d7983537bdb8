import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RollcallError } from "../errors/index.ts";
import { randomCommand } from "../endpoints/random-commands.ts";
import type { Command } from "../model/index.ts";
import { decodeCommand, encodeCommand } from "./log-command.ts";
import { Store } from "./store.ts";
import { plain, recordedCommands } from "./testkit.ts";

const recordings = recordedCommands((name) =>
  readFileSync(new URL(`testdata/${name}`, import.meta.url)),
);

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

function decoded(bytes: Uint8Array): Command {
  const command = decodeCommand(bytes);
  if (command === undefined) throw new Error("skipped");
  return command;
}

/** Consul takes a service without weights from others, and never stores one: here it has the default ones at once. */
const WITHOUT_WEIGHTS = "fsm/log-00-Register-service.bin";

describe("what Consul has in its log", () => {
  test.each(recordings)("$file is read, and written again as it was", (recorded) => {
    const command = decoded(recorded.bytes);
    const [body] = [plain(recorded.decoded.body)];
    if (recorded.file === WITHOUT_WEIGHTS) {
      expect(body).toMatchObject({ Service: { Weights: null } });
      expect(command.body).toMatchObject({ Service: { Weights: { Passing: 1, Warning: 1 } } });
      return;
    }
    expect({ body }).toMatchObject({ body: plain(command.body) });
    expect(command.type).toBe(recorded.decoded.name.replace("(legacy)", ""));
    expect(hex(encodeCommand(command))).toBe(hex(recorded.bytes));
  });

  test("covers every type that can be in a log, and knows nothing of the others", () => {
    const seen = new Set(recordings.map(({ bytes }) => (bytes[0] ?? 0) & 0x7f));
    const known = Array.from({ length: 128 }, (_, code) => code).filter((code) =>
      knows(Uint8Array.of(code)),
    );
    expect(known.filter((code) => !seen.has(code))).toEqual([]);
  });
});

/** Whether a command of this type is refused for its body, which is not there, rather than for its type. */
function knows(encoded: Uint8Array): boolean {
  try {
    decodeCommand(encoded);
    return false;
  } catch (error) {
    return !(error as Error).message.includes("unknown log command");
  }
}

test("a type that is not known stops a server, unless its flag says that it may be skipped", () => {
  expect(() => decodeCommand(Uint8Array.of(31, 0x80))).toThrow("unknown log command type 31");
  expect(decodeCommand(Uint8Array.of(31 | 0x80, 0x80))).toBeUndefined();
  expect(() => decodeCommand(new Uint8Array())).toThrow("empty");
});

test("any command is the same after it was written and read", () => {
  fc.assert(
    fc.property(randomCommand, (command) => {
      expect(decoded(encodeCommand(command))).toEqual(command);
    }),
  );
});

test("fields that JSON never shows are kept while they say something", () => {
  const body = {
    ...(decoded(recordings[0]?.bytes ?? new Uint8Array()).body as object),
    Token: "secret",
  };
  const again = decoded(encodeCommand({ type: "Autopilot", body } as Command));
  expect(again.body).toHaveProperty("Token", "secret");
});

const FUZZ_RUNS = Number(process.env["FUZZ_RUNS"] ?? 2_000);

test("bytes that are no command are refused as malformed, and what is one is applied or refused", () => {
  const recorded = recordings.map(({ bytes }) => bytes);
  const mutated = fc
    .record({
      bytes: fc.constantFrom(...recorded),
      changes: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
      length: fc.nat(),
    })
    .map(({ bytes, changes, length }) => {
      const copy = Uint8Array.from(bytes);
      for (const [at, value] of changes) copy[at % copy.length] = value;
      return length % 3 === 0 ? copy.subarray(0, length % copy.length) : copy;
    });
  const store = new Store();
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 200 })), (bytes) => {
      try {
        const command = decodeCommand(bytes);
        if (command === undefined) return;
        encodeCommand(command);
        store.apply(store.lastIndex + 1, command);
      } catch (error) {
        if (!(error instanceof RollcallError) || error.code !== "wire/malformed") throw error;
      }
    }),
    { numRuns: FUZZ_RUNS },
  );
});

test("a config entry of another kind than stands in front of it is refused", () => {
  const { bytes } = recordings.find(({ file }) => file.includes("splitter")) ?? {};
  const changed = Uint8Array.from(bytes ?? []);
  const at = Buffer.from(changed).indexOf("service-splitter");
  changed[at] = "S".charCodeAt(0);
  expect(() => decodeCommand(changed)).toThrow(
    "a config entry of another kind than Service-splitter",
  );
});
