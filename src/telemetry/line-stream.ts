/** Lines, sent over a connection that is made again when it breaks. */
import type { Duplex } from "node:stream";
import { messageOf } from "../errors/index.ts";
import type { IpAddress, Logger, Platform } from "../platform/index.ts";
import { FLUSH_AFTER_MS, RETRY_AFTER_MS, type LineSink, type LineSinkNeeds } from "./line-sink.ts";

/** Of what the receiver has not taken yet; lines beyond are dropped. */
const BACKLOG_MAX_BYTES = 1024 * 1024;

export class LineStream implements LineSink {
  readonly #platform: Pick<Platform, "clock" | "network">;
  readonly #logger: Logger;
  readonly #remote: IpAddress;
  readonly #closing = new AbortController();
  #stream: Duplex | undefined;
  #lines: string[] = [];
  #sizeBytes = 0;
  #flush: Disposable | undefined;
  #retry: Disposable | undefined;

  constructor({ platform, logger, remote }: LineSinkNeeds) {
    this.#platform = platform;
    this.#logger = logger;
    this.#remote = remote;
    void this.#open();
  }

  write(line: string): void {
    const backlogBytes = this.#sizeBytes + (this.#stream?.writableLength ?? 0);
    if (backlogBytes + line.length > BACKLOG_MAX_BYTES) return;
    this.#lines.push(`${line}\n`);
    this.#sizeBytes += line.length + 1;
    this.#flush ??= this.#platform.clock.after(FLUSH_AFTER_MS, () => this.#send());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#send();
    this.#retry?.[Symbol.dispose]();
    this.#closing.abort();
    this.#stream?.destroy();
  }

  #send(): void {
    this.#flush?.[Symbol.dispose]();
    this.#flush = undefined;
    if (this.#stream === undefined) return;
    this.#stream.write(this.#lines.join(""));
    this.#lines = [];
    this.#sizeBytes = 0;
  }

  async #open(): Promise<void> {
    const { network } = this.#platform;
    try {
      const { signal } = this.#closing;
      const stream = await network.connect(this.#remote, { signal });
      // Nothing is expected; but only who reads learns that the receiver has gone.
      stream.resume();
      stream.once("close", () => {
        this.#stream = undefined;
        this.#tryAgain();
      });
      this.#stream = stream;
      this.#send();
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      this.#logger.warn("Cannot send metrics", { error: messageOf(error) });
      this.#tryAgain();
    }
  }

  #tryAgain(): void {
    if (this.#closing.signal.aborted) return;
    this.#retry = this.#platform.clock.after(RETRY_AFTER_MS, () => void this.#open());
  }
}
