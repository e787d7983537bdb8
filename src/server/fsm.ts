/**
 * The state machine under the log: commands from their bytes into the store, the store into snapshots and back
 * (facts: fsm.md).
 */
import type { Command } from "../model/index.ts";
import type { Random } from "../platform/index.ts";
import type { Entry, StateMachine } from "../raft/index.ts";
import {
  ChunkCollector,
  decodeCommand,
  decodeSnapshot,
  encodeCommand,
  encodeSnapshot,
  splitCommand,
  type ApplyEffects,
  type ApplyResult,
  type Piece,
  type SnapshotContent,
  type Store,
} from "../store/index.ts";

export interface StoreMachineNeeds {
  readonly store: Store;
  readonly random: Random;
  /** A command was applied, and not refused. */
  readonly onApplied: (index: number, effects: ApplyEffects) => void;
}
export interface StoreMachine {
  /** Its `apply` throws for a command that this version cannot read: the server is not to go on then. */
  readonly stateMachine: StateMachine<ApplyResult>;
  /** The state as it is now: later commands do not change it. */
  readonly content: () => SnapshotContent;
  /** A command as entries of the log: several where it is too long for one. */
  readonly entriesOf: (command: Command) => readonly Piece[];
}

/** Of an entry that changes nothing: part of a command, or one that need not be known. */
const NOTHING_DONE: ApplyResult = {
  kind: "done",
  value: null,
  effects: { lockDelays: [], createdSessions: [], destroyedSessions: [], tombstone: false },
};

export function storeMachine({ store, random, onApplied }: StoreMachineNeeds): StoreMachine {
  const chunks = new ChunkCollector();
  const operations = random.fork("chunks");

  const wholeOf = ({ term, data, extensions }: Entry): Uint8Array | undefined =>
    extensions === undefined || extensions.length === 0
      ? data
      : chunks.add({ term, data, extensions });

  const content = (): SnapshotContent => ({
    tables: store.snapshot(),
    lastIndex: store.lastIndex,
    chunks: chunks.state,
  });

  return {
    content,
    stateMachine: {
      apply: (entry) => {
        const whole = wholeOf(entry);
        const command = whole === undefined ? undefined : decodeCommand(whole);
        if (command === undefined) return NOTHING_DONE;
        const result = store.apply(entry.index, command);
        if (result.kind === "done") onApplied(entry.index, result.effects);
        return result;
      },
      snapshot: () => encodeSnapshot(content()),
      restore: async (slices) => {
        const content = await decodeSnapshot(slices);
        store.restore(content);
        chunks.restore(content.chunks);
      },
    },
    entriesOf: (command) => splitCommand(encodeCommand(command), drawn(operations)),
  };
}

function drawn(random: Random): bigint {
  return Buffer.from(random.bytes(8)).readBigUInt64BE();
}
