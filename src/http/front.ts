/**
 * The door: what is answered before any endpoint is looked for. Redirects to the clean path, refusals of what is no
 * URL, `/` itself, and every path that is no endpoint's.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { textBody } from "./body.ts";
import { emptyReply, reply, type Reply } from "./reply.ts";
import { respond } from "./respond.ts";
import { readTarget, type Destination, type Target, type TargetRules } from "./target.ts";

const PLAIN_MANNER = { extraHeaders: [], pretty: false, negotiates: false } as const;

/** @returns where to go, or undefined when the request has been answered */
export function passFront(
  request: IncomingMessage,
  response: ServerResponse,
  rules: TargetRules,
): Target | undefined {
  if (request.headers.host === undefined && request.httpVersionMinor === 1) {
    response.shouldKeepAlive = false;
    const text = "400 Bad Request: missing required Host header";
    void respond(request, response, reply(textBody(text), [], 400), PLAIN_MANNER);
    return undefined;
  }
  const destination = readTarget(request.url ?? "", rules);
  if (destination.kind === "target") return destination;
  void respond(request, response, answerAtDoor(destination, request, response), PLAIN_MANNER);
  return undefined;
}

function answerAtDoor(
  destination: Exclude<Destination, Target>,
  request: IncomingMessage,
  response: ServerResponse,
): Reply {
  switch (destination.kind) {
    case "redirect":
      return redirectReply(destination.location, request.method);
    case "unprintable":
      return emptyReply(400);
    case "asterisk":
      if (request.method === "OPTIONS") return emptyReply(200);
      response.shouldKeepAlive = false;
      return emptyReply(400);
    case "malformed":
      response.shouldKeepAlive = false;
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
function redirectReply(location: string, method: string | undefined): Reply {
  if (method !== "GET" && method !== "HEAD") return emptyReply(301, ["Location", location]);
  const escaped = location.replace(/[&<>"']/g, (char) => HTML_ESCAPES[char] ?? char);
  const html = textBody(
    `<a href="${escaped}">Moved Permanently</a>.\n\n`,
    "text/html; charset=utf-8",
  );
  return reply(html, ["Location", location], 301);
}

/** For paths that are no endpoint's. */
export function answerUnknown(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): void {
  const answer = path === "/" ? reply(textBody("Consul Agent")) : emptyReply(404);
  void respond(request, response, answer, PLAIN_MANNER);
}

const STATUS_LINES: Readonly<Record<string, string>> = {
  CONNECT: "405 Method Not Allowed",
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  HPE_INVALID_HEADER_TOKEN: "400 Bad Request: invalid header name",
};

/** The whole answer to what Node could not parse, in Go's words. The connection closes after it. */
export function malformedRequestAnswer(code: string | undefined): string {
  const line = STATUS_LINES[code ?? ""] ?? "400 Bad Request";
  return `HTTP/1.1 ${line}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${line}`;
}
