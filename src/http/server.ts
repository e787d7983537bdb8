/**
 * The HTTP API on the agent's addresses.
 *
 * Fastify routes, Node parses, and the streams come from the platform: the server never listens by itself. A request
 * passes the front (front.ts), is routed by its decoded path, and is answered by the dispatcher (dispatch.ts). Bodies
 * are left to the handlers that want one.
 */
import {
  createServer,
  IncomingMessage,
  METHODS,
  type Server,
  type ServerResponse,
} from "node:http";
import type { Duplex } from "node:stream";
import fastify, { type FastifyInstance } from "fastify";
import type { IpAddress, SocketPath, StreamListener } from "../platform/index.ts";
import { Connections } from "./connections.ts";
import { Dispatcher } from "./dispatch.ts";
import { answerUnknown, malformedRequestAnswer, passFront } from "./front.ts";
import type { HttpNeeds } from "./needs.ts";
import { ROUTES } from "./routes.ts";
import type { Target, TargetRules } from "./target.ts";

const UNIX_PREFIX = "unix://";
const NO_PEER: IpAddress = { host: "", port: 0 };

export interface HttpServer extends AsyncDisposable {
  readonly addresses: ReadonlyArray<IpAddress | SocketPath>;
}

/**
 * Disposing it stops listening, lets answers under way finish for a second, and closes the connections.
 *
 * @throws {RollcallError} `net/bind` when one of the addresses cannot be had; the others are given up again
 */
export async function startHttpServer(needs: HttpNeeds): Promise<HttpServer> {
  const connections = new Connections({
    clock: needs.platform.clock,
    maxPerClient: () => needs.config().limits.httpMaxConnsPerClient,
  });
  const { app, server } = buildApp(needs, connections);
  await app.ready();

  const listeners: StreamListener[] = [];
  const close = async (): Promise<void> => {
    await connections[Symbol.asyncDispose]();
    await Promise.all(listeners.map((listener) => listener[Symbol.asyncDispose]()));
    await app.close();
  };
  try {
    for (const local of localAddresses(needs)) {
      const listener = await needs.platform.network.listen(local, (stream, peer) => {
        if (connections.admit(stream, peer)) server.emit("connection", stream);
      });
      listeners.push(listener);
    }
  } catch (error) {
    await close();
    throw error;
  }
  let closing: Promise<void> | undefined;
  return {
    addresses: listeners.map((listener) => listener.address),
    [Symbol.asyncDispose]: () => (closing ??= close()),
  };
}

function localAddresses(needs: HttpNeeds): ReadonlyArray<IpAddress | SocketPath> {
  const { httpAddrs, ports } = needs.config();
  return httpAddrs.flatMap((address): ReadonlyArray<IpAddress | SocketPath> => {
    if (address.startsWith(UNIX_PREFIX)) return [{ path: address.slice(UNIX_PREFIX.length) }];
    return ports.http < 0 ? [] : [{ host: address, port: ports.http }];
  });
}

/** Carries what the front found on to the router and the handler. */
class ApiRequest extends IncomingMessage {
  target: Target | undefined = undefined;
}

function buildApp(
  needs: HttpNeeds,
  connections: Connections,
): { readonly app: FastifyInstance; readonly server: Server } {
  const server = createServer({
    IncomingMessage: ApiRequest,
    maxHeaderSize: needs.config().http.maxHeaderBytes,
    requireHostHeader: false,
    keepAlive: false,
  });
  // Node's own timers would need a listening server; connections.ts keeps watch instead.
  server.timeout = 0;
  server.keepAliveTimeout = 0;
  server.headersTimeout = 0;
  server.requestTimeout = 0;
  server.on("clientError", (error: NodeJS.ErrnoException, stream: Duplex) => {
    if (stream.writable && connections.isIdle(stream)) {
      stream.end(malformedRequestAnswer(error.code));
    } else {
      stream.destroy();
    }
  });
  server.on("connect", (_request, stream: Duplex) => {
    stream.end(malformedRequestAnswer("CONNECT"));
  });

  const rules: TargetRules = {
    prefixes: new Set(
      ROUTES.filter((route) => route.parameter !== undefined).map((route) => route.prefix),
    ),
    get allowUnprintable() {
      return needs.config().http.disableUnprintableCharFilter;
    },
  };
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    rewriteUrl: (request) =>
      (request instanceof ApiRequest ? request.target?.routingPath : undefined) ?? "/",
    serverFactory: (route) =>
      server.on("request", (request: IncomingMessage, response: ServerResponse) => {
        const { socket } = request;
        connections.requestBegun(socket);
        response.once("close", () => connections.requestDone(socket));
        const target = passFront(request, response, rules);
        if (target === undefined || !(request instanceof ApiRequest)) return;
        request.target = target;
        route(request, response);
      }),
  });
  addRoutes(app, new Dispatcher(needs), connections);
  return { app, server };
}

function addRoutes(app: FastifyInstance, dispatcher: Dispatcher, connections: Connections): void {
  // Fastify reads the bodies of methods that it takes to have one. Ours are read by the handlers.
  for (const method of METHODS) {
    app.addHttpMethod(method, { hasBody: false, overrideExisting: true });
  }
  for (const route of ROUTES) {
    app.route({
      method: METHODS,
      url: route.parameter === undefined ? route.path : `${route.prefix}*`,
      handler({ raw: request }, reply) {
        reply.hijack();
        if (!(request instanceof ApiRequest) || request.target === undefined) return;
        void dispatcher.handle(route, {
          request,
          response: reply.raw,
          target: request.target,
          peer: connections.peerOf(request.socket) ?? NO_PEER,
          onHold: () => connections.hold(request.socket),
        });
      },
    });
  }
  app.setNotFoundHandler(({ raw: request }, reply) => {
    reply.hijack();
    const path = request instanceof ApiRequest ? request.target?.path : undefined;
    answerUnknown(request, reply.raw, path ?? "");
  });
}
