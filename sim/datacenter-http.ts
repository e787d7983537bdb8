/** An HTTP client in the simulated world: one request on a connection of its own, and no more patience than so much. */
import { parseResponse, readStream, requestText } from "../src/http/testkit.ts";
import type { WireRequest, WireResponse } from "../src/http/testkit.ts";
import type { SimPlatform } from "../src/platform/sim/index.ts";

const PORT = 8500;

export interface Ask extends WireRequest {
  /** Of the agent. */
  readonly host: string;
  readonly patienceMs: number;
}

/** @returns undefined where there was no whole answer in time: what was asked for may have been done */
export type AskHttp = (ask: Ask) => Promise<WireResponse | undefined>;

/** @param host the client's own, so that it reaches whatever machine is up */
export function httpClient({ clock, network }: SimPlatform, host: string): AskHttp {
  const own = network.at(host);
  return async ({ host: agent, patienceMs, ...request }) => {
    const over = new AbortController();
    const timer = clock.after(patienceMs, () => over.abort(new Error("no answer")));
    try {
      const stream = await own.connect({ host: agent, port: PORT }, { signal: over.signal });
      over.signal.addEventListener("abort", () => stream.destroy());
      stream.write(Buffer.from(requestText(request), "latin1"));
      return parseResponse(await readStream(stream));
    } catch {
      // Refused, too late or cut off: all the same to who asked.
      return undefined;
    } finally {
      timer[Symbol.dispose]();
    }
  };
}
