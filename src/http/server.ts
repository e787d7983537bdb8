/**
 * The HTTP API on the agent's addresses.
 *
 * The streams come from the platform. Plain requests are answered in the fast lane (fast-lane.ts); everything else is
 * parsed by Node's HTTP server, which never listens by itself. Either way a request passes the front (front.ts), is
 * routed by its decoded path (router.ts), and is answered by the dispatcher (dispatch.ts). Bodies are left to the
 * handlers that want one.
 */
import { createServer, type Server } from "node:http";
import type { Duplex } from "node:stream";
import type { IpAddress, SocketPath, StreamListener } from "../platform/index.ts";
import { Connections } from "./connections.ts";
import { Dispatcher } from "./dispatch.ts";
import type { Exchange } from "./exchange.ts";
import { FastLane } from "./fast-lane.ts";
import { answerUnknown, malformedRequestAnswer, passFront } from "./front.ts";
import { dateHeader } from "./http-date.ts";
import type { HttpNeeds } from "./needs.ts";
import { NodeExchange } from "./node-exchange.ts";
import { Router } from "./router.ts";
import { ROUTES } from "./routes.ts";
import type { TargetRules } from "./target.ts";

const UNIX_PREFIX = "unix://";
/**
 * Requests that a client may send before it has the first one's answer. Node's server begins all that come in one
 * piece, whether the client reads or not; who sends more is cut off.
 */
const PIPELINED_MAX = 32;

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
  const accept = lanes(needs, connections);

  const listeners: StreamListener[] = [];
  const close = async (): Promise<void> => {
    await connections[Symbol.asyncDispose]();
    await Promise.all(listeners.map((listener) => listener[Symbol.asyncDispose]()));
  };
  try {
    for (const local of localAddresses(needs)) {
      const listener = await needs.platform.network.listen(local, (stream, peer) => {
        if (connections.admit(stream, peer)) accept(stream, peer);
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

/** Both lanes, with the same answers at their ends. */
function lanes(
  needs: HttpNeeds,
  connections: Connections,
): (stream: Duplex, peer: IpAddress) => void {
  const router = new Router(ROUTES);
  const dispatcher = new Dispatcher(needs);
  const rules: TargetRules = {
    prefixes: router.prefixes(),
    get allowUnprintable() {
      return needs.config().http.disableUnprintableCharFilter;
    },
  };
  const serve = (exchange: Exchange): void => {
    const target = passFront(exchange, rules);
    if (target === undefined) return;
    const route = router.find(target.path);
    if (route === undefined) answerUnknown(exchange, target.path);
    else void dispatcher.handle(route, exchange, target);
  };
  const server = nodeServer(needs, connections, serve);
  const fastLane = new FastLane({
    connections,
    date: dateHeader(() => needs.platform.clock.wallMs()),
    serve,
    handOver: (stream) => server.emit("connection", stream),
  });
  return (stream, peer) => fastLane.accept(stream, peer);
}

function nodeServer(
  needs: HttpNeeds,
  connections: Connections,
  serve: (exchange: Exchange) => void,
): Server {
  const server = createServer({
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
  server.on("request", (request, response) => {
    const { socket } = request;
    if (connections.requestBegun(socket) > PIPELINED_MAX) {
      socket.destroy();
      return;
    }
    response.once("close", () => connections.requestDone(socket));
    serve(new NodeExchange(request, response, connections));
  });
  return server;
}
