/** The names that `tls_cipher_suites` may hold. */
import { errorList } from "../errors/index.ts";
import { goQuote } from "../model/index.ts";

const SUITES = new Set(
  ["ECDHE_RSA", "ECDHE_ECDSA"].flatMap((exchange) =>
    [
      "CHACHA20_POLY1305",
      "AES_128_GCM_SHA256",
      "AES_256_GCM_SHA384",
      "AES_128_CBC_SHA256",
      "AES_128_CBC_SHA",
      "AES_256_CBC_SHA",
    ].map((cipher) => `TLS_${exchange}_WITH_${cipher}`),
  ),
);
for (const cipher of [
  "AES_128_GCM_SHA256",
  "AES_256_GCM_SHA384",
  "AES_128_CBC_SHA256",
  "AES_128_CBC_SHA",
  "AES_256_CBC_SHA",
]) {
  SUITES.add(`TLS_RSA_WITH_${cipher}`);
}

/** @returns Consul's complaint about the first name that is none, or undefined */
export function cipherProblem(list: string): string | undefined {
  if (list === "") return undefined;
  const stray = list.split(",").find((name) => !SUITES.has(name));
  if (stray === undefined) return undefined;
  return errorList([
    `tls_cipher_suites: invalid tls cipher suites: unsupported cipher ${goQuote(stray)}`,
  ]);
}
