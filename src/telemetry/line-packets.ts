/**
 * Lines, sent in datagrams: as many in each as fit, and none waits for long. Datagrams may be lost, and are while the
 * receiver's name is not known.
 */
import { messageOf } from "../errors/index.ts";
import type { DatagramSocket, IpAddress, Logger, Platform } from "../platform/index.ts";
import { FLUSH_AFTER_MS, RETRY_AFTER_MS, type LineSink, type LineSinkNeeds } from "./line-sink.ts";

/** Fits into an Ethernet frame with all its headers. */
const PACKET_MAX_BYTES = 1400;

export class LinePackets implements LineSink {
  readonly #platform: Pick<Platform, "clock" | "network">;
  readonly #logger: Logger;
  readonly #remote: IpAddress;
  #socket: DatagramSocket | undefined;
  #target: IpAddress | undefined;
  #packet = "";
  #flush: Disposable | undefined;
  #retry: Disposable | undefined;
  #isClosed = false;

  constructor({ platform, logger, remote }: LineSinkNeeds) {
    this.#platform = platform;
    this.#logger = logger;
    this.#remote = remote;
    void this.#open();
  }

  write(line: string): void {
    const packet = `${this.#packet}${line}\n`;
    if (this.#packet !== "" && Buffer.byteLength(packet) > PACKET_MAX_BYTES) {
      this.#send();
      this.#packet = `${line}\n`;
    } else {
      this.#packet = packet;
    }
    this.#flush ??= this.#platform.clock.after(FLUSH_AFTER_MS, () => this.#send());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#send();
    this.#retry?.[Symbol.dispose]();
    await this.#socket?.[Symbol.asyncDispose]();
  }

  #send(): void {
    this.#flush?.[Symbol.dispose]();
    this.#flush = undefined;
    if (this.#packet !== "" && this.#target !== undefined) {
      this.#socket?.send(Buffer.from(this.#packet), this.#target);
    }
    this.#packet = "";
  }

  async #open(): Promise<void> {
    const { network, clock } = this.#platform;
    try {
      const host = await network.resolve(this.#remote.host);
      const local = { host: sourceFor(host), port: 0 };
      const socket = await network.bindDatagram(local, () => {});
      if (this.#isClosed) {
        await socket[Symbol.asyncDispose]();
        return;
      }
      this.#socket = socket;
      this.#target = { host, port: this.#remote.port };
    } catch (error) {
      this.#logger.warn("Cannot send metrics", { error: messageOf(error) });
      if (this.#isClosed) return;
      this.#retry = clock.after(RETRY_AFTER_MS, () => void this.#open());
    }
  }
}

/** Any address of ours, but of this machine alone where the receiver is on it. */
function sourceFor(host: string): string {
  if (host.includes(":")) return host === "::1" ? "::1" : "::";
  return host.startsWith("127.") ? "127.0.0.1" : "0.0.0.0";
}
