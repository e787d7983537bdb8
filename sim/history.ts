/** What clients ask and hear, in the order in which it happens, to be judged when a run is over. */
import { Violation } from "./invariants.ts";
import { checkLinearizable, type Operation } from "./linearizability.ts";
import { decodeCommand, REGISTER, type RegisterCall, type RegisterResult } from "./register.ts";

export interface PendingOperation {
  readonly id: string;
  readonly key: string;
  readonly call: RegisterCall;
  readonly calledAt: number;
  returnedAt: number;
  result: RegisterResult;
  /** When the first server applied it. */
  tookEffectAt: number;
}

export class History {
  readonly #operations: PendingOperation[] = [];
  #moment = 0;

  get length(): number {
    return this.#operations.length;
  }

  get answered(): number {
    return this.#operations.filter(({ returnedAt }) => Number.isFinite(returnedAt)).length;
  }

  called(key: string, call: RegisterCall): PendingOperation {
    this.#moment += 1;
    const operation: PendingOperation = {
      id: `${this.#operations.length}`,
      key,
      call,
      calledAt: this.#moment,
      returnedAt: Number.POSITIVE_INFINITY,
      result: "",
      tookEffectAt: Number.POSITIVE_INFINITY,
    };
    this.#operations.push(operation);
    return operation;
  }

  returned(operation: PendingOperation, result: RegisterResult): void {
    this.#moment += 1;
    operation.returnedAt = this.#moment;
    operation.result = result;
  }

  /** Whatever its client hears or does not hear: from now on everybody must see it. */
  tookEffect(data: Uint8Array, result: RegisterResult): void {
    const operation = this.#operations[Number(decodeCommand(data).id)];
    if (operation === undefined || Number.isFinite(operation.tookEffectAt)) return;
    this.#moment += 1;
    operation.tookEffectAt = this.#moment;
    if (!Number.isFinite(operation.returnedAt)) operation.result = result;
  }

  /**
   * Who was not answered counts if the command took effect, which is known by now.
   * @throws {Violation} with the operations that cannot be explained
   */
  judge(): void {
    const operations = this.#operations.flatMap(
      (operation): readonly Operation<RegisterCall, RegisterResult>[] => {
        const returnedAt = Math.min(operation.returnedAt, operation.tookEffectAt);
        return Number.isFinite(returnedAt) ? [{ ...operation, returnedAt }] : [];
      },
    );
    const verdict = checkLinearizable(REGISTER, operations);
    if (verdict.kind !== "not linearizable") return;
    const shown = verdict.history.slice(-8).map(({ key, call, calledAt, returnedAt, result }) => {
      return `${key} ${JSON.stringify(call)} ${calledAt}..${returnedAt} = ${JSON.stringify(result)}`;
    });
    throw new Violation(`not linearizable:\n${shown.join("\n")}`);
  }
}
