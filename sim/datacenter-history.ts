/** What writers and readers of the key/value store ask and hear, and when it took effect, to be judged in the end. */
import type { Command, TxnResponse } from "../src/model/index.ts";
import type { ApplyResult } from "../src/store/index.ts";
import { KV, UNTOLD, type IndexedCall, type KvCall, type KvResult } from "./datacenter-kv.ts";
import type { Applied } from "./datacenter-observer.ts";
import { Violation } from "./invariants.ts";
import { checkLinearizable, type Operation } from "./linearizability.ts";

export interface KvOperation {
  /** What it writes, which no other writes; undefined where it writes no value. */
  readonly mark: string | undefined;
  readonly call: KvCall;
  readonly calledAt: number;
  returnedAt: number;
  result: KvResult;
  index: number;
  tookEffectAt: number;
}

export class KvHistory {
  readonly #operations: KvOperation[] = [];
  readonly #byMark = new Map<string, KvOperation>();
  #moment = 0;
  #violation: string | undefined;

  get length(): number {
    return this.#operations.length;
  }
  get answered(): number {
    return this.#operations.filter(({ returnedAt }) => Number.isFinite(returnedAt)).length;
  }

  called(call: KvCall, mark: string | undefined): KvOperation {
    this.#moment += 1;
    const operation: KvOperation = {
      mark,
      call,
      calledAt: this.#moment,
      returnedAt: Number.POSITIVE_INFINITY,
      result: UNTOLD,
      index: 0,
      tookEffectAt: Number.POSITIVE_INFINITY,
    };
    this.#operations.push(operation);
    if (mark !== undefined) this.#byMark.set(mark, operation);
    return operation;
  }

  returned(operation: KvOperation, result: KvResult): void {
    this.#moment += 1;
    operation.returnedAt = this.#moment;
    operation.result = result;
  }

  /** Whatever its client hears or does not hear: from now on everybody must see it. */
  tookEffect({ index, command, result }: Applied): void {
    const mark = markOf(command);
    const operation = mark === undefined ? undefined : this.#byMark.get(mark);
    if (operation === undefined) return;
    if (operation.index !== 0) {
      this.#violation ??= `${mark} was done twice: at ${operation.index} and at ${index}`;
      return;
    }
    this.#moment += 1;
    operation.index = index;
    operation.tookEffectAt = this.#moment;
    if (Number.isFinite(operation.returnedAt)) {
      this.#violation ??= `${mark} was answered before it was done`;
    } else if (!succeeded(result)) operation.result = "false";
  }

  /** @throws {Violation} with the operations that cannot be explained, and acknowledged writes that are nowhere */
  judge(): void {
    if (this.#violation !== undefined) throw new Violation(this.#violation);
    const lost = this.#operations.find(({ mark, index, returnedAt, result }) => {
      return mark !== undefined && index === 0 && Number.isFinite(returnedAt) && result !== "false";
    });
    if (lost !== undefined) throw new Violation(`acknowledged, but nowhere: ${lost.mark}`);
    const verdict = checkLinearizable(KV, this.#operations.flatMap(judged));
    if (verdict.kind !== "not linearizable") return;
    const shown = verdict.history.slice(-12).map(({ call, calledAt, returnedAt, result }) => {
      return `${calledAt}..${returnedAt} ${JSON.stringify(call)} = ${result}`;
    });
    throw new Violation(`not linearizable:\n${shown.join("\n")}`);
  }
}

/** Who wrote a value and was not answered counts if it took effect, which is known by now; who deletes may have. */
function judged(operation: KvOperation): readonly Operation<IndexedCall, KvResult>[] {
  const { mark, call, calledAt, index, result } = operation;
  const returnedAt = Math.min(operation.returnedAt, operation.tookEffectAt);
  const isNowhere = !Number.isFinite(returnedAt) && (mark !== undefined || !deletes(call));
  if (isNowhere) return [];
  return [{ key: "kv", call: { call, index }, calledAt, returnedAt, result }];
}

function deletes({ kind }: KvCall): boolean {
  return kind === "delete" || kind === "delete tree";
}

function succeeded(result: ApplyResult): boolean {
  if (result.kind === "refused") return false;
  const { value } = result;
  if (typeof value !== "object" || value === null) return value !== false;
  return ((value satisfies TxnResponse).Errors ?? []).length === 0;
}

/** The value that a command writes. */
function markOf(command: Command): string | undefined {
  if (command.type === "KVS") return textOf(command.body.DirEnt.Value);
  if (command.type !== "Txn") return undefined;
  for (const { KV: step } of command.body.Ops ?? []) {
    const mark = textOf(step?.DirEnt.Value ?? null);
    if (mark !== undefined) return mark;
  }
  return undefined;
}

function textOf(value: Uint8Array | null): string | undefined {
  return value === null || value.length === 0 ? undefined : Buffer.from(value).toString();
}
