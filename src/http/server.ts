/**
 * The HTTP API on the agent's addresses.
 *
 * The streams come from the platform. Plain requests are answered in the fast lane (fast-lane.ts); everything else is
 * parsed by Node's HTTP server (node-lane.ts), which never listens by itself. Either way a request passes the front (front.ts), is
 * routed by its decoded path (router.ts), and is answered by the dispatcher (dispatch.ts). Bodies are left to the
 * handlers that want one.
 */
import type { Duplex } from "node:stream";
import type { IpAddress, SocketPath } from "../platform/index.ts";
import { Connections } from "./connections.ts";
import { Dispatcher } from "./dispatch.ts";
import type { Exchange } from "./exchange.ts";
import { FastLane } from "./fast-lane.ts";
import { answerUnknown, passFront } from "./front.ts";
import { dateHeader } from "./http-date.ts";
import { closeListeners, openListeners } from "./listeners.ts";
import type { HttpNeeds } from "./needs.ts";
import { NodeLane } from "./node-lane.ts";
import { Router } from "./router.ts";
import { ROUTES } from "./routes.ts";
import type { TargetRules } from "./target.ts";
import { Turns } from "./turns.ts";

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

  const listeners = await openListeners(needs, (stream, peer) => {
    if (connections.admit(stream, peer)) accept(stream, peer);
  });
  const close = async (): Promise<void> => {
    await connections[Symbol.asyncDispose]();
    await closeListeners(listeners);
  };
  let closing: Promise<void> | undefined;
  return {
    addresses: listeners.map((listener) => listener.address),
    [Symbol.asyncDispose]: () => (closing ??= close()),
  };
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
  const turns = new Turns(needs.platform.clock);
  const { maxHeaderBytes } = needs.config().http;
  const nodeLane = new NodeLane({ connections, turns, maxHeaderBytes, serve });
  const fastLane = new FastLane({
    connections,
    turns,
    date: dateHeader(() => needs.platform.clock.wallMs()),
    serve,
    handOver: (stream) => nodeLane.accept(stream),
  });
  return (stream, peer) => fastLane.accept(stream, peer);
}
