/** How a definition wants its checks' connections secured. */
import type { CheckDefinition } from "../model/index.ts";
import type { TlsOptions } from "../platform/index.ts";

/** HTTP/2 over TLS has to be negotiated: servers that speak HTTP/1 too would speak that. */
export const HTTP2_ONLY = ["h2"] as const;

export function tlsOptionsOf(
  { TLSServerName, TLSSkipVerify }: CheckDefinition,
  alpn?: readonly string[],
): TlsOptions {
  return {
    skipVerify: TLSSkipVerify,
    ...(TLSServerName === "" ? {} : { serverName: TLSServerName }),
    ...(alpn === undefined ? {} : { alpn }),
  };
}
