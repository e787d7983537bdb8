/**
 * `watches` of the configuration: programs that are run, and URLs that are called, whenever what they watch changes.
 * They ask over the agent's own HTTP API, as Consul's do: what a client may not see, they do not.
 */
import { messageOf, RollcallError } from "../errors/index.ts";
import type { RuntimeConfig } from "../config/index.ts";
import { encodeKeyText } from "../model/index.ts";
import type { IpAddress, Logger, Platform, ProcessResult, SocketPath } from "../platform/index.ts";
import { follow, type WatchAnswer, type WatchChange, type WatchPlan } from "../watch/index.ts";
import { exchange } from "./http-exchange.ts";
import {
  usesOldHandler,
  watchDefinition,
  type HookRequest,
  type WatchDefinition,
  type WatchHandler,
} from "./watch-definition.ts";

export interface WatchesNeeds {
  readonly platform: Platform;
  /** The agent's own. */
  readonly logger: Logger;
  readonly config: () => RuntimeConfig;
}

/** Of a handler's output the last so many bytes are logged. */
const OUTPUT_MAX_BYTES = 4096;
const OLD_HANDLER =
  "The 'handler' field in watches has been deprecated and replaced with the 'args' field. See https://www.consul.io/docs/agent/watches.html";

export class Watches implements Disposable {
  readonly #needs: WatchesNeeds;
  #running = new AbortController();

  constructor(needs: WatchesNeeds) {
    this.#needs = needs;
  }

  /**
   * Ends those that run and starts those of the configuration.
   * @throws {RollcallError} `config/invalid` for what a watch may not say; nothing has changed then
   */
  restart({ watches, httpAddrs, ports }: RuntimeConfig): void {
    const { logger } = this.#needs;
    if (watches.some(usesOldHandler)) logger.warn(OLD_HANDLER);
    const definitions = watches.map(watchDefinition);
    const [address] = ports.http < 0 ? [] : httpAddrs;
    if (definitions.length > 0 && address === undefined) {
      throw new RollcallError("config/invalid", "watch plans require an HTTP or HTTPS endpoint");
    }
    this.#running.abort();
    this.#running = new AbortController();
    const { signal } = this.#running;
    for (const definition of definitions) void this.#run(definition, signal);
  }

  [Symbol.dispose](): void {
    this.#running.abort();
  }

  async #run(definition: WatchDefinition, signal: AbortSignal): Promise<void> {
    const { type, plan, token, handler } = definition;
    const { platform, logger } = this.#needs;
    const ask = (path: string, query: WatchPlan["query"], until: AbortSignal) =>
      this.#ask({ path, query, token }, until);
    const log = logger.named("watch.watch");
    try {
      for await (const change of follow({
        clock: platform.clock,
        logger: log,
        type,
        plan,
        ask,
        signal,
      })) {
        await this.#handle(handler, change, signal);
      }
    } catch (error) {
      if (signal.aborted) return;
      const stack = error instanceof Error ? error.stack : undefined;
      log.error("Watch ended", { type, error: messageOf(error), stack });
    }
  }

  async #ask(
    { path, query, token }: Pick<WatchPlan, "path" | "query"> & { readonly token: string },
    signal: AbortSignal,
  ): Promise<WatchAnswer> {
    const escaped = path.split("/").map(encodeURIComponent).join("/");
    const search = query.map((pair) => pair.map(encodeURIComponent).join("=")).join("&");
    const { status, body, headers } = await exchange(this.#needs.platform.network, {
      remote: ownApi(this.#needs.config()),
      method: "GET",
      target: search === "" ? escaped : `${escaped}?${search}`,
      headers: { Host: "localhost", ...(token === "" ? {} : { "X-Consul-Token": token }) },
      body: "",
      signal,
    });
    const index = headers["x-consul-index"];
    const isIndex = typeof index === "string" && /^\d{1,20}$/.test(index);
    return { status, body, index: isIndex ? BigInt(index) : 0n };
  }

  async #handle(handler: WatchHandler, change: WatchChange, signal: AbortSignal): Promise<void> {
    if (handler.kind === "http") {
      await this.#call(handler.request, change, signal);
      return;
    }
    const { platform, logger } = this.#needs;
    const shell = platform.host.env("SHELL") || "/bin/sh";
    const result = await platform.processes.run({
      argv: handler.kind === "program" ? handler.argv : [shell, "-c", handler.text],
      env: { CONSUL_INDEX: String(change.index) },
      stdin: encodeKeyText(`${change.json}\n`),
      outputMaxBytes: OUTPUT_MAX_BYTES,
      signal,
    });
    if (signal.aborted) return;
    const shown = handler.kind === "program" ? handler.argv : handler.text;
    const fault = faultOf(result);
    if (fault !== undefined) {
      logger.error("Failed to run watch handler", { watch_handler: shown, error: fault });
    }
    logger.debug("watch handler output", { watch_handler: shown, output: outputOf(result) });
  }

  async #call(hook: HookRequest, { json, index }: WatchChange, stop: AbortSignal): Promise<void> {
    const { platform, logger } = this.#needs;
    const { url, method, headers, timeoutMs, skipVerify } = hook;
    const late = new AbortController();
    using _limit = platform.clock.after(timeoutMs, () => late.abort());
    const isTls = url.protocol === "https:";
    const host = url.hostname.replace(/^\[|\]$/g, "");
    try {
      const { status, statusText, body } = await exchange(platform.network, {
        remote: { host, port: Number(url.port) || (isTls ? 443 : 80) },
        ...(isTls ? { tls: { serverName: host, skipVerify } } : {}),
        method,
        target: `${url.pathname}${url.search}`,
        headers: {
          Host: url.host,
          "Content-Type": "application/json",
          "X-Consul-Index": String(index),
          ...headers,
        },
        body: `${json}\n`,
        signal: AbortSignal.any([stop, late.signal]),
      });
      const told = {
        watch: url.href,
        status: `${status} ${statusText}`,
        output: body.slice(-OUTPUT_MAX_BYTES),
      };
      if (status >= 200 && status < 300) logger.trace("http watch handler output", told);
      else logger.error("http watch handler failed with output", told);
    } catch (error) {
      if (stop.aborted) return;
      if (!(error instanceof RollcallError)) throw error;
      const verb = `${method.slice(0, 1)}${method.slice(1).toLowerCase()}`;
      const reason = `${verb} "${url.href}": ${late.signal.aborted ? "context deadline exceeded" : messageOf(error)}`;
      logger.error("Failed to invoke http watch handler", { watch: url.href, error: reason });
    }
  }
}

/** The first of the addresses; one that stands for all of them is reached on loopback. */
function ownApi({ httpAddrs, ports }: RuntimeConfig): IpAddress | SocketPath {
  const [address = ""] = httpAddrs;
  if (address.startsWith("unix://")) return { path: address.slice("unix://".length) };
  const loopback = { "0.0.0.0": "127.0.0.1", "::": "::1" }[address];
  return { host: loopback ?? address, port: ports.http };
}

function faultOf(result: ProcessResult): string | undefined {
  if (result.kind === "unstartable") return result.message;
  if (result.kind === "killed") return "signal: killed";
  return result.code === 0 ? undefined : `exit status ${result.code}`;
}

function outputOf(result: ProcessResult): string {
  if (result.kind === "unstartable") return "";
  const text = new TextDecoder().decode(result.output);
  const { outputTotalBytes } = result;
  if (outputTotalBytes <= OUTPUT_MAX_BYTES) return text;
  return `Captured ${OUTPUT_MAX_BYTES} of ${outputTotalBytes} bytes\n...\n${text}`;
}
