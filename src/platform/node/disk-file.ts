/** One open file: positioned reads and writes that are never short, and syncs that fail for good. */
import type { FileHandle } from "node:fs/promises";
import { diskError } from "../go-errors.ts";
import type { DiskFile } from "../platform.ts";

export class NodeDiskFile implements DiskFile {
  readonly #handle: FileHandle;
  readonly #path: string;
  #sizeBytes: number;
  #syncFailure: Error | undefined;
  #closed: Promise<void> | undefined;

  private constructor(handle: FileHandle, path: string, sizeBytes: number) {
    this.#handle = handle;
    this.#path = path;
    this.#sizeBytes = sizeBytes;
  }

  /** Owns `handle`; closes it if the file's size cannot be told. */
  static async over(handle: FileHandle, path: string): Promise<NodeDiskFile> {
    try {
      const { size } = await handle.stat();
      return new NodeDiskFile(handle, path, size);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  async read(offset: number, count: number): Promise<Uint8Array> {
    const wanted = Math.max(0, Math.min(count, this.#sizeBytes - offset));
    const bytes = new Uint8Array(wanted);
    let done = 0;
    while (done < wanted) {
      const { bytesRead } = await this.#attempt("read", () =>
        this.#handle.read(bytes, done, wanted - done, offset + done),
      );
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return bytes.subarray(0, done);
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    let done = 0;
    while (done < bytes.byteLength) {
      const { bytesWritten } = await this.#attempt("write", () =>
        this.#handle.write(bytes, done, bytes.byteLength - done, offset + done),
      );
      done += bytesWritten;
      this.#sizeBytes = Math.max(this.#sizeBytes, offset + done);
    }
  }

  async truncate(sizeBytes: number): Promise<void> {
    await this.#attempt("truncate", () => this.#handle.truncate(sizeBytes));
    this.#sizeBytes = sizeBytes;
  }

  async sync(): Promise<void> {
    if (this.#syncFailure !== undefined) throw this.#syncFailure;
    try {
      await this.#handle.datasync();
    } catch (error) {
      this.#syncFailure = diskError("sync", this.#path, error);
      throw this.#syncFailure;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#handle.close();
    return this.#closed;
  }

  async #attempt<T>(operation: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      throw diskError(operation, this.#path, error);
    }
  }
}
