/**
 * The door: what is answered before any endpoint is looked for. Redirects to the clean path, refusals of what is no
 * URL, `/` itself, and every path that is no endpoint's.
 */
import { textBody } from "./body.ts";
import type { Exchange } from "./exchange.ts";
import { emptyReply, reply, type Reply } from "./reply.ts";
import { respond } from "./respond.ts";
import { readTarget, type Destination, type Target, type TargetRules } from "./target.ts";

const PLAIN_MANNER = { extraHeaders: [], pretty: false, negotiates: false } as const;

/** @returns where to go, or undefined when the request has been answered */
export function passFront(exchange: Exchange, rules: TargetRules): Target | undefined {
  if (exchange.headers.host === undefined && exchange.httpVersionMinor === 1) {
    exchange.closeAfter();
    const text = "400 Bad Request: missing required Host header";
    void respond(exchange, reply(textBody(text), [], 400), PLAIN_MANNER);
    return undefined;
  }
  const destination = readTarget(exchange.url, rules);
  if (destination.kind === "target") return destination;
  void respond(exchange, answerAtDoor(destination, exchange), PLAIN_MANNER);
  return undefined;
}

function answerAtDoor(destination: Exclude<Destination, Target>, exchange: Exchange): Reply {
  switch (destination.kind) {
    case "redirect":
      return redirectReply(destination.location, exchange.method);
    case "unprintable":
      return emptyReply(400);
    case "asterisk":
      if (exchange.method === "OPTIONS") return emptyReply(200);
      exchange.closeAfter();
      return emptyReply(400);
    case "malformed":
      exchange.closeAfter();
      return reply(textBody("400 Bad Request"), [], 400);
  }
}

const HTML_ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "'": "&#39;",
};

/** As Go's http.Redirect: a line of HTML for those who read it. */
function redirectReply(location: string, method: string): Reply {
  if (method !== "GET" && method !== "HEAD") return emptyReply(301, ["Location", location]);
  const escaped = location.replace(/[&<>"']/g, (char) => HTML_ESCAPES[char] ?? char);
  const html = textBody(
    `<a href="${escaped}">Moved Permanently</a>.\n\n`,
    "text/html; charset=utf-8",
  );
  return reply(html, ["Location", location], 301);
}

/** For paths that are no endpoint's. */
export function answerUnknown(exchange: Exchange, path: string): void {
  const answer = path === "/" ? reply(textBody("Consul Agent")) : emptyReply(404);
  void respond(exchange, answer, PLAIN_MANNER);
}

const STATUS_LINES: Readonly<Record<string, string>> = {
  CONNECT: "405 Method Not Allowed",
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  HPE_INVALID_HEADER_TOKEN: "400 Bad Request: invalid header name",
};

/**
 * The whole answer to what could not be parsed, in Go's words. The connection closes after it.
 *
 * @param code Node's, of the mistake
 */
export function malformedRequestAnswer(code = ""): string {
  const line = STATUS_LINES[code] ?? "400 Bad Request";
  return `HTTP/1.1 ${line}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${line}`;
}
