/** Where a request comes from, as `near=_ip` needs it. */
import { ipVersion } from "../model/index.ts";
import type { Call } from "./call.ts";

/** The first address that a proxy names, else the connection's other end. Empty where neither is an IP address. */
export function sourceIp(call: Call): string {
  const [forwarded = ""] = call.header("x-forwarded-for").split(",");
  const candidates = [forwarded.trim(), call.peerHost];
  return candidates.find((host) => ipVersion(host) !== 0) ?? "";
}
