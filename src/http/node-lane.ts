/**
 * The lane for everything: Node's HTTP server, which never listens by itself but is handed connections whose next
 * request is not certainly plain (fast-lane.ts).
 *
 * Node begins all requests that come in one piece, whether their answers are read or not. Here they wait for each
 * other, and each but the first for a turn of its own (turns.ts); and Node is given a piece with many heads a few at a
 * time, none as long as requests wait.
 */
import { createServer, type Server } from "node:http";
import type { Duplex } from "node:stream";
import type { Connections } from "./connections.ts";
import type { Exchange } from "./exchange.ts";
import { malformedRequestAnswer } from "./front.ts";
import { NodeExchange } from "./node-exchange.ts";
import type { Turns } from "./turns.ts";

/** As many requests, at most, wait for one that is being answered. */
const HEADS_AT_ONCE = 16;

export interface NodeLaneNeeds {
  readonly connections: Connections;
  readonly turns: Turns;
  readonly maxHeaderBytes: number;
  readonly serve: (exchange: Exchange) => void;
}

export class NodeLane {
  readonly #needs: NodeLaneNeeds;
  readonly #server: Server;
  /** Requests that wait for the one before them. */
  readonly #waiting = new WeakMap<Duplex, Array<() => void>>();

  constructor(needs: NodeLaneNeeds) {
    this.#needs = needs;
    this.#server = this.#createServer();
  }

  accept(stream: Duplex): void {
    this.#server.emit("connection", stream);
    const parse = stream.listeners("data").at(-1) as (bytes: Buffer) => void;
    stream.off("data", parse);
    stream.on("data", (bytes: Buffer) => this.#parse(stream, bytes, parse));
  }

  #parse(stream: Duplex, bytes: Buffer, parse: (bytes: Buffer) => void): void {
    const end = this.#hasWaiting(stream) ? 0 : endOfHeads(bytes, HEADS_AT_ONCE);
    if (end > 0) parse(bytes.subarray(0, end));
    if (end === bytes.length || stream.destroyed) return;
    // Node itself pauses a stream whose answers are not read, and resumes it when they are.
    const isOurs = !stream.isPaused();
    stream.pause();
    stream.unshift(bytes.subarray(end));
    if (isOurs && !this.#hasWaiting(stream)) this.#needs.turns.take(() => stream.resume());
  }

  #createServer(): Server {
    const { connections, maxHeaderBytes, serve } = this.#needs;
    const server = createServer({
      maxHeaderSize: maxHeaderBytes,
      requireHostHeader: false,
      keepAlive: false,
    });
    // What came before the end is answered; connections.ts says what is not.
    Object.assign(server, { httpAllowHalfOpen: true });
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
      stream.removeAllListeners("data");
      stream.end(malformedRequestAnswer("CONNECT"));
    });
    server.on("request", (request, response) => {
      const { socket } = request;
      const begun = connections.requestBegun(socket);
      response.once("close", () => {
        connections.requestDone(socket);
        this.#serveNext(socket);
      });
      const act = (): void => serve(new NodeExchange(request, response, connections));
      if (begun <= 1) act();
      else this.#wait(socket, act);
    });
    return server;
  }

  #hasWaiting(socket: Duplex): boolean {
    return (this.#waiting.get(socket)?.length ?? 0) > 0;
  }

  #wait(socket: Duplex, act: () => void): void {
    const waiting = this.#waiting.get(socket);
    if (waiting === undefined) this.#waiting.set(socket, [act]);
    else waiting.push(act);
  }

  #serveNext(socket: Duplex): void {
    const act = socket.destroyed ? undefined : this.#waiting.get(socket)?.shift();
    if (act === undefined) return;
    this.#needs.turns.take(() => {
      act();
      if (!this.#hasWaiting(socket)) socket.resume();
    });
  }
}

/** @returns where the last of so many heads ends, or the end of all bytes; what looks like one in a body counts too */
function endOfHeads(bytes: Buffer, count: number): number {
  let end = 0;
  for (let i = 0; i < count; i++) {
    const found = bytes.indexOf("\r\n\r\n", end, "latin1");
    if (found === -1) return bytes.length;
    end = found + 4;
  }
  return end;
}
