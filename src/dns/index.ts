export { startDnsServer } from "./server.ts";
export type { DnsServer, DnsServerNeeds } from "./server.ts";
export { dnsSelection } from "./explain.ts";
export type { DnsSelection, DnsSelectionOf } from "./explain.ts";
