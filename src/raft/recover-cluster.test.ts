import { beforeEach, describe, expect, test } from "vitest";
import { noLogger, type Disk } from "../platform/index.ts";
import { simPlatform, type SimPlatform } from "../platform/sim/index.ts";
import { memoryWal, openWal, type Wal } from "../wal/index.ts";
import { StoppingDisk } from "../wal/testkit.ts";
import type { Configuration } from "./configuration.ts";
import { encodeConfiguration } from "./configuration-codec.ts";
import type { Entry } from "./entry.ts";
import {
  memorySnapshotStore,
  openSnapshotStore,
  recoverCluster,
  startRaft,
  type SnapshotStore,
  type StateMachine,
  type StoredSnapshot,
} from "./index.ts";
import { readStoredLog } from "./stored-log.ts";
import { LIMITS, TIMINGS } from "./testkit.ts";
import { toWalEntry } from "./wal-entry.ts";
import { writeSnapshot } from "./write-snapshot.ts";

const DIRECTORY = "/raft";

const servers = (...names: readonly string[]): Configuration => ({
  servers: names.map((id) => ({ id, address: `${id}:8300`, suffrage: "voter" })),
});
const BEFORE = servers("a", "b", "c");
const LATER = servers("a", "b", "d");
const GIVEN = servers("a");

/** Keeps its commands. */
class Commands implements StateMachine<number> {
  applied: string[] = [];

  apply({ data }: Entry): number {
    return this.applied.push(Buffer.from(data).toString());
  }

  snapshot(): Iterable<Uint8Array> {
    return [Buffer.from(JSON.stringify(this.applied))];
  }

  async restore(slices: AsyncIterable<Uint8Array>): Promise<void> {
    this.applied = JSON.parse(await textOf(slices)) as string[];
  }
}

async function textOf(slices: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of slices) parts.push(part);
  return Buffer.concat(parts).toString();
}

function command(index: number, term: number): Entry {
  return { index, term, type: "command", data: Buffer.from(`command ${index}`) };
}
/** What a server of three has after a while, from its second entry on. */
const LOG: readonly Entry[] = [
  command(2, 1),
  command(3, 1),
  { index: 4, term: 2, type: "noop", data: new Uint8Array() },
  command(5, 2),
  { index: 6, term: 2, type: "configuration", data: encodeConfiguration(LATER) },
  command(7, 2),
  { index: 8, term: 3, type: "barrier", data: new Uint8Array() },
  command(9, 3),
];
const FIRST: Entry = {
  ...LOG[0],
  index: 1,
  term: 1,
  type: "configuration",
  data: encodeConfiguration(BEFORE),
};
const COMMANDS = [2, 3, 5, 7, 9].map((index) => `command ${index}`);

interface Home {
  readonly disk: Disk;
  readonly wal: Wal;
  readonly snapshots: SnapshotStore;
}

let platform: SimPlatform;
beforeEach(() => {
  platform = simPlatform({ seed: 1 });
});

async function openHome(disk: Disk = platform.disk): Promise<Home> {
  const { clock } = platform;
  const logger = noLogger;
  const wal = await openWal({ disk, clock, logger, directory: `${DIRECTORY}/wal` });
  const snapshots = await openSnapshotStore({ disk, clock, logger, directory: DIRECTORY });
  return { disk, wal, snapshots };
}

/** With a snapshot at entry 5, and the log from the first entry on. */
async function live({ wal, snapshots }: Home): Promise<void> {
  await wal.saveHardState({ term: 3, vote: "b" });
  await wal.append([FIRST, ...LOG].map(toWalEntry));
  const state = new Commands();
  for (const entry of LOG) if (entry.index <= 5 && entry.type === "command") state.apply(entry);
  const meta = { index: 5, term: 2, configuration: BEFORE, configurationIndex: 1 };
  await writeSnapshot(snapshots, meta, eachOf(state.snapshot()));
}

async function* eachOf(slices: Iterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  yield* slices;
}

function recover(home: Home, configuration = GIVEN): Promise<StoredSnapshot> {
  const { clock } = platform;
  const stateMachine = new Commands();
  return recoverCluster({ ...home, clock, directory: DIRECTORY, stateMachine, configuration });
}

/** Everything that a server would start from. */
async function foundIn({ disk, wal, snapshots }: Home): Promise<unknown> {
  const { newest } = snapshots;
  const home = { id: "a", disk, directory: DIRECTORY, wal, logger: noLogger };
  const { log, lost } = await readStoredLog(home, newest);
  const { index, term, configuration, configurationIndex } = newest as StoredSnapshot;
  const commands = JSON.parse(await textOf(snapshots.read(newest as StoredSnapshot))) as string[];
  const { firstIndex, lastIndex } = log;
  const { hardState } = wal;
  const snapshot = { index, term, configuration, configurationIndex, commands };
  return { snapshot, firstIndex, lastIndex, lost, hardState };
}

const RECOVERED = {
  snapshot: {
    index: 9,
    term: 3,
    configuration: GIVEN,
    configurationIndex: 1,
    commands: COMMANDS,
  },
  firstIndex: 10,
  lastIndex: 9,
  lost: { index: 0, term: 0 },
  hardState: { term: 3, vote: "b" },
};

describe("recovering a cluster", () => {
  test("makes a snapshot of all that the log holds, with the given configuration, and empties the log", async () => {
    const home = await openHome();
    await live(home);
    await recover(home);
    expect(await foundIn(home)).toEqual(RECOVERED);
    await home.wal[Symbol.asyncDispose]();
    expect(await foundIn(await openHome())).toEqual(RECOVERED);
  });

  test("needs no disk", async () => {
    const home = { disk: platform.disk, wal: memoryWal(), snapshots: memorySnapshotStore() };
    await live(home);
    await recover(home);
    expect(await foundIn(home)).toEqual(RECOVERED);
  });

  test("needs no snapshot", async () => {
    const home = { disk: platform.disk, wal: memoryWal(), snapshots: memorySnapshotStore() };
    await home.wal.saveHardState({ term: 3, vote: "b" });
    await home.wal.append([FIRST, ...LOG].map(toWalEntry));
    await recover(home);
    expect(await foundIn(home)).toEqual(RECOVERED);
  });

  test("goes by the snapshot alone where the log does not go on from it", async () => {
    const home = await openHome();
    await live(home);
    // Installed, when the power failed before the log was emptied.
    const meta = { index: 40, term: 5, configuration: BEFORE, configurationIndex: 1 };
    await writeSnapshot(home.snapshots, meta, eachOf([Buffer.from('["installed"]')]));
    const { index, term } = await recover(home);
    expect({ index, term }).toEqual({ index: 40, term: 5 });
    expect(await foundIn(home)).toMatchObject({
      snapshot: { configuration: GIVEN, commands: ["installed"] },
      firstIndex: 41,
    });
  });

  test("can be done again, and then with another configuration", async () => {
    const home = await openHome();
    await live(home);
    await recover(home);
    await recover(home);
    expect(await foundIn(home)).toEqual(RECOVERED);
    await recover(home, LATER);
    expect(await foundIn(home)).toMatchObject({ snapshot: { configuration: LATER } });
  });

  test("ends what was noted about entries that were lost here", async () => {
    const home = await openHome();
    await live(home);
    await platform.disk.replace(`${DIRECTORY}/lost.json`, Buffer.from('{"index":12,"term":3}'));
    expect(await foundIn(home)).toMatchObject({ lost: { index: 12, term: 3 } });
    await recover(home);
    expect(await foundIn(home)).toEqual(RECOVERED);
  });

  test("is refused on a new server, and with a configuration of no use", async () => {
    const home = await openHome();
    await expect(recover(home)).rejects.toThrow("no log and no snapshot");
    await live(home);
    const before = await foundIn(home);
    await expect(recover(home, { servers: [] })).rejects.toThrow("at least one voter");
    expect(await foundIn(home)).toEqual(before);
  });

  test("changes nothing when an entry has decayed", async () => {
    const home = await openHome();
    await live(home);
    await home.wal[Symbol.asyncDispose]();
    const [segment] = ((await platform.disk.list(`${DIRECTORY}/wal`)) ?? []).filter(({ name }) =>
      name.endsWith(".wal"),
    );
    const path = `${DIRECTORY}/wal/${segment?.name}`;
    const bytes = Buffer.from((await platform.disk.read(path)) ?? []);
    platform.disk.flipBit(path, bytes.indexOf("command 7"), 0);
    const again = await openHome();
    await expect(recover(again)).rejects.toMatchObject({ code: "disk/failed", message: /7/ });
    expect(again.snapshots.newest?.index).toBe(5);
    expect(again.wal.lastIndex).toBe(9);
  });

  test("whichever call the power fails at, all commands are kept, and doing it again ends it", async () => {
    let calls = 1;
    for (let seed = 0; seed < 5; seed += 1) {
      for (let callsLeft = 0; callsLeft <= calls; callsLeft += 1) {
        platform = simPlatform({ seed });
        const first = await openHome();
        await live(first);
        await first.wal[Symbol.asyncDispose]();

        const disk = new StoppingDisk(platform.disk, callsLeft);
        const recovering = openHome(disk).then((home) => recover(home));
        await Promise.race([recovering, disk.stopped]);
        calls = Math.max(calls, disk.calls.length);
        platform.disk.crash();

        const second = await openHome();
        expect(second.wal.lastIndex).toBe(9);
        const hasHappened = second.snapshots.newest?.index === 9;
        await recover(second);
        expect(await foundIn(second), `${seed}/${callsLeft} ${hasHappened}`).toEqual(RECOVERED);
        await disk.closeFiles();
      }
    }
    expect(calls).toBeGreaterThan(12);
  });

  test("lets the one server that is left lead, with all that it had", async () => {
    const home = await openHome();
    await live(home);
    await recover(home);
    const { clock, random } = platform;
    const stateMachine = new Commands();
    const transport = {
      send: () => Promise.reject(new Error("there is nobody else")),
      sendSnapshot: () => Promise.reject(new Error("there is nobody else")),
      serve: () => ({ [Symbol.dispose]: () => {} }),
    };
    await using raft = await startRaft({
      ...TIMINGS,
      ...LIMITS,
      ...home,
      id: "a",
      clock,
      random,
      logger: noLogger,
      directory: DIRECTORY,
      transport,
      stateMachine,
      snapshotIntervalMs: 60_000,
      snapshotThreshold: 1000,
    });
    await clock.run(5000);
    expect(raft.standing).toMatchObject({ role: "leader", leader: "a", term: 4 });
    expect(raft.configuration).toEqual(GIVEN);
    const applying = raft.apply(Buffer.from("afterwards"));
    await clock.run(100);
    expect(await applying).toBe(6);
    expect(stateMachine.applied).toEqual([...COMMANDS, "afterwards"]);
  });
});
