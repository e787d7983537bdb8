/** `host:port` taken apart, with the complaints of Go's net.SplitHostPort. */
import { RollcallError } from "../errors/index.ts";

export interface HostPort {
  /** Without brackets. */
  readonly host: string;
  readonly port: string;
}

/** @throws {RollcallError} `request/bad`: `address 1.2.3.4: missing port in address` */
export function splitHostPort(text: string): HostPort {
  const complain = (what: string): never => {
    throw new RollcallError("request/bad", `address ${text}: ${what}`);
  };
  const colon = text.lastIndexOf(":");
  if (colon < 0) return complain("missing port in address");
  const port = text.slice(colon + 1);
  let host = text.slice(0, colon);
  /** Where brackets have no business any more. */
  let [openingFrom, closingFrom] = [0, 0];
  if (host.startsWith("[")) {
    const end = text.indexOf("]");
    if (end < 0) return complain("missing ']' in address");
    if (end + 1 !== colon) {
      return complain(
        text[end + 1] === ":" ? "too many colons in address" : "missing port in address",
      );
    }
    host = text.slice(1, end);
    [openingFrom, closingFrom] = [1, end + 1];
  } else if (host.includes(":")) {
    return complain("too many colons in address");
  }
  if (text.includes("[", openingFrom)) return complain("unexpected '[' in address");
  if (text.includes("]", closingFrom)) return complain("unexpected ']' in address");
  return { host, port };
}
