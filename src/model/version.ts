/** Rollcall's own version, and the Consul release whose behaviour clients may count on. */
export const VERSION = "0.1.0";
/** Shown wherever clients look for Consul's version: `/v1/agent/self`, member tags, service metadata. */
export const CONSUL_VERSION = "1.8.7";
