/**
 * The flags that commands share: how to reach an agent, and which servers may answer. `api-config.ts` reads
 * them together with the environment.
 */
import type { CommandFlag } from "./flags.ts";

export const clientFlags: readonly CommandFlag[] = [
  {
    name: "ca-file",
    kind: "text",
    value: "value",
    section: "http",
    help: "File with the certificates of the authorities (PEM) that the agent's certificate is checked against. Environment: CONSUL_CACERT.",
  },
  {
    name: "ca-path",
    kind: "text",
    value: "value",
    section: "http",
    help: "Directory of such files; every file in it is read. Environment: CONSUL_CAPATH.",
  },
  {
    name: "client-cert",
    kind: "text",
    value: "value",
    section: "http",
    help: "File with the certificate to show to an agent that asks for one (verify_incoming). Environment: CONSUL_CLIENT_CERT.",
  },
  {
    name: "client-key",
    kind: "text",
    value: "value",
    section: "http",
    help: "File with the key that belongs to -client-cert. Environment: CONSUL_CLIENT_KEY.",
  },
  {
    name: "http-addr",
    kind: "text",
    value: "address",
    section: "http",
    help: "Where the agent's HTTP API is: host:port, http://host:port, https://host:port or unix:///path. Environment: CONSUL_HTTP_ADDR, and CONSUL_HTTP_SSL=true for https. Default: http://127.0.0.1:8500.",
  },
  {
    name: "tls-server-name",
    kind: "text",
    value: "value",
    section: "http",
    help: "Name to ask for and to expect in the agent's certificate, where it is not the host of -http-addr. Environment: CONSUL_TLS_SERVER_NAME.",
  },
  {
    name: "token",
    kind: "text",
    value: "value",
    section: "http",
    help: "ACL token to send. Without one the agent uses its own. Environment: CONSUL_HTTP_TOKEN.",
  },
  {
    name: "token-file",
    kind: "text",
    value: "value",
    section: "http",
    help: "File to read the ACL token from; it wins over -token. Environment: CONSUL_HTTP_TOKEN_FILE.",
  },
];

export const serverFlags: readonly CommandFlag[] = [
  {
    name: "datacenter",
    kind: "text",
    value: "value",
    section: "http",
    help: "Datacenter to ask; the agent's own if not given.",
  },
  {
    name: "stale",
    kind: "bool",
    wording: "strconv",
    section: "http",
    help: "Let any server answer, not only the leader: faster, and it works without a leader, but the answer may be old. Writes are not affected.",
  },
];

export const namespaceFlag: CommandFlag = {
  name: "namespace",
  kind: "text",
  value: "default",
  help: "Sent to the agent as it is. Namespaces are a feature of Consul Enterprise, and the agent says so.",
};
