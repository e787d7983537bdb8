/**
 * The client's side of TLS: verifies against the system's authorities, which Node does not read by itself,
 * and says what is wrong with a certificate in Go's words.
 */
import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { isIP } from "node:net";
import { connect, createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import { messageOf, RollcallError } from "../../errors/index.ts";
import { errnoOf, errnoText } from "../go-errors.ts";
import type { TlsOptions } from "../platform.ts";

/** Where distributions keep the bundle, most common first. */
const SYSTEM_BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

const UNKNOWN_AUTHORITY = "x509: certificate signed by unknown authority";
const EXPIRED = "x509: certificate has expired or is not yet valid";
const TLS_TEXTS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: EXPIRED,
  CERT_NOT_YET_VALID: EXPIRED,
  CERT_SIGNATURE_FAILURE: UNKNOWN_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  ERR_SSL_WRONG_VERSION_NUMBER: "tls: first record does not look like a TLS handshake",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "tls: first record does not look like a TLS handshake",
};

/**
 * Takes over a connected stream and shakes hands on it.
 * @param host what the certificate must be for, unless the options name another server
 * @throws {RollcallError} `net/dial`, or the signal's reason; the stream is destroyed then
 */
export async function secure(
  stream: Socket,
  host: string,
  options: TlsOptions,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const name = options.serverName ?? host;
  try {
    const secureContext = await contextFor(options);
    signal.throwIfAborted();
    const secured = connect({
      socket: stream,
      host: name,
      ...(isIP(name) === 0 && name !== "" ? { servername: name } : {}),
      rejectUnauthorized: options.skipVerify !== true,
      secureContext,
      ...(options.alpn === undefined ? {} : { ALPNProtocols: [...options.alpn] }),
    });
    await handshake(secured, name, signal);
    return secured;
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

function handshake(secured: TLSSocket, name: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    secured.on("error", (error) => reject(new RollcallError("net/dial", text(error, name))));
    secured.on("close", () => reject(new RollcallError("net/dial", "EOF")));
    const onAbort = (): void => {
      reject(signal.reason);
      secured.destroy();
    };
    signal.addEventListener("abort", onAbort);
    secured.on("close", () => signal.removeEventListener("abort", onAbort));
    secured.on("secureConnect", () => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    });
  });
}

function text(error: unknown, name: string): string {
  const code = errnoOf(error) ?? "";
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return wrongName(error, name);
  // Node's word for a peer that hangs up; a connection that was reset names the call that noticed.
  const hungUp = code === "ECONNRESET" && !("syscall" in (error as object));
  return hungUp ? "EOF" : (TLS_TEXTS[code] ?? errnoText(error));
}

function wrongName(error: unknown, name: string): string {
  const { cert } = error as { readonly cert?: { readonly subjectaltname?: string } };
  const names = (cert?.subjectaltname ?? "").split(", ").filter((entry) => entry !== "");
  const ofKind = (kind: string): readonly string[] =>
    names.filter((entry) => entry.startsWith(kind)).map((entry) => entry.slice(kind.length));
  if (isIP(name) !== 0) {
    const addresses = ofKind("IP Address:");
    return addresses.length === 0
      ? `x509: cannot validate certificate for ${name} because it doesn't contain any IP SANs`
      : `x509: certificate is valid for ${addresses.join(", ")}, not ${name}`;
  }
  return `x509: certificate is valid for ${ofKind("DNS:").join(", ")}, not ${name}`;
}

/** Built once: parsing a bundle takes longer than the handshake. */
let systemContext: Promise<SecureContext> | undefined;

async function contextFor({ ca, cert, key }: TlsOptions): Promise<SecureContext> {
  if (ca === undefined && cert === undefined) {
    systemContext ??= systemAuthorities().then((authorities) =>
      createSecureContext(authorities === undefined ? {} : { ca: authorities }),
    );
    return systemContext;
  }
  const authorities = ca ?? (await systemAuthorities());
  try {
    return createSecureContext({
      ...(authorities === undefined ? {} : { ca: authorities }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    });
  } catch (error) {
    throw new RollcallError("net/dial", `tls: ${messageOf(error)}`, { cause: error });
  }
}

/** Undefined: none found, so Node's own list has to do. */
async function systemAuthorities(): Promise<string | undefined> {
  const named = process.env["SSL_CERT_FILE"];
  for (const path of named === undefined || named === "" ? SYSTEM_BUNDLES : [named]) {
    const bundle = await readFile(path, "utf8").catch(() => undefined);
    if (bundle !== undefined) return bundle;
  }
  return undefined;
}
