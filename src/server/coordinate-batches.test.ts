import { expect, test } from "vitest";
import type { CoordinateBatch } from "../model/index.ts";
import { noLogger, type LogFields } from "../platform/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { COORDINATE_PERIOD_MS, CoordinateBatches } from "./coordinate-batches.ts";

function underTest(write: (batch: CoordinateBatch) => Promise<void> = async () => {}) {
  const { clock } = simPlatform({ seed: 1 });
  const written: CoordinateBatch[] = [];
  const warnings: unknown[] = [];
  const logger = {
    ...noLogger,
    warn: (message: string, fields?: LogFields) => void warnings.push([message, fields]),
  };
  const batches = new CoordinateBatches(clock, logger, async (batch) => {
    written.push(batch);
    await write(batch);
  });
  const update = (Node: string, Height = 0, Segment = ""): void => {
    const Coord = { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1, Adjustment: 0, Height };
    batches.update({ Node, Segment, Coord });
  };
  return { clock, batches, written, warnings, update };
}

test("the latest of each node and segment is written, once a period", async () => {
  const { clock, written, update } = underTest();
  update("a", 1);
  update("A", 2);
  update("a", 3, "s");
  update("b", 4);
  await clock.run(COORDINATE_PERIOD_MS - 1);
  expect(written).toEqual([]);
  await clock.run(1);
  expect(written.map((batch) => batch.map(({ Coord }) => Coord?.Height))).toEqual([[2, 3, 4]]);
  await clock.run(10 * COORDINATE_PERIOD_MS);
  expect(written).toHaveLength(1);
});

test("many go in several commands, too many are dropped and that is logged", async () => {
  const { clock, written, warnings, update } = underTest();
  for (let i = 0; i < 700; i++) update(`n${i}`);
  await clock.run(COORDINATE_PERIOD_MS);
  expect(written.map(({ length }) => length)).toEqual([128, 128, 128, 128, 128]);
  expect(warnings).toEqual([["Discarded coordinate updates", { number_discarded: 60 }]]);
  update("n0");
  await clock.run(COORDINATE_PERIOD_MS);
  expect(written).toHaveLength(6);
  expect(warnings).toHaveLength(1);
});

test("a failure is logged and ends nothing", async () => {
  const { clock, written, warnings, update } = underTest(() =>
    Promise.reject(new Error("no leader")),
  );
  update("a");
  await clock.run(COORDINATE_PERIOD_MS);
  expect(warnings).toEqual([["Batch update failed", { error: "no leader" }]]);
  update("b");
  await clock.run(COORDINATE_PERIOD_MS);
  expect(written).toHaveLength(2);
});

test("after disposal nothing is written", async () => {
  const { clock, batches, written, update } = underTest();
  update("a");
  batches[Symbol.dispose]();
  await clock.run(2 * COORDINATE_PERIOD_MS);
  expect(written).toEqual([]);
});
