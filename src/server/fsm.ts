/**
 * The state machine under the log: commands from their bytes into the store, the store into snapshots and back
 * (facts: fsm.md).
 */
import { unreachable } from "../errors/index.ts";
import type { Logger } from "../platform/index.ts";
import type { Entry, StateMachine } from "../raft/index.ts";
import { ChunkCollector, decodeCommand, type ApplyEffects, type ApplyResult, type Store } from "../store/index.ts";
