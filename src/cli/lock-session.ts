/**
 * The session that a lock stands on: made with a TTL, renewed while it is needed, destroyed afterwards. A lock
 * lives exactly as long as its session (Consul docs: "Sessions").
 */
import { RollcallError } from "../errors/index.ts";
import { jsonDecoder, struct, text } from "../model/index.ts";
import { type Clock, pause } from "../platform/index.ts";
import type { ApiClient } from "./api-client.ts";

const TTL_MS = 15_000;
/** After a renewal that failed. */
const RETRY_MS = 1000;

const decodeSession = jsonDecoder(struct("Session", { ID: text() }), { unknown: "ignore" });

export interface LockSession extends AsyncDisposable {
  readonly id: string;
}

/** @throws {RollcallError} when it cannot be made. Disposing it never throws. */
export async function openSession(
  api: ApiClient,
  clock: Clock,
  { name, behavior }: { readonly name: string; readonly behavior?: "delete" },
): Promise<LockSession> {
  const wanted = {
    ...(behavior === undefined ? {} : { Behavior: behavior }),
    Name: name,
    TTL: `${TTL_MS / 1000}s`,
  };
  const body = `${JSON.stringify(wanted)}\n`;
  const { ID: id } = decodeSession(
    await api.ok({ method: "PUT", path: "/v1/session/create", body }),
  );
  const over = new AbortController();
  const renewing = keepAlive(api, clock, id, over.signal);
  return {
    id,
    async [Symbol.asyncDispose]() {
      over.abort();
      await renewing;
      // If this fails the session ends with its TTL.
      await unlessRefused(api.ok({ method: "PUT", path: `/v1/session/destroy/${id}` }));
    },
  };
}

/** Whoever watches the lock learns of a session that has ended; here it only means that there is nothing to renew. */
async function keepAlive(
  api: ApiClient,
  clock: Clock,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  let waitMs = TTL_MS / 2;
  for (;;) {
    await pause(clock, waitMs, signal);
    if (signal.aborted) return;
    const asked = api.send({ method: "PUT", path: `/v1/session/renew/${id}`, signal });
    const answer = await unlessRefused(asked);
    if (answer?.status === 404) return;
    waitMs = answer?.status === 200 ? TTL_MS / 2 : RETRY_MS;
  }
}

async function unlessRefused<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof RollcallError) return undefined;
    throw error;
  }
}
