/** The request header `Cache-Control`, as far as Consul's cache heeds it (Consul HTTP API: "Agent Caching"). */
import { RollcallError } from "../errors/index.ts";
import { atoi } from "../model/index.ts";
import type { Call } from "./call.ts";
import type { CacheWish } from "./kept-answers.ts";

const NO_WISH: CacheWish = { maxAgeMs: Infinity, staleIfErrorMs: 0 };

/** @throws {RollcallError} `request/bad` for a number of seconds that is none */
export function cacheControlOf(call: Call): CacheWish {
  const header = call.header("cache-control");
  let wish = NO_WISH;
  if (header === "") return wish;
  for (const part of header.toLowerCase().split(",")) {
    const [directive, seconds] = part.trim().split("=", 2);
    if (directive === "must-revalidate") wish = { ...wish, maxAgeMs: 0 };
    if (seconds === undefined) continue;
    if (directive === "max-age") wish = { ...wish, maxAgeMs: Math.min(wish.maxAgeMs, ms(seconds)) };
    if (directive === "stale-if-error") wish = { ...wish, staleIfErrorMs: ms(seconds) };
  }
  return wish;
}

function ms(seconds: string): number {
  const { value } = atoi(seconds);
  if (value === undefined) throw new RollcallError("request/bad", "Invalid Cache-Control header.");
  return value * 1000;
}
