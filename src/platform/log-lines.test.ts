import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lineLogger, parseLogLevel, type LineLogger, type LogLevel } from "./log-lines.ts";
import { jsonTimestamp, textTimestamp } from "./log-timestamp.ts";
import type { LogFields } from "./logger.ts";

const AT_MS = 1_795_440_168_123; // 2026-11-23T13:22:48.123Z
const clock = { wallMs: () => AT_MS };

function recording(level: LogLevel, json = false): { logger: LineLogger; records: string[] } {
  const records: string[] = [];
  const write = (record: string): void => void records.push(record);
  return { logger: lineLogger({ write, clock, level, json, name: "agent" }), records };
}

describe("text, as Consul 1.8.7 printed it", () => {
  test.each<[string, LogFields, string]>([
    ["started state syncer", {}, "started state syncer"],
    [
      "Started HTTP server",
      { address: "127.0.0.1:8500", network: "tcp" },
      "Started HTTP server: address=127.0.0.1:8500 network=tcp",
    ],
    [
      "Check socket connection failed",
      {
        check: "service:web:4",
        error: new Error("dial tcp 127.0.0.77:1: connect: connection refused"),
      },
      'Check socket connection failed: check=service:web:4 error="dial tcp 127.0.0.77:1: connect: connection refused"',
    ],
    [
      "Check failed to invoke",
      { check: "a", error: 'exec: "nosuch x": executable file not found in $PATH' },
      'Check failed to invoke: check=a error="exec: "nosuch x": executable file not found in $PATH"',
    ],
    ["Check output", { output: 'a b\nc "q" é' }, 'Check output: output="a b\nc "q" é"'],
    ["entering follower state", { leader: "" }, "entering follower state: leader="],
    ["Update", { version: 2, found: true }, "Update: version=2 found=true"],
    ["list", { of: ["a", "b c", 3] }, 'list: of=[a, "b c", 3]'],
    ["nothing", { a: undefined, b: null }, "nothing: a=<nil> b=<nil>"],
    ["object", { a: { b: 1 } }, 'object: a={"b":1}'],
  ])("%s", (message, fields, line) => {
    const { logger, records } = recording("info");
    logger.info(message, fields);
    expect(records).toEqual([`2026-11-23T13:22:48.123Z [INFO]  agent: ${line}`]);
  });

  test("levels are padded to one width, names nest, and no name needs no colon", () => {
    const { logger, records } = recording("trace");
    logger.named("server").named("raft").trace("t");
    logger.debug("d");
    logger.warn("w");
    logger.error("e");
    lineLogger({ write: (record) => records.push(record), clock, level: "info", json: false }).info(
      "i",
    );
    expect(records.map((record) => record.slice(25))).toEqual([
      "[TRACE] agent.server.raft: t",
      "[DEBUG] agent: d",
      "[WARN]  agent: w",
      "[ERROR] agent: e",
      "[INFO]  i",
    ]);
  });
});

describe("JSON, as Consul 1.8.7 printed it", () => {
  test("fixed fields first, then the record's own in order", () => {
    const { logger, records } = recording("info", true);
    logger.error("Check failed to invoke", {
      error: new Error('exec: "x"'),
      check: "service:web:2",
    });
    expect(records).toEqual([
      '{"@level":"error","@message":"Check failed to invoke","@module":"agent","@timestamp":"2026-11-23T13:22:48.123000Z","check":"service:web:2","error":"exec: \\"x\\""}',
    ]);
  });

  test("whatever is logged, a record is one line that reads back", () => {
    fc.assert(
      fc.property(fc.string(), fc.dictionary(fc.string(), fc.jsonValue()), (message, fields) => {
        const { logger, records } = recording("info", true);
        logger.info(`${message}\nsecond line`, fields);
        expect(records).toHaveLength(1);
        expect(records[0]).not.toMatch(/[\n\r]/);
        const read = JSON.parse(records[0] ?? "") as Record<string, unknown>;
        expect(read["@message"]).toBe(`${message}\nsecond line`);
        for (const [key, value] of Object.entries(fields)) {
          if (key !== "__proto__" && !key.startsWith("@")) {
            expect(JSON.stringify(read[key])).toBe(JSON.stringify(value));
          }
        }
      }),
    );
  });

  test("a field cannot pose as a fixed one, and one that JSON cannot say costs only itself", () => {
    const { logger, records } = recording("info", true);
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    logger.info("m", { "@level": "error", big: 12n, cycle, call: () => 1 });
    expect(JSON.parse(records[0] ?? "")).toMatchObject({
      "@level": "info",
      big: 12,
      cycle: "<unprintable>",
      call: null,
    });
  });
});

describe("levels and subscribers", () => {
  test("the level can change while running, for named loggers too", () => {
    const { logger, records } = recording("warn");
    const inner = logger.named("dns");
    inner.info("before");
    logger.setLevel("info");
    inner.info("after");
    expect(records).toHaveLength(1);
    expect(records[0]).toContain("agent.dns: after");
  });

  test("a subscriber has its own level and format, until disposed", () => {
    const { logger, records } = recording("warn");
    const heard: string[] = [];
    const subscription = logger
      .named("dns")
      .subscribe({ level: "debug", json: true, write: (record) => heard.push(record) });
    logger.debug("fine");
    logger.trace("too fine");
    logger.warn("both");
    logger.setLevel("error");
    logger.info("subscriber only");
    subscription[Symbol.dispose]();
    subscription[Symbol.dispose]();
    logger.error("main only");
    expect(
      heard.map((record) => (JSON.parse(record) as { "@message": string })["@message"]),
    ).toEqual(["fine", "both", "subscriber only"]);
    expect(records.map((record) => record.split(": ")[1])).toEqual(["both", "main only"]);
  });

  test("a subscriber may leave while it is being told", () => {
    const { logger } = recording("info");
    const heard: string[] = [];
    const leaving = logger.subscribe({
      level: "info",
      json: false,
      write: (record) => {
        heard.push(record);
        leaving[Symbol.dispose]();
      },
    });
    logger.info("one");
    logger.info("two");
    expect(heard).toHaveLength(1);
  });

  test.each([
    ["TRACE", "trace"],
    ["debug", "debug"],
    ["Info", "info"],
    ["WARN", "warn"],
    ["ERR", "error"],
    ["error", "error"],
    ["bogus", undefined],
    ["", undefined],
  ])("%j is the level %s", (name, level) => {
    expect(parseLogLevel(name)).toBe(level);
  });
});

describe("timestamps", () => {
  test.each([
    ["1970-01-01T00:00:00.000Z", 0],
    ["1969-12-31T23:59:59.999Z", -1],
    ["2000-02-29T23:59:59.000Z", 951_868_799_000],
    ["2024-02-29T12:00:00.000Z", 1_709_208_000_000],
    ["2100-03-01T00:00:00.000Z", 4_107_542_400_000],
  ])("%s", (text, wallMs) => {
    expect(textTimestamp(wallMs, 0)).toBe(text);
  });

  test.each([
    [60, "2026-11-23T14:22:48.123+0100", "2026-11-23T14:22:48.123000+01:00"],
    [-210, "2026-11-23T09:52:48.123-0330", "2026-11-23T09:52:48.123000-03:30"],
    [765, "2026-11-24T02:07:48.123+1245", "2026-11-24T02:07:48.123000+12:45"],
  ])("%d minutes ahead of UTC", (offset, text, json) => {
    expect(textTimestamp(AT_MS, offset)).toBe(text);
    expect(jsonTimestamp(AT_MS, offset)).toBe(json);
  });
});
