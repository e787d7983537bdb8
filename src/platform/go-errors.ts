/**
 * What the operating system refused, in the words that a Go program uses for it. They reach people through
 * check outputs and logs, where scripts and habits match on Consul's text; both platforms speak them.
 */
import { messageOf, RollcallError } from "../errors/index.ts";
import type { IpAddress, SocketPath } from "./platform.ts";

/** Linux's texts, by the code that Node puts on its errors. */
const ERRNO_TEXTS: Readonly<Record<string, string>> = {
  E2BIG: "argument list too long",
  EACCES: "permission denied",
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "cannot assign requested address",
  EAFNOSUPPORT: "address family not supported by protocol",
  EAGAIN: "resource temporarily unavailable",
  EBADF: "bad file descriptor",
  EBUSY: "device or resource busy",
  ECONNABORTED: "software caused connection abort",
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset by peer",
  EDQUOT: "disk quota exceeded",
  EEXIST: "file exists",
  EFBIG: "file too large",
  EHOSTUNREACH: "no route to host",
  EINVAL: "invalid argument",
  EIO: "input/output error",
  EISDIR: "is a directory",
  ELOOP: "too many levels of symbolic links",
  EMFILE: "too many open files",
  EMSGSIZE: "message too long",
  ENAMETOOLONG: "file name too long",
  ENETDOWN: "network is down",
  ENETUNREACH: "network is unreachable",
  ENFILE: "too many open files in system",
  ENOBUFS: "no buffer space available",
  ENOENT: "no such file or directory",
  ENOEXEC: "exec format error",
  ENOMEM: "cannot allocate memory",
  ENOSPC: "no space left on device",
  ENOTDIR: "not a directory",
  ENOTEMPTY: "directory not empty",
  ENOTSOCK: "socket operation on non-socket",
  EPERM: "operation not permitted",
  EPIPE: "broken pipe",
  EROFS: "read-only file system",
  ETIMEDOUT: "connection timed out",
  ETXTBSY: "text file busy",
  EXDEV: "invalid cross-device link",
};

const RESOLVER_TEXTS: Readonly<Record<string, string>> = {
  ENOTFOUND: "no such host",
  ENODATA: "no such host",
  EAI_AGAIN: "Temporary failure in name resolution",
  EAI_FAIL: "Non-recoverable failure in name resolution",
};

/** The code on an error of Node's (`ENOENT`), or undefined. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

export function errnoText(error: unknown): string {
  return ERRNO_TEXTS[errnoOf(error) ?? ""] ?? messageOf(error);
}

/** An error as Node's own would be: for simulated failures. */
export function errnoError(code: string): Error & { readonly code: string } {
  return Object.assign(new Error(ERRNO_TEXTS[code] ?? code), { code });
}

/** `host:port`, with brackets around an IPv6 address. */
export function hostPort({ host, port }: IpAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function netAddress(kind: "tcp" | "udp", address: IpAddress | SocketPath): string {
  return "path" in address ? `unix ${address.path}` : `${kind} ${hostPort(address)}`;
}

/** `listen tcp 127.0.0.1:8500: bind: address already in use` */
export function bindError(
  kind: "tcp" | "udp",
  local: IpAddress | SocketPath,
  cause: unknown,
): RollcallError {
  const detail = `listen ${netAddress(kind, local)}: bind: ${errnoText(cause)}`;
  return new RollcallError("net/bind", detail, { cause });
}

/** `dial tcp 127.0.0.1:1: connect: connection refused` */
export function dialError(remote: IpAddress | SocketPath, cause: unknown): RollcallError {
  const detail = `dial ${netAddress("tcp", remote)}: connect: ${errnoText(cause)}`;
  return new RollcallError("net/dial", detail, { cause });
}

/** `read udp 127.0.0.1:1: read: connection refused` */
export function refusedDatagramError(remote: IpAddress, cause: unknown): RollcallError {
  const detail = `read ${netAddress("udp", remote)}: read: ${errnoText(cause)}`;
  return new RollcallError("net/dial", detail, { cause });
}

/** `dial tcp: lookup nosuch.invalid: no such host` */
export function lookupError(
  host: string,
  cause: unknown,
  kind: "tcp" | "udp" = "tcp",
): RollcallError {
  const text = RESOLVER_TEXTS[errnoOf(cause) ?? ""] ?? messageOf(cause);
  return new RollcallError("net/dial", `dial ${kind}: lookup ${host}: ${text}`, { cause });
}

/** `open /data/node-id: permission denied` */
export function diskError(operation: string, path: string, cause: unknown): RollcallError {
  return new RollcallError("disk/failed", `${operation} ${path}: ${errnoText(cause)}`, { cause });
}

/** A name without a slash is searched in PATH, and not finding it there has words of its own. */
export function unstartableText(program: string, cause: unknown): string {
  const code = errnoOf(cause);
  const searched = !program.includes("/");
  if (program === "" || (searched && (code === "ENOENT" || code === "EACCES"))) {
    return `exec: ${JSON.stringify(program)}: executable file not found in $PATH`;
  }
  const text = code === "ERR_INVALID_ARG_VALUE" ? "invalid argument" : errnoText(cause);
  return `fork/exec ${program}: ${text}`;
}
