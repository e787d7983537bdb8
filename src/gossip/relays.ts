/**
 * Probing for others, who got no answer themselves (SWIM §3.1, "ping-req"; memberlist: `handleIndirectPing`).
 *
 * Whoever asks may want to hear that there was no answer either, a "nack": if those who were to help keep silent
 * too, the one who asks is probably the one who is cut off (Lifeguard).
 */
import type { IpAddress } from "../platform/index.ts";
import type { IndirectPing } from "../wire/index.ts";
import { bytesOfHost, hostOf } from "./ip-bytes.ts";
import type { LoopLag } from "./loop-lag.ts";
import type { Packets } from "./packets.ts";
import type { PendingAcks } from "./pending-acks.ts";

export interface Source {
  readonly SourceAddr: Uint8Array;
  readonly SourcePort: number;
  readonly SourceNode: string;
}
export interface RelaysOptions {
  readonly packets: Packets;
  readonly pending: PendingAcks;
  readonly lag: LoopLag;
  readonly probeTimeoutMs: number;
  readonly source: Source;
}

export class Relays implements Disposable {
  readonly #options: RelaysOptions;
  /** Timers of what is underway. */
  readonly #timers = new Set<Disposable>();

  constructor(options: RelaysOptions) {
    this.#options = options;
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) timer[Symbol.dispose]();
  }

  relay(request: IndirectPing, from: IpAddress): void {
    const { packets, pending, lag, probeTimeoutMs, source } = this.#options;
    const isTarget = request.Target.length === 4 || request.Target.length === 16;
    if (!isTarget || request.Port === 0) return;
    const requester = returnAddress(request, from);
    const { SeqNo, Node } = request;
    const number = pending.open({
      onAck: () => {
        end();
        packets.send(requester, { kind: "ack", body: { SeqNo, Payload: null } });
      },
    });
    if (number === undefined) return;
    const timer = lag.deadline(probeTimeoutMs, probeTimeoutMs, (stallMs) => {
      end();
      // After a stall we could not tell whose fault it was.
      if (request.Nack && stallMs === 0) packets.send(requester, { kind: "nack", body: { SeqNo } });
    });
    this.#timers.add(timer);
    const end = (): void => {
      pending.close(number);
      timer[Symbol.dispose]();
      this.#timers.delete(timer);
    };
    const target = { host: hostOf(request.Target), port: request.Port };
    packets.send(target, { kind: "ping", body: { SeqNo: number, Node, ...source } });
  }
}

/** Where the answer to a ping goes: as the ping has it, else where it came from. */
export function returnAddress(
  asked: { readonly SourceAddr: Uint8Array; readonly SourcePort: number },
  from: IpAddress,
): IpAddress {
  const { SourceAddr, SourcePort } = asked;
  const isGiven = (SourceAddr.length === 4 || SourceAddr.length === 16) && SourcePort > 0;
  return isGiven ? { host: hostOf(SourceAddr), port: SourcePort } : { ...from };
}

/** @throws {TypeError} for a host that is no IP address: a bug of the caller */
export function sourceOf(name: string, { host, port }: IpAddress): Source {
  const SourceAddr = bytesOfHost(host);
  if (SourceAddr === undefined) throw new TypeError(`not an IP address: ${host}`);
  return { SourceAddr, SourcePort: port, SourceNode: name };
}
