/** A whole HTTP server over faked servers, and a client that shows what came over the wire, byte for byte. */
import { testConfig } from "../config/testkit.ts";
import type { Duplex } from "node:stream";
import { gunzipSync } from "node:zlib";
import type { RuntimeConfig } from "../config/index.ts";
import { RollcallError } from "../errors/index.ts";
import type { DirEntry, HealthCheck, Node, NodeService } from "../model/index.ts";
import { BLANK_CHECK, BLANK_SERVICE } from "../model/index.ts";
import {
  noLogger,
  noMeter,
  type IpAddress,
  type LogFields,
  type Logger,
  type Meter,
  type Platform,
} from "../platform/index.ts";
import type { Delegate, MethodName, Methods, QueryMeta, Snapshots } from "../rpc/index.ts";
import type { HttpNeeds, LocalAgent, LocalService, LogSource } from "./needs.ts";
import { startHttpServer } from "./server.ts";

export type Handlers = {
  [M in MethodName]?: (
    args: Methods[M]["args"],
    signal: AbortSignal | undefined,
  ) => Methods[M]["reply"] | Promise<Methods[M]["reply"]>;
};

export const META: QueryMeta = { Index: 7, KnownLeader: true, LastContactMs: 0 };

/** Answers with what it is given; everything else is refused as Consul refuses an unknown datacenter. */
export function fakeDelegate(handlers: Handlers): Delegate & { readonly calls: unknown[] } {
  const calls: unknown[] = [];
  return {
    calls,
    async call(method, args, options) {
      calls.push([method, args]);
      const handler = handlers[method];
      if (handler === undefined) throw new RollcallError("dc/unknown");
      return handler(args, options?.signal);
    },
  };
}

export const aNode: Node = {
  ID: "11111111-1111-4111-8111-111111111111",
  Node: "node-a",
  Address: "10.0.0.1",
  Datacenter: "dc1",
  TaggedAddresses: { lan: "10.0.0.1" },
  Meta: null,
  CreateIndex: 5,
  ModifyIndex: 6,
};
export const aService: NodeService = { ...BLANK_SERVICE, ID: "web1", Service: "web", Port: 80 };
export const aCheck: HealthCheck = {
  ...BLANK_CHECK,
  Node: "node-a",
  CheckID: "alive",
  Name: "alive",
  Status: "passing",
};

export function anEntry(key: string, value: string): DirEntry {
  return {
    LockIndex: 0,
    Key: key,
    Flags: 0n,
    Value: value === "" ? null : Buffer.from(value),
    Session: "",
    CreateIndex: 7,
    ModifyIndex: 7,
  };
}

export interface FakeAgent extends LocalAgent {
  readonly log: unknown[];
  readonly localServices: Map<string, LocalService>;
  readonly localChecks: Map<string, HealthCheck>;
}

const NOTHING_MEASURED = { beginMs: 0, gauges: [], counters: [], samples: [] };

export function fakeAgent(overrides: Partial<LocalAgent> = {}): FakeAgent {
  const log: unknown[] = [];
  const localServices = new Map<string, LocalService>();
  const localChecks = new Map<string, HealthCheck>();
  const note =
    (name: string) =>
    async (...args: unknown[]): Promise<void> => {
      log.push([name, ...args]);
    };
  return {
    log,
    localServices,
    localChecks,
    services: () => localServices,
    checks: () => localChecks,
    registerService: note("registerService"),
    deregisterService: note("deregisterService"),
    registerCheck: note("registerCheck"),
    deregisterCheck: note("deregisterCheck"),
    updateTtl: note("updateTtl"),
    setNodeMaintenance: note("setNodeMaintenance"),
    setServiceMaintenance: note("setServiceMaintenance"),
    serviceChanged: note("serviceChanged"),
    fireEvent: async (event) => ({ ...event, ID: "", Version: 1, LTime: 0 }),
    events: () => [],
    eventsChanged: note("eventsChanged"),
    metrics: () => NOTHING_MEASURED,
    totalMetrics: () => NOTHING_MEASURED,
    join: note("join"),
    forceLeave: note("forceLeave"),
    members: () => [],
    datacenterMaps: async () => [],
    keyring: async () => [],
    self: () => ({ Config: { NodeName: "node-a" }, Coord: null }),
    reload: note("reload"),
    leave: note("leave"),
    ...overrides,
  };
}

export interface LoggedLine {
  readonly level: "debug" | "error";
  readonly message: string;
  readonly fields: LogFields;
}

export function recordingLogger(lines: LoggedLine[]): Logger {
  const logger: Logger = {
    ...noLogger,
    debug: (message, fields = {}) => lines.push({ level: "debug", message, fields }),
    error: (message, fields = {}) => lines.push({ level: "error", message, fields }),
    named: () => logger,
  };
  return logger;
}

export const TEST_CONFIG: RuntimeConfig = {
  ...testConfig,
  devMode: false,
  bootstrap: true,
  nodeName: "node-a",
  taggedAddresses: {},
  dnsAddrs: [],
  ports: { ...testConfig.ports, dns: -1, http: 0 },
  logLevel: "INFO",
};

export interface TestServer extends AsyncDisposable {
  readonly address: IpAddress;
  readonly delegate: ReturnType<typeof fakeDelegate>;
  readonly agent: FakeAgent;
  readonly lines: LoggedLine[];
  /** One request on a connection of its own. */
  send(request: WireRequest): Promise<WireResponse>;
  /** Bytes out; what came back until the server closed the connection or `until` was content. */
  exchange(bytes: string | Uint8Array, until?: (text: string) => boolean): Promise<string>;
  connect(): Promise<Duplex>;
}

export interface TestOptions {
  readonly platform: Platform;
  readonly handlers?: Handlers;
  readonly agent?: FakeAgent;
  readonly config?: Partial<RuntimeConfig>;
  readonly logs?: LogSource;
  readonly meter?: Meter;
  readonly snapshots?: Snapshots;
}
/** Nobody has any. */
const noSnapshots: Snapshots = {
  save: () => Promise.reject(new RollcallError("raft/no-leader")),
  restore: () => Promise.reject(new RollcallError("raft/no-leader")),
};

export async function startTestServer(options: TestOptions): Promise<TestServer> {
  const { platform } = options;
  const config = { ...TEST_CONFIG, ...options.config };
  const lines: LoggedLine[] = [];
  const delegate = fakeDelegate(options.handlers ?? {});
  const agent = options.agent ?? fakeAgent();
  const needs: HttpNeeds = {
    platform,
    logger: recordingLogger(lines),
    meter: options.meter ?? noMeter,
    logs: options.logs ?? { subscribe: () => ({ [Symbol.dispose]: () => {} }) },
    config: () => config,
    delegate,
    snapshots: options.snapshots ?? noSnapshots,
    agent,
    dnsSelection: ({ nodes, excluded }) => ({ kept: nodes, excluded, limit: "all" }),
  };
  const server = await startHttpServer(needs);
  const [address] = server.addresses;
  if (address === undefined || !("port" in address)) throw new Error("no address");
  const connect = (): Promise<Duplex> =>
    platform.network.connect(address, { signal: new AbortController().signal });
  const exchange = async (
    bytes: string | Uint8Array,
    until: (text: string) => boolean = () => false,
  ): Promise<string> => {
    const stream = await connect();
    stream.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
    return readStream(stream, until);
  };
  return {
    address,
    delegate,
    agent,
    lines,
    connect,
    exchange,
    send: async (request) => parseResponse(await exchange(requestText(request))),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

export function readStream(
  stream: Duplex,
  until: (text: string) => boolean = () => false,
): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (until(text)) stream.destroy();
    });
    stream.on("error", () => {});
    stream.on("close", () => resolve(text));
  });
}

export interface WireRequest {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}
export interface WireResponse {
  readonly status: number;
  /** In the letter case and order in which they came. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>;
  /** One character a byte, gzip undone. */
  readonly body: string;
}

export function requestText({ method = "GET", path, headers = {}, body }: WireRequest): string {
  const given = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = body === undefined ? "" : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  const head = `${method} ${path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n`;
  const bytes = Buffer.from(body ?? "", "utf8").toString("latin1");
  return `${head}${given.join("")}${length}\r\n${bytes}`;
}

/** @throws {Error} for what is no complete HTTP response, whose length must be given */
export function parseResponse(text: string): WireResponse {
  const end = text.indexOf("\r\n\r\n");
  const [statusLine = "", ...fields] = text.slice(0, Math.max(end, 0)).split("\r\n");
  const status = /^HTTP\/1\.1 (\d{3}) [^\r\n]+$/.exec(statusLine)?.[1];
  if (end === -1 || status === undefined) throw new Error(`no HTTP response: ${text}`);
  const headers = fields.map((field) => {
    const colon = field.indexOf(": ");
    if (colon === -1) throw new Error(`no header: ${field}`);
    return [field.slice(0, colon), field.slice(colon + 2)] as const;
  });
  const body = text.slice(end + 4);
  const length = headerOf({ headers }, "content-length");
  if (length !== undefined && body.length > 0 && body.length !== Number(length)) {
    throw new Error(`${body.length} bytes of ${length}`);
  }
  const isGzip = headerOf({ headers }, "content-encoding") === "gzip";
  return {
    status: Number(status),
    headers,
    body: isGzip ? gunzipSync(Buffer.from(body, "latin1")).toString("latin1") : body,
  };
}

export function headerOf(
  { headers }: Pick<WireResponse, "headers">,
  name: string,
): string | undefined {
  return headers.find(([given]) => given.toLowerCase() === name.toLowerCase())?.[1];
}
