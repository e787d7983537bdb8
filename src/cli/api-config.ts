/**
 * How to reach the agent: the flags `client-flags.ts` lists, then the environment, then the defaults.
 */
import { RollcallError } from "../errors/index.ts";
import { parseBool } from "../model/index.ts";
import type { Disk, IpAddress, Platform, SocketPath, TlsOptions } from "../platform/index.ts";
import type { CommandContext } from "./command.ts";
import { escapeHost, type Query } from "./go-url.ts";
import { readNamedFile } from "./named-file.ts";

export interface ApiConfig {
  /** `http://127.0.0.1:8500`, as error messages show it. */
  readonly origin: string;
  /** Goes before `/v1`: "" or a path without a slash at its end. */
  readonly pathPrefix: string;
  readonly remote: IpAddress | SocketPath;
  readonly tls: TlsOptions | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Asked with every request: `-datacenter`, `-stale`, `-namespace`. */
  readonly query: Query;
  /** Only with what reads. */
  readonly stale: boolean;
}

const DEFAULT_ADDRESS = "127.0.0.1:8500";
const DEFAULT_PORTS = { http: 80, https: 443 } as const;

/** @throws {RollcallError} `config/invalid` or `disk/failed` */
export async function readApiConfig(context: CommandContext): Promise<ApiConfig> {
  const { flags, platform } = context;
  const setting = (flag: string, variable: string): string =>
    flags.given(flag) ? flags.text(flag) : (platform.host.env(variable) ?? "");

  const headers = await readHeaders(platform, setting);
  const tls = await readTls(context, setting);
  const address =
    flags.text("http-addr") || platform.host.env("CONSUL_HTTP_ADDR") || DEFAULT_ADDRESS;
  const ssl = readSwitch(context, "CONSUL_HTTP_SSL", false);
  const query = [
    ["dc", flags.text("datacenter")],
    ["ns", setting("namespace", "CONSUL_NAMESPACE")],
  ] as const;
  return {
    ...parseApiAddress(address, { ssl, tls }),
    headers,
    query: query.filter(([, value]) => value !== ""),
    stale: flags.on("stale"),
  };
}

/**
 * @param ssl asked for in the environment: then `http://` does not turn it off
 * @throws {RollcallError} `config/invalid`
 */
export function parseApiAddress(
  address: string,
  { ssl, tls }: { readonly ssl: boolean; readonly tls: TlsOptions },
): Pick<ApiConfig, "origin" | "pathPrefix" | "remote" | "tls"> {
  const at = address.indexOf("://");
  const named = at < 0 ? "http" : address.slice(0, at);
  const rest = at < 0 ? address : address.slice(at + 3);
  if (named === "unix") {
    return {
      origin: `http://${escapeHost(rest)}`,
      pathPrefix: "",
      remote: { path: rest },
      tls: undefined,
    };
  }
  if (named !== "http" && named !== "https") {
    throw invalid(`Unknown protocol scheme: ${named}`);
  }
  const scheme = ssl ? "https" : named;
  const [, hostPort = "", path = ""] = /^([^/]*)(\/.*)?$/s.exec(rest) ?? [];
  const [, bracketed, plain = "", digits] =
    /^(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?$/s.exec(hostPort) ?? [];
  // As Go dials it, `:8500` is a port of this machine.
  const host = bracketed ?? (plain === "" && (digits ?? "") !== "" ? "127.0.0.1" : plain);
  const port = digits === undefined || digits === "" ? DEFAULT_PORTS[scheme] : Number(digits);
  if (host === "" || port > 65_535) {
    throw invalid(`not the address of an agent: ${JSON.stringify(address)}`);
  }
  return {
    origin: `${scheme}://${hostPort}`,
    pathPrefix: path.replace(/\/+$/, ""),
    remote: { host, port },
    tls: scheme === "https" ? tls : undefined,
  };
}

type Setting = (flag: string, variable: string) => string;

async function readHeaders(
  { disk, host }: Platform,
  setting: Setting,
): Promise<Record<string, string>> {
  const headers: Record<string, string> = {};
  let token = setting("token", "CONSUL_HTTP_TOKEN") || (host.env("CONSUL_HTTP_TOKEN") ?? "");
  const tokenFile = setting("token-file", "CONSUL_HTTP_TOKEN_FILE");
  if (tokenFile !== "") {
    const text = await prefixed("Error loading token file: ", readNamedFile(tokenFile, disk));
    token = Buffer.from(text).toString("utf8").trim() || token;
  }
  if (token !== "") headers["X-Consul-Token"] = token;
  const auth = host.env("CONSUL_HTTP_AUTH") ?? "";
  if (auth !== "") {
    const credentials = auth.includes(":") ? auth : `${auth}:`;
    headers["Authorization"] = `Basic ${Buffer.from(credentials, "utf8").toString("base64")}`;
  }
  for (const [name, value] of Object.entries(headers)) {
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) {
      throw invalid(`net/http: invalid header field value for key ${name}`);
    }
  }
  return headers;
}

async function readTls(context: CommandContext, setting: Setting): Promise<TlsOptions> {
  const { disk } = context.platform;
  const caFile = setting("ca-file", "CONSUL_CACERT");
  const caPath = setting("ca-path", "CONSUL_CAPATH");
  const certFile = setting("client-cert", "CONSUL_CLIENT_CERT");
  const keyFile = setting("client-key", "CONSUL_CLIENT_KEY");
  const serverName = setting("tls-server-name", "CONSUL_TLS_SERVER_NAME");
  const verify = readSwitch(context, "CONSUL_HTTP_SSL_VERIFY", true);
  if ((certFile === "") !== (keyFile === "")) {
    throw invalid("both client cert and client key must be provided");
  }
  const read = async (path: string): Promise<string> =>
    Buffer.from(await readNamedFile(path, disk)).toString("utf8");
  return {
    ...(serverName === "" ? {} : { serverName }),
    ...(verify ? {} : { skipVerify: true }),
    ...(caFile === "" && caPath === "" ? {} : { ca: await readAuthorities(caFile, caPath, disk) }),
    ...(certFile === ""
      ? {}
      : { cert: demandPem(await read(certFile)), key: demandPem(await read(keyFile)) }),
  };
}

async function readAuthorities(file: string, folder: string, disk: Disk): Promise<string> {
  let paths = [file];
  if (file === "") {
    const entries = await disk.list(folder);
    if (entries === undefined) throw invalid(`lstat ${folder}: no such file or directory`);
    const files = entries.filter(({ kind }) => kind === "file");
    paths = files.map(({ name }) => `${folder}/${name}`);
  }
  const texts: string[] = [];
  for (const path of paths) {
    const bytes = await prefixed("Error loading CA File: ", readNamedFile(path, disk));
    const text = Buffer.from(bytes).toString("utf8");
    if (!PEM.test(text)) throw invalid(`Error loading CA File: Couldn't parse PEM in: ${path}`);
    texts.push(text);
  }
  return texts.join("\n");
}

const PEM = /-----BEGIN [A-Z ]+-----/;

function demandPem(text: string): string {
  if (PEM.test(text)) return text;
  throw invalid("tls: failed to find any PEM data in certificate input");
}

async function prefixed<T>(prefix: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof RollcallError) throw invalid(`${prefix}${error.message}`);
    throw error;
  }
}

const invalid = (text: string): RollcallError => new RollcallError("config/invalid", text);

/** What cannot be read as a boolean is reported and left aside. */
function readSwitch(context: CommandContext, variable: string, otherwise: boolean): boolean {
  const text = context.platform.host.env(variable) ?? "";
  if (text === "") return otherwise;
  const { value, error } = parseBool(text);
  if (error !== undefined) context.stderr(`could not parse ${variable}: ${error}\n`);
  return value ?? otherwise;
}
