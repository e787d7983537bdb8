/**
 * The outside world as a parameter: time, chance, network, disk and child processes.
 *
 * Nothing outside this folder (and `main.ts`, which builds the real one) touches a clock, a timer, a
 * random source, a socket, a file or a process; a lint rule keeps it so. There are two platforms:
 * `node/` is real, `sim/` is deterministic. `conformance.ts` holds both to the promises written here.
 */
import type { Duplex } from "node:stream";

/** Milliseconds on a clock that never jumps. Its origin is arbitrary: only differences mean anything. */
export type Instant = number & { readonly __brand: "Instant" };

export interface Clock {
  now(): Instant;
  /** Milliseconds since 1970 UTC. It can jump, so it only goes into what people read. */
  wallMs(): number;
  /**
   * Calls `fire` once, `delayMs` from now or later, never before this returns; `Infinity` never fires. With 0 it
   * is next after whatever has arrived by now. Dispose to cancel; twice is harmless.
   */
  after(delayMs: number, fire: () => void): Disposable;
}

export interface Random {
  /** Uniform in [0, 1). */
  float(): number;
  /** Unpredictable bytes on the real platform, reproducible ones in simulation. */
  bytes(count: number): Uint8Array;
  /**
   * An independent stream, so that one component's extra draw does not shift another's. Asking again with
   * the same label gives another stream.
   */
  fork(label: string): Random;
}

/** `host` is an IP address (no names: resolving is the caller's decision). Port 0 binds to a free one. */
export interface IpAddress {
  readonly host: string;
  readonly port: number;
}
export interface SocketPath {
  readonly path: string;
  /** Of the file that a listener makes. */
  readonly access?: SocketAccess;
}
/** Each "" where the system's own choice will do. */
export interface SocketAccess {
  /** A name or a number. */
  readonly user: string;
  /** A number. */
  readonly group: string;
  /** In octal. */
  readonly mode: string;
}

export interface DatagramSocket extends AsyncDisposable {
  readonly address: IpAddress;
  /** Sends or drops; never throws for a peer's sake. The caller must not touch `bytes` afterwards. */
  send(bytes: Uint8Array, to: IpAddress): void;
}
/** `bytes` belongs to the receiver from then on. `from` may be reused: copy what you keep. */
export type Receive = (bytes: Uint8Array, from: IpAddress) => void;

/** Disposing it frees the address and destroys the streams that it accepted; then it resolves. */
export interface StreamListener extends AsyncDisposable {
  readonly address: IpAddress | SocketPath;
}
/** `peer` is an IPv4 address where the caller has one, `{ host: "", port: 0 }` on a socket path. */
export type Accept = (stream: Duplex, peer: IpAddress) => void;

/**
 * Streams, accepted or connected: once the peer has ended its side ours ends too (not half open), and an
 * "error" that nobody listens to does no harm, as "close" follows it.
 */
export interface Network {
  /**
   * Datagrams may be lost, repeated or reordered.
   * @throws {RollcallError} `net/bind`, with the reason in Go's wording (`bind: address already in use`)
   */
  bindDatagram(local: IpAddress, receive: Receive): Promise<DatagramSocket>;
  /** @throws {RollcallError} `net/bind`; also where a socket's file cannot be given to whom it is for */
  listen(local: IpAddress | SocketPath, accept: Accept): Promise<StreamListener>;
  /**
   * Host names are resolved. The caller destroys the stream; its errors reach the stream's "error" event.
   * @throws {RollcallError} `net/dial`, worded as Go's dialer does
   *   (`dial tcp 127.0.0.1:1: connect: connection refused`), or the signal's reason
   */
  connect(
    remote: IpAddress | SocketPath,
    options: { readonly signal: AbortSignal; readonly tls?: TlsOptions },
  ): Promise<Duplex>;
  /**
   * Sends one datagram and resolves with the first that comes back from there. Host names are resolved.
   * @throws {RollcallError} `net/dial` when the name is unknown or the peer's machine refuses
   *   (`read udp 127.0.0.1:1: read: connection refused`), or the signal's reason
   */
  exchangeDatagram(
    remote: IpAddress,
    bytes: Uint8Array,
    options: { readonly signal: AbortSignal },
  ): Promise<Uint8Array>;
  /**
   * The first address of a host name; an address is its own.
   * @throws {RollcallError} `net/dial` when the name is unknown
   */
  resolve(host: string): Promise<string>;
  /** This machine's addresses, loopback included. */
  interfaces(): readonly NetworkInterface[];
}
export interface TlsOptions {
  readonly serverName?: string;
  readonly skipVerify?: boolean;
  /** PEM texts. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Protocols to offer, best first. */
  readonly alpn?: readonly string[];
}
export interface NetworkInterface {
  readonly name: string;
  readonly address: string;
  /** Length of its network's prefix, where that is known. */
  readonly prefixBits?: number;
  readonly internal: boolean;
}

export interface DiskEntry {
  readonly name: string;
  readonly kind: "file" | "directory" | "other";
}
/** Paths are the platform's own. A missing file is `undefined`, any other failure throws `disk/failed`. */
export interface Disk {
  read(path: string): Promise<Uint8Array | undefined>;
  /** Sorted by name (by code unit); symbolic links are followed, and one that leads nowhere is "other". */
  list(path: string): Promise<readonly DiskEntry[] | undefined>;
  /**
   * Replaces the file's content. A crash before this resolves leaves the old or the new, never a mixture, and
   * perhaps a `<name>.<unique>.tmp` beside it; after it has resolved, the new. `mode` is 0o600 if not given.
   */
  replace(path: string, bytes: Uint8Array, options?: { readonly mode?: number }): Promise<void>;
  /** Creates missing parents too. One that is there is no error. */
  makeDirectory(path: string): Promise<void>;
  /** A file that is not there is no error. Once this resolves, a crash does not bring the file back. */
  remove(path: string): Promise<void>;
  /** Of an empty directory; one that is not there is no error. */
  removeDirectory(path: string): Promise<void>;
  /** Opens for reading and writing, creating it if need be. */
  open(path: string): Promise<DiskFile>;
}
export interface DiskFile extends AsyncDisposable {
  readonly sizeBytes: number;
  /** Bytes that exist from `offset`, at most `count`; fewer at the end of the file. */
  read(offset: number, count: number): Promise<Uint8Array>;
  write(offset: number, bytes: Uint8Array): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  /**
   * Once this resolves, earlier writes survive power loss. Until then each may be kept, lost or torn.
   * A failure is final: later calls fail too, as the kernel may have thrown the writes away.
   */
  sync(): Promise<void>;
}

export interface ProcessRequest {
  /** argv[0] is looked up in PATH. */
  readonly argv: readonly [string, ...string[]];
  /** Added to the agent's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: Uint8Array;
  /** Only the last so many bytes of stdout and stderr together are kept. */
  readonly outputMaxBytes: number;
  /** On abort the process and its children are killed. */
  readonly signal: AbortSignal;
}
/** `code` is -1 if a signal ended the process; "killed" means by the request's own signal. */
export type ProcessResult =
  | Readonly<{ kind: "exit"; code: number; output: Uint8Array; outputTotalBytes: number }>
  | Readonly<{ kind: "killed"; output: Uint8Array; outputTotalBytes: number }>
  /** Could not be started; `message` as Go words it (`fork/exec /no/such: no such file or directory`). */
  | Readonly<{ kind: "unstartable"; message: string }>;

export interface Processes {
  run(request: ProcessRequest): Promise<ProcessResult>;
}

/** What the machine and this process have and use at a moment. Unknown amounts are 0. */
export interface HostUsage {
  readonly uptimeS: number;
  readonly kernelVersion: string;
  /** As `uname -m` has it: x86_64. */
  readonly kernelArch: string;
  readonly memoryTotalBytes: number;
  readonly memoryFreeBytes: number;
  readonly cpus: readonly { readonly model: string; readonly mhz: number }[];
  /** Of this process: objects that live, and all that it has of the system. */
  readonly heapUsedBytes: number;
  readonly residentBytes: number;
}

export interface Host {
  readonly hostname: string;
  /** Of this process. */
  readonly pid: number;
  /** Go's names: linux, darwin, windows; amd64, arm64. */
  readonly os: string;
  readonly arch: string;
  readonly cpuCount: number;
  usage(): HostUsage;
  env(name: string): string | undefined;
  /** How far local time is ahead of UTC at that instant, summer time included: only for what people read. */
  zoneOffsetMinutes(wallMs: number): number;
}

export interface Platform {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly disk: Disk;
  readonly processes: Processes;
  readonly host: Host;
}
