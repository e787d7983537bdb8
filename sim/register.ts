/** The small state machine of the simulations: registers under keys, which are read, set, and compared and set. */
import type { Model } from "./linearizability.ts";

export type RegisterCall =
  | Readonly<{ kind: "get" }>
  | Readonly<{ kind: "set"; value: string }>
  | Readonly<{ kind: "compareAndSet"; expected: string; value: string }>;
/** What was there, or whether it was set. "" is a register that nobody has set. */
export type RegisterResult = string | boolean;

export const REGISTER: Model<RegisterCall, RegisterResult> = {
  initial: "",
  apply(state, call) {
    switch (call.kind) {
      case "get":
        return { state, result: state };
      case "set":
        return { state: call.value, result: true };
      case "compareAndSet":
        if (state !== call.expected) return { state, result: false };
        return { state: call.value, result: true };
    }
  },
  sameResult: (a, b) => a === b,
};

/** `id` makes every command different from every other. */
export interface Command {
  readonly id: string;
  readonly key: string;
  readonly call: RegisterCall;
}

export function encodeCommand(command: Command): Uint8Array {
  return Buffer.from(JSON.stringify(command));
}

export function decodeCommand(data: Uint8Array): Command {
  return JSON.parse(Buffer.from(data).toString()) as Command;
}

/** The registers of one server, and a fingerprint of everything that was applied to them in its order. */
export class Registers {
  #values = new Map<string, string>();
  #fingerprint = 0;

  get fingerprint(): number {
    return this.#fingerprint;
  }

  read(key: string): string {
    return this.#values.get(key) ?? "";
  }

  apply(index: number, data: Uint8Array): RegisterResult {
    const { key, call } = decodeCommand(data);
    const { state, result } = REGISTER.apply(this.read(key), call);
    this.#values.set(key, state);
    this.#fingerprint = mixed(this.#fingerprint, index, data);
    return result;
  }

  save(): Uint8Array {
    return Buffer.from(JSON.stringify([this.#fingerprint, ...this.#values]));
  }

  restore(saved: Uint8Array): void {
    const parsed =
      saved.length === 0 ? [0] : (JSON.parse(Buffer.from(saved).toString()) as unknown[]);
    const [fingerprint, ...values] = parsed as [number, ...[string, string][]];
    this.#fingerprint = fingerprint;
    this.#values = new Map(values);
  }
}

/** FNV-1a over what came before, the index and the bytes. */
export function mixed(before: number, index: number, data: Uint8Array): number {
  let hash = (before ^ 0x811c9dc5 ^ index) >>> 0;
  for (const byte of data) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
