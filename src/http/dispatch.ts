/**
 * What happens to a request for a known endpoint, in Consul's order: the query string is read, blocked endpoints are
 * refused, OPTIONS and wrong methods are answered, writes are checked against `allow_write_http_from`, the handler
 * runs, and its reply or its error is written and logged.
 */
import { messageOf, RollcallError } from "../errors/index.ts";
import type { Labels, Logger } from "../platform/index.ts";
import { logFailed, logFinished, type RequestLine } from "./access-log.ts";
import { textBody } from "./body.ts";
import { CachedQuestions } from "./cached-questions.ts";
import { Call } from "./call.ts";
import type { Exchange } from "./exchange.ts";
import { KeptAnswers } from "./kept-answers.ts";
import type { HttpNeeds } from "./needs.ts";
import { policyOf, type Policy } from "./policy.ts";
import { EMPTY_QUERY, parseQuery, type Query } from "./query-string.ts";
import { emptyReply, EMPTY_REPLY, reply, type Reply } from "./reply.ts";
import { respond } from "./respond.ts";
import type { Operation, Route } from "./route.ts";
import type { Target } from "./target.ts";

interface Asked {
  readonly exchange: Exchange;
  readonly target: Target;
  readonly query: Query;
}

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

export class Dispatcher {
  readonly #needs: HttpNeeds;
  readonly #logger: Logger;
  readonly #cachedQuestions: CachedQuestions;
  readonly #keptAnswers: KeptAnswers;

  constructor(needs: HttpNeeds) {
    this.#needs = needs;
    this.#cachedQuestions = new CachedQuestions(needs.platform.clock);
    this.#keptAnswers = new KeptAnswers(needs.platform.clock);
    this.#logger = needs.logger.named("http");
  }

  /** Answers, and never throws: whatever goes wrong has become an answer and a log line. */
  async handle(route: Route, exchange: Exchange, target: Target): Promise<void> {
    const policy = policyOf(this.#needs.config());
    const { clock } = this.#needs.platform;
    const startedAt = clock.now();
    const query = parseQuery(target.rawQuery);
    let pretty = policy.alwaysPretty;
    let answer: Reply;
    if (query === undefined) {
      answer = this.#refuse(
        emptyReply(500),
        { exchange, target, query: EMPTY_QUERY },
        "Failed to decode query",
      );
    } else {
      pretty ||= query.has("pretty");
      const asked: Asked = { exchange, target, query };
      const call = new Call({
        needs: this.#needs,
        config: policy.config,
        exchange,
        cachedQuestions: this.#cachedQuestions,
        keptAnswers: this.#keptAnswers,
        path: target.path,
        tail: target.path.slice(route.prefix.length),
        query,
      });
      try {
        answer = await this.#answer(route, policy, call, asked);
      } catch (error) {
        if (error instanceof RollcallError && error.code === "request/aborted") {
          exchange.destroy();
          return;
        }
        answer = this.#failure(error, asked, call);
      }
    }
    try {
      const { extraHeaders } = policy;
      await respond(exchange, answer, { extraHeaders, pretty, negotiates: true });
    } catch (error) {
      // A value that cannot be encoded, or a header that cannot be sent: a bug of ours.
      this.#failure(error, { exchange, target, query: query ?? EMPTY_QUERY }, undefined);
      exchange.destroy();
    }
    const timer = route.timers.get(exchange.method);
    if (timer !== undefined) this.#needs.meter.sample(timer, clock.now() - startedAt);
    if (policy.logsRequests) {
      const line = requestLine({ exchange, target, query: query ?? EMPTY_QUERY });
      logFinished(this.#logger, line, clock.now() - startedAt);
    }
  }

  #answer(route: Route, policy: Policy, call: Call, asked: Asked): Reply | Promise<Reply> {
    const { method, peer } = asked.exchange;
    if (policy.isBlocked(call.path)) {
      const text = "Endpoint is blocked by agent configuration";
      return this.#refuse(reply(textBody(text), [], 403), asked, text);
    }
    const operation = route.operations.get(method);
    if (operation === undefined && route.otherMethods !== undefined) {
      const answer = route.otherMethods(method, call.path);
      if (answer.status === 200) return answer;
      return this.#refuse(answer, asked, `method ${method} not allowed`);
    }
    if (operation === undefined) {
      if (method === "OPTIONS") return emptyReply(200, ["Allow", route.allow]);
      const text = `method ${method} not allowed`;
      const refusal = reply(textBody(text), ["Allow", route.allow], 405);
      return this.#refuse(refusal, asked, text);
    }
    if (!SAFE_METHODS.has(method) && !policy.mayWriteFrom(peer.host)) {
      throw new RollcallError("request/forbidden", "Access is restricted");
    }
    const { counter } = operation;
    return counter === undefined ? operation.handle(call) : this.#counted(counter, operation, call);
  }

  async #counted(counter: string, { handle }: Operation, call: Call): Promise<Reply> {
    const { meter } = this.#needs;
    const node: Labels = [["node", call.config.nodeName]];
    meter.count(`client.api.${counter}`, 1, node);
    try {
      const answer = await handle(call);
      meter.count(`client.api.success.${counter}`, 1, node);
      return answer;
    } catch (error) {
      meter.count(`client.rpc.error.${counter}`, 1, node);
      throw error;
    }
  }

  #failure(error: unknown, asked: Asked, call: Call | undefined): Reply {
    const known = error instanceof RollcallError;
    const text = messageOf(error);
    const stack = !known && error instanceof Error ? error.stack : undefined;
    const line = requestLine(asked);
    if (stack === undefined) logFailed(this.#logger, line, text);
    else logFailed(this.#logger, line, text, stack);
    const status = known ? error.status : 500;
    const headers = call?.errorHeaders ?? EMPTY_REPLY.headers;
    return text === "" ? emptyReply(status, headers) : reply(textBody(text), headers, status);
  }

  #refuse(answer: Reply, asked: Asked, error: string): Reply {
    logFailed(this.#logger, requestLine(asked), error);
    return answer;
  }
}

function requestLine({ exchange, target, query }: Asked): RequestLine {
  const { method, peer } = exchange;
  return {
    method,
    url: target.rawQuery === "" ? target.path : `${target.path}?${target.rawQuery}`,
    query,
    from: peer.host.includes(":") ? `[${peer.host}]:${peer.port}` : `${peer.host}:${peer.port}`,
  };
}
