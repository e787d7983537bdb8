/**
 * An HTTP request whose status code is the answer: 2xx passing, 429 warning, anything else critical.
 * Redirects are followed, at most ten, unless the definition says not to. Each request has a connection of its own: a check is to find out
 * whether a new client would be served.
 */
import { messageOf } from "../errors/index.ts";
import type { CheckDefinition, CheckStatus } from "../model/index.ts";
import { DEFAULT_NETWORK_TIMEOUT_MS, startActive, timeoutMsOf } from "./active-check.ts";
import type { CheckContext, CheckResult, RunningCheck } from "./check-runner.ts";
import { headersOf, problemOfRequest } from "./http-headers.ts";
import { nextHop, type Hop } from "./http-redirect.ts";
import { isRedirect, roundTrip, type HttpAnswer } from "./http-round-trip.ts";
import { textOf } from "./output.ts";
import { tlsOptionsOf } from "./tls.ts";
import { endpointOf, parseUrl, showUrl } from "./http-url.ts";

const MAX_REDIRECTS = 10;

export function startHttp(context: CheckContext): RunningCheck {
  const { logger, checkId, definition } = context;
  const { HTTP: url, Method } = definition;
  const method = Method === "" ? "GET" : Method;

  async function ask(signal: AbortSignal): Promise<CheckResult> {
    const outcome = await follow(context, firstHop(definition, method), signal);
    if (typeof outcome === "string") return { status: "critical", output: outcome };
    const { statusCode, statusText, body, bodyProblem } = outcome;
    if (bodyProblem !== undefined) {
      logger.warn("Check error while reading body", { check: checkId, error: bodyProblem });
    }
    const output = `HTTP ${method} ${url}: ${statusCode} ${statusText} Output: ${textOf(body)}`;
    return { status: statusOf(statusCode), output };
  }

  return startActive(context, {
    ask,
    timeoutMs: timeoutMsOf(definition, DEFAULT_NETWORK_TIMEOUT_MS),
    timeoutOutput: requestProblem(method, url, TIMEOUT),
  });
}

const TIMEOUT = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";

function statusOf(statusCode: number): CheckStatus {
  if (statusCode >= 200 && statusCode < 300) return "passing";
  return statusCode === 429 ? "warning" : "critical";
}

/** As Go's client prefixes its errors: `Get "http://…": `, whatever the method's case was. */
function requestProblem(method: string, url: string, problem: string): string {
  const verb = method.slice(0, 1) + method.slice(1).toLowerCase();
  return `${verb} ${JSON.stringify(url)}: ${problem}`;
}

/** @returns what is wrong with the definition, as a text, if no request can be made of it */
function firstHop(definition: CheckDefinition, method: string): Hop | string {
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(method))
    return `net/http: invalid method ${JSON.stringify(method)}`;
  const parsed = parseUrl(definition.HTTP);
  if (parsed.kind === "invalid") return parsed.problem;
  const { headers, host } = headersOf(definition.Header ?? {});
  return { url: parsed.url, method, headers, host, body: definition.Body };
}

/** @returns the last answer, or why there is none */
async function follow(
  context: CheckContext,
  first: Hop | string,
  signal: AbortSignal,
): Promise<HttpAnswer | string> {
  let hop = first;
  for (let redirects = 0; typeof hop !== "string"; redirects++) {
    const { method, url } = hop;
    let answer: HttpAnswer;
    try {
      answer = await send(context, hop, signal);
    } catch (error) {
      const problem = signal.aborted ? TIMEOUT : messageOf(error);
      return requestProblem(method, showUrl(url), problem);
    }
    if (!isRedirect(answer) || context.definition.DisableRedirects) return answer;
    const next = nextHop(hop, answer);
    if (next.kind === "problem") return requestProblem(method, showUrl(url), next.problem);
    if (redirects === MAX_REDIRECTS - 1) {
      return requestProblem(
        next.hop.method,
        next.location,
        `stopped after ${MAX_REDIRECTS} redirects`,
      );
    }
    hop = next.hop;
  }
  return hop;
}

/** @throws {Error} with Go's words for why no answer came */
async function send(
  { platform, definition, outputMaxBytes }: CheckContext,
  hop: Hop,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const { url, method, headers, host, body } = hop;
  const problem = problemOfRequest(hop);
  if (problem !== undefined) throw new Error(problem);
  const endpoint = endpointOf(url);
  if (typeof endpoint === "string") throw new Error(endpoint);
  const stream = await platform.network.connect(endpoint, {
    signal,
    ...(url.scheme === "https" ? { tls: tlsOptionsOf(definition) } : {}),
  });
  const request = {
    method,
    target: (url.path || "/") + url.query,
    headers: {
      ...(url.userInfo === undefined ? {} : { authorization: basicAuthorization(url.userInfo) }),
      ...headers,
      host: host ?? url.authority,
      ...contentLength(method, body),
    },
    body,
  };
  return roundTrip(stream, request, {
    signal,
    bodyMaxBytes: outputMaxBytes,
    followsRedirects: !definition.DisableRedirects,
  });
}

function basicAuthorization(userInfo: string): string {
  const [user = "", password = ""] = userInfo.split(/:(.*)/s);
  const plain = `${decode(user)}:${decode(password)}`;
  return `Basic ${Buffer.from(plain).toString("base64")}`;
}

function decode(text: string): string {
  return text.replace(/(?:%[0-9a-fA-F]{2})+/g, (escapes) =>
    Buffer.from(escapes.replaceAll("%", ""), "hex").toString(),
  );
}

/** Methods that carry a body say so even when it is empty. */
function contentLength(method: string, body: string): Record<string, string> {
  const said = body !== "" || ["POST", "PUT", "PATCH"].includes(method);
  return said ? { "content-length": String(Buffer.byteLength(body)) } : {};
}
