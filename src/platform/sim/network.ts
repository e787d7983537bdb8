/**
 * A network inside this process: enough for checks, HTTP and DNS in virtual time.
 *
 * Everything arrives, in order, without virtual time passing, until a test asks for something else: nobody
 * listens, the address is taken, a host keeps silent, and what `links` can do to what travels between hosts.
 * Several platforms can share one network: each then binds addresses of its own, as several agents on one
 * machine do, or has a host of its own (`at`). TLS is not spoken: both ends see the plain bytes.
 */
import type { Duplex } from "node:stream";
import {
  bindError,
  dialError,
  errnoError,
  hostPort,
  lookupError,
  refusedDatagramError,
} from "../go-errors.ts";
import type {
  Accept,
  DatagramSocket,
  IpAddress,
  Network,
  NetworkInterface,
  Receive,
  SocketPath,
  StreamListener,
} from "../platform.ts";
import type { SimLinks } from "./links.ts";
import { streamPair, type Lane } from "./stream.ts";

const FIRST_FREE_PORT = 49_152;
const LAST_PORT = 65_535;
const DATAGRAM_MAX_BYTES = 65_507;

interface Bound<T> {
  readonly address: IpAddress;
  readonly receiver: T;
}

export class SimNetwork implements Network {
  /** What happens to what travels from host to host. */
  readonly links: SimLinks;
  readonly #wire: Wire;
  /** Where this machine's packets come from; without it, each address is taken for a host of its own. */
  readonly #host: string | undefined;
  readonly #interfaces: NetworkInterface[] = [{ name: "lo", address: "127.0.0.1", internal: true }];

  constructor(links: SimLinks, wire = new Wire(), host?: string) {
    this.links = links;
    this.#wire = wire;
    this.#host = host;
    if (host !== undefined) this.addInterface({ name: "eth0", address: host, internal: false });
  }

  /** The same network as the machine with the address `host` has it. */
  at(host: string): SimNetwork {
    return new SimNetwork(this.links, this.#wire, host);
  }

  async bindDatagram(local: IpAddress, receive: Receive): Promise<DatagramSocket> {
    await Promise.resolve();
    const from = { host: "", port: 0 };
    const receiver: Receive = (bytes, sender) => {
      from.host = sender.host;
      from.port = sender.port;
      receive(bytes, from);
    };
    const { datagrams, silent } = this.#wire;
    const bound = datagrams.bind("udp", local, receiver);
    return {
      address: bound.address,
      send: (bytes, to) => {
        if (!datagrams.holds(bound) || bytes.byteLength > DATAGRAM_MAX_BYTES) return;
        const copy = Buffer.from(bytes);
        const target = { host: to.host, port: to.port };
        const sender = { host: this.#sourceOf(bound.address, target), port: bound.address.port };
        const packet = {
          kind: "datagram" as const,
          from: sender.host,
          to: target.host,
          bytes: copy.length,
        };
        this.links.sendDatagram(packet, () => {
          if (!silent.has(target.host)) datagrams.find(target)?.(copy.slice(), sender);
        });
      },
      [Symbol.asyncDispose]: async () => datagrams.release(bound),
    };
  }

  async listen(local: IpAddress | SocketPath, accept: Accept): Promise<StreamListener> {
    await Promise.resolve();
    const { paths, listeners } = this.#wire;
    const incoming = new Incoming(accept);
    if ("path" in local) {
      if (paths.has(local.path)) throw bindError("tcp", local, errnoError("EADDRINUSE"));
      paths.set(local.path, incoming);
      return incoming.listener(local, () => paths.delete(local.path));
    }
    const bound = listeners.bind("tcp", local, incoming);
    return incoming.listener(bound.address, () => listeners.release(bound));
  }

  async connect(
    remote: IpAddress | SocketPath,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Duplex> {
    signal.throwIfAborted();
    await Promise.resolve();
    signal.throwIfAborted();
    const { paths, listeners, silent } = this.#wire;
    if ("path" in remote) {
      const incoming = paths.get(remote.path);
      if (incoming === undefined) throw dialError(remote, errnoError("ENOENT"));
      return incoming.open({ host: "", port: 0 }, this.links.lane("", ""), this.links.lane("", ""));
    }
    const target = { host: this.#resolve(remote.host), port: remote.port };
    if (silent.has(target.host)) await aborted(signal);
    const host = this.#sourceOf({ host: "0.0.0.0", port: 0 }, target);
    const there = this.links.lane(host, target.host);
    const back = this.links.lane(target.host, host);
    if (host !== target.host) {
      await arrival(there, signal);
      await arrival(back, signal);
    }
    const incoming = listeners.find(target);
    if (incoming === undefined) throw dialError(target, errnoError("ECONNREFUSED"));
    return incoming.open({ host, port: listeners.freePort(host) }, back, there);
  }

  async resolve(host: string): Promise<string> {
    return this.#resolve(host, "udp");
  }

  async exchangeDatagram(
    remote: IpAddress,
    bytes: Uint8Array,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Uint8Array> {
    signal.throwIfAborted();
    await Promise.resolve();
    const target = { host: this.#resolve(remote.host, "udp"), port: remote.port };
    const { datagrams, silent } = this.#wire;
    const isRefused = !silent.has(target.host) && datagrams.find(target) === undefined;
    if (isRefused) throw refusedDatagramError(target, errnoError("ECONNREFUSED"));
    let answered: Receive = () => {};
    const local = { host: this.#sourceOf({ host: "0.0.0.0", port: 0 }, target), port: 0 };
    const socket = await this.bindDatagram(local, (answer, from) => {
      if (from.host === target.host && from.port === target.port) answered(answer, from);
    });
    try {
      const answer = new Promise<Uint8Array>((resolve) => (answered = resolve));
      socket.send(bytes, target);
      return await Promise.race([answer, aborted(signal)]);
    } finally {
      await socket[Symbol.asyncDispose]();
    }
  }

  interfaces(): readonly NetworkInterface[] {
    return [...this.#interfaces];
  }

  addInterface(added: NetworkInterface): void {
    this.#interfaces.push(added);
  }

  /** Lets `connect` find `name`; only localhost is known otherwise. */
  addName(name: string, address: string): void {
    this.#wire.names.set(name, address);
  }

  /** Until disposed, who connects to `host` waits for their signal, and datagrams to it vanish. */
  silence(host: string): Disposable {
    const { silent } = this.#wire;
    silent.add(host);
    return { [Symbol.dispose]: () => silent.delete(host) };
  }

  #resolve(host: string, kind: "tcp" | "udp" = "tcp"): string {
    if (isAddress(host)) return host;
    const address = this.#wire.names.get(host);
    if (address === undefined) throw lookupError(host, { code: "ENOTFOUND" }, kind);
    return address;
  }

  /** The address that a system picks for a socket that has none of its own. */
  #sourceOf(local: IpAddress, target: IpAddress): string {
    if (!isWildcard(local.host)) return local.host;
    if (target.host.startsWith("127.")) return "127.0.0.1";
    return this.#host ?? target.host;
  }
}

/** Who listens where, on all machines. */
class Wire {
  readonly names = new Map([["localhost", "127.0.0.1"]]);
  readonly silent = new Set<string>();
  readonly datagrams = new PortTable<Receive>();
  readonly listeners = new PortTable<Incoming>();
  readonly paths = new Map<string, Incoming>();
}

/** What a listener holds: whom to tell of a stream, and the streams that end with it. */
class Incoming {
  readonly #accept: Accept;
  readonly #streams = new Set<Duplex>();

  constructor(accept: Accept) {
    this.#accept = accept;
  }

  open(peer: IpAddress, ourLane: Lane, theirLane: Lane): Duplex {
    const [ours, theirs] = streamPair(ourLane, theirLane);
    this.#streams.add(ours);
    ours.on("close", () => this.#streams.delete(ours));
    queueMicrotask(() => {
      if (!ours.destroyed) this.#accept(ours, peer);
    });
    return theirs;
  }

  listener(address: IpAddress | SocketPath, release: () => void): StreamListener {
    return {
      address,
      [Symbol.asyncDispose]: async () => {
        release();
        const closed = [...this.#streams].map((stream) => {
          return new Promise((resolve) => stream.destroy().once("close", resolve));
        });
        await Promise.all(closed);
      },
    };
  }
}

/** Who has which port, with the rules of wildcard addresses. */
class PortTable<T> {
  readonly #bound = new Map<string, Bound<T>>();
  #nextFree = FIRST_FREE_PORT;

  bind(kind: "tcp" | "udp", local: IpAddress, receiver: T): Bound<T> {
    if (!isAddress(local.host)) throw bindError(kind, local, errnoError("EINVAL"));
    const address = { host: local.host, port: local.port || this.freePort(local.host) };
    if (this.#isTaken(address)) throw bindError(kind, local, errnoError("EADDRINUSE"));
    const bound = { address, receiver };
    this.#bound.set(hostPort(address), bound);
    return bound;
  }

  holds(bound: Bound<T>): boolean {
    return this.#bound.get(hostPort(bound.address)) === bound;
  }

  release(bound: Bound<T>): void {
    if (this.holds(bound)) this.#bound.delete(hostPort(bound.address));
  }

  find({ host, port }: IpAddress): T | undefined {
    const wildcards = host.includes(":") ? ["::"] : ["0.0.0.0", "::"];
    for (const name of [host, ...wildcards]) {
      const bound = this.#bound.get(hostPort({ host: name, port }));
      if (bound !== undefined) return bound.receiver;
    }
    return undefined;
  }

  freePort(host: string): number {
    for (let tries = FIRST_FREE_PORT; tries <= LAST_PORT; tries += 1) {
      const port = this.#nextFree;
      this.#nextFree = port === LAST_PORT ? FIRST_FREE_PORT : port + 1;
      if (!this.#isTaken({ host, port })) return port;
    }
    throw bindError("tcp", { host, port: 0 }, errnoError("EADDRINUSE"));
  }

  #isTaken(address: IpAddress): boolean {
    if (this.find(address) !== undefined) return true;
    if (!isWildcard(address.host)) return false;
    return [...this.#bound.values()].some(({ address: other }) => {
      const sameFamily = address.host === "::" || !other.host.includes(":");
      return other.port === address.port && sameFamily;
    });
  }
}

function isAddress(host: string): boolean {
  return host.includes(":") || /^\d+\.\d+\.\d+\.\d+$/.test(host);
}

function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

/** When a segment without bytes has travelled, as those that open a connection do. */
function arrival(lane: Lane, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    lane(0, resolve);
  });
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
