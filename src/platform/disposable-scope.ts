/**
 * Everything that one owner opened, closed in one go: what `AsyncDisposableStack` will be once Node has it.
 *
 * Closes in the reverse order of opening and goes on when one part fails to close, so that a failure leaks
 * nothing else. What failed is thrown at the end: the error itself, or an AggregateError of several.
 */
export class DisposableScope implements AsyncDisposable {
  #closers: (() => unknown)[] = [];
  #closing: Promise<void> | undefined;

  /** Owns `part` from now on, and hands it back. */
  use<T extends Disposable | AsyncDisposable>(part: T): T {
    this.defer(() =>
      Symbol.asyncDispose in part ? part[Symbol.asyncDispose]() : part[Symbol.dispose](),
    );
    return part;
  }

  /** @throws {Error} when the scope is closing: what would be added now would never be closed */
  defer(close: () => unknown): void {
    if (this.#closing !== undefined) throw new Error("the scope is closed");
    this.#closers.push(close);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    const failures: unknown[] = [];
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw new AggregateError(failures, "several parts failed to close");
  }
}
