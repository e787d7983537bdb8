import { expect, test } from "vitest";
import { noLogger, type Clock, type Instant } from "../platform/index.ts";
import { SimRandom } from "../platform/sim/index.ts";
import { memorySnapshotStore } from "./index.ts";
import type { StateMachine, StoredSnapshot } from "./index.ts";
import { Snapshotter } from "./snapshotter.ts";
import { inTurns, TURN_MS } from "./turns.ts";

/** Time that passes by work alone. Whoever asks for a turn gets it when nothing else is left to do. */
class BusyClock implements Clock {
  /** How long others had to wait, each time. */
  readonly holdsMs: number[] = [];
  #now = 0;
  #turnBegan = 0;

  now(): Instant {
    return this.#now as Instant;
  }

  wallMs(): number {
    return 0;
  }

  work(durationMs: number): void {
    this.#now += durationMs;
  }

  after(delayMs: number, fire: () => void): Disposable {
    if (delayMs === 0) {
      this.holdsMs.push(this.#now - this.#turnBegan);
      this.#turnBegan = this.#now;
      queueMicrotask(fire);
    }
    return { [Symbol.dispose]: () => {} };
  }
}

const SLICES = 1000;
const SLICE_MS = 0.3;

function machine(clock: BusyClock): StateMachine<void> {
  return {
    apply: () => {},
    *snapshot() {
      for (let at = 0; at < SLICES; at += 1) {
        clock.work(SLICE_MS);
        yield Uint8Array.of(at % 256);
      }
    },
    async restore(slices) {
      for await (const slice of slices) clock.work(SLICE_MS * slice.byteLength);
    },
  };
}

function snapshotterOf(clock: BusyClock, onTaken: (snapshot: StoredSnapshot) => void) {
  const configuration = { servers: [] };
  const snapshots = memorySnapshotStore();
  const snapshotter = new Snapshotter({
    clock,
    random: new SimRandom(1),
    logger: noLogger,
    snapshots,
    stateMachine: machine(clock),
    intervalMs: 1000,
    threshold: 1,
    applied: () => ({ index: 5, term: 2 }),
    configurationAt: () => ({ index: 1, configuration }),
    latestConfigurationIndex: () => 1,
    onTaken,
  });
  return { snapshots, snapshotter };
}

test("taking a snapshot lets others have their turn every few milliseconds, also where nothing waits for a disk", async () => {
  const clock = new BusyClock();
  const taken: StoredSnapshot[] = [];
  using snapshotter = snapshotterOf(clock, (snapshot) => taken.push(snapshot)).snapshotter;
  await snapshotter.take();
  expect(taken).toMatchObject([{ index: 5, term: 2, sizeBytes: SLICES }]);
  expect(clock.holdsMs.length).toBeGreaterThan((SLICES * SLICE_MS) / TURN_MS / 2);
  expect(Math.max(...clock.holdsMs)).toBeLessThanOrEqual(TURN_MS + SLICE_MS);
});

test("so does restoring one", async () => {
  const clock = new BusyClock();
  const slices = machine(new BusyClock()).snapshot();
  await machine(clock).restore(inTurns(slices, clock));
  expect(Math.max(...clock.holdsMs)).toBeLessThanOrEqual(TURN_MS + SLICE_MS);
  expect(clock.holdsMs.length).toBeGreaterThan(10);
});

test("a server that stops leaves its snapshot", async () => {
  const clock = new BusyClock();
  const { snapshots, snapshotter } = snapshotterOf(clock, () => expect.unreachable());
  const taking = snapshotter.take();
  snapshotter[Symbol.dispose]();
  await expect(taking).rejects.toMatchObject({ reason: "shutdown" });
  expect(snapshots.newest).toBeUndefined();
});

test("who asks while one is being taken gets the same, and after that there is nothing new", async () => {
  using snapshotter = snapshotterOf(new BusyClock(), () => {}).snapshotter;
  const [first, second] = await Promise.all([snapshotter.take(), snapshotter.take()]);
  expect(second).toBe(first);
  await expect(snapshotter.take()).rejects.toMatchObject({ reason: "nothingToSnapshot" });
});
